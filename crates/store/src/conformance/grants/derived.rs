use std::sync::Arc;

use crate::conformance::samples::{NOW, grant, step, texts};
use crate::{GrantRecord, Revision, Store};

fn derived(id: &str, parent: &str) -> GrantRecord {
    GrantRecord { parent: Some(parent.to_owned()), purpose: Some("Ω <b>".to_owned()), created_ms: NOW + 9, ..grant(id, "") }
}

pub(crate) async fn what_was_derived_is_revoked_with_its_grant(store: Arc<dyn Store>) {
    let s = &*store;
    let tree = [grant("a", ""), derived("a1", "a"), derived("a11", "a1"), derived("a2", "a"), grant("b", ""), derived("b1", "b")];
    for one in &tree {
        s.insert_grant(&step(s, "x").await, one, None).await.unwrap();
    }
    assert_eq!(s.grant("a11").await.unwrap().as_ref(), tree.get(2));
    let last = s.last_grant_to("local/ann", "https://notes.example.com").await.unwrap().unwrap();
    assert_eq!(last.parent, None, "what a program has taken says nothing of what the person gave");

    let before = s.revision().await.unwrap();
    s.revoke_grants(&step(s, "revoked").await, &texts(&["a1"]), "ann", "first").await.unwrap();
    let revoked = async || {
        let mut ids = Vec::new();
        for one in &tree {
            ids.extend(s.grant(&one.id).await.unwrap().filter(|grant| grant.revoked_ms.is_some()).map(|grant| grant.id));
        }
        ids
    };
    assert_eq!(revoked().await, ["a1", "a11"]);
    let keys =
        |since: Revision| async move { s.changes_since(since, 10).await.unwrap().into_iter().map(|change| change.key).collect::<Vec<_>>() };
    assert_eq!(keys(before).await, ["a1", "a11"], "whoever follows is told of each");
    let end = s.grant("a11").await.unwrap().unwrap();
    assert_eq!((end.revoked_by.as_deref(), end.revoked_ms), (Some("ann"), Some(NOW)));

    // Also where the one above was revoked before, and where one takes the place of another.
    s.revoke_grants(&step(s, "revoked").await, &texts(&["a"]), "ann", "second").await.unwrap();
    assert_eq!(revoked().await, ["a", "a1", "a11", "a2"]);
    s.insert_grant(&step(s, "granted").await, &grant("c", ""), Some("b")).await.unwrap();
    assert_eq!(revoked().await, ["a", "a1", "a11", "a2", "b", "b1"]);
}
