use std::sync::Arc;

use crate::conformance::samples::{NOW, grant, step, texts};
use crate::{GrantRecord, HistoryFilter, MOST_DERIVED_GRANTS, Revision, Step, Store, StoreError};

fn derived(id: &str, parent: &str) -> GrantRecord {
    GrantRecord { parent: Some(parent.to_owned()), purpose: Some("Ω <b>".to_owned()), created_ms: NOW + 9, ..grant(id, "") }
}

/// Somebody who had a grant asked for more, and got another one; and what was derived of that.
pub(crate) async fn what_was_given_beyond_a_grant_is_revoked_with_it(store: Arc<dyn Store>) {
    let s = &*store;
    let given = |id: &str, widened: &str| GrantRecord {
        parent: None,
        widens: Some(widened.to_owned()),
        application: Some("tv".to_owned()),
        ..derived(id, "")
    };
    let tree = [grant("a", ""), derived("a1", "a"), given("b", "a1"), derived("b1", "b"), given("c", "b"), grant("d", "")];
    for one in &tree {
        s.insert_grant(&step(s, "x").await, one, None).await.unwrap();
        assert_eq!(s.grant(&one.id).await.unwrap().as_ref(), Some(one));
    }
    let before = s.revision().await.unwrap();
    s.revoke_grants(&step(s, "revoked").await, &texts(&["a"]), "ann", "").await.unwrap();
    for (id, is_revoked) in [("a", true), ("a1", true), ("b", true), ("b1", true), ("c", true), ("d", false)] {
        assert_eq!(s.grant(id).await.unwrap().unwrap().revoked_ms.is_some(), is_revoked, "{id}");
    }
    let changes = s.changes_since(before, 10).await.unwrap();
    assert_eq!(
        changes.into_iter().map(|change| change.key).collect::<Vec<_>>(),
        ["a", "a1", "b", "b1", "c"],
        "whoever follows is told of each"
    );
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
    let since = async |since_ms: i64, limit: u32| s.grants_revoked_since(since_ms, limit).await.unwrap();
    assert_eq!(since(NOW, 10).await, ["a1", "a11"], "what was derived is among those that ended");
    assert_eq!((since(NOW, 1).await.len(), since(NOW + 1, 10).await), (1, Vec::new()));
    let end = s.grant("a11").await.unwrap().unwrap();
    assert_eq!((end.revoked_by.as_deref(), end.revoked_ms), (Some("ann"), Some(NOW)));

    // Also where the one above was revoked before, and where one takes the place of another.
    s.revoke_grants(&step(s, "revoked").await, &texts(&["a"]), "ann", "second").await.unwrap();
    assert_eq!(revoked().await, ["a", "a1", "a11", "a2"]);
    s.insert_grant(&step(s, "granted").await, &grant("c", ""), Some("b")).await.unwrap();
    assert_eq!(revoked().await, ["a", "a1", "a11", "a2", "b", "b1"]);
}

/// What is named is revoked for the reason that is given, also where it comes of another one that is named.
pub(crate) async fn many_are_revoked_at_once(store: Arc<dyn Store>) {
    let s = &*store;
    let tree = [grant("a", ""), derived("a1", "a"), derived("a11", "a1"), grant("b", ""), derived("b1", "b"), grant("c", "")];
    for one in &tree {
        s.insert_grant(&step(s, "x").await, one, None).await.unwrap();
    }
    let before = s.revision().await.unwrap();
    s.revoke_grants(&step(s, "revoked").await, &texts(&["b", "a", "a1", "gone", "b"]), "ann", "lost").await.unwrap();
    let mut reasons = Vec::new();
    for one in &tree {
        reasons.push(s.grant(&one.id).await.unwrap().unwrap().reason);
    }
    let came = Some("the grant that it came from was revoked");
    assert_eq!(reasons.iter().map(Option::as_deref).collect::<Vec<_>>(), [Some("lost"), Some("lost"), came, Some("lost"), came, None]);
    let changes = s.changes_since(before, 10).await.unwrap();
    assert_eq!(changes.into_iter().map(|change| change.key).collect::<Vec<_>>(), ["a", "a1", "a11", "b", "b1"]);
    let told = s.whole_history(&HistoryFilter { action: Some("revoked".to_owned()), ..HistoryFilter::default() }, 100, 100).await.unwrap();
    assert_eq!(told.rows.len(), 5, "each once");
}

/// Two servers that derived from one grant at once passed the bound by a few, each of which had found room.
pub(crate) async fn no_more_are_derived_than_may_count(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_grant(&step(s, "x").await, &grant("a", ""), None).await.unwrap();
    s.insert_grant(&step(s, "x").await, &grant("b", ""), None).await.unwrap();
    // One below the other, three deep; the last two end earlier.
    let end_ms = NOW + 50;
    for n in 1..=MOST_DERIVED_GRANTS {
        let parent = if n % 3 == 1 { "a".to_owned() } else { format!("a{}", n - 1) };
        let one = derived(&format!("a{n}"), &parent);
        let one = if n > MOST_DERIVED_GRANTS - 2 { GrantRecord { expires_ms: end_ms, ..one } } else { one };
        s.insert_grant(&step(s, "derived").await, &one, None).await.unwrap();
    }
    let revision = s.revision().await.unwrap();
    for parent in ["a", "a1", "a2", "a3"] {
        let refused = s.insert_grant(&step(s, "derived").await, &derived("late", parent), None).await;
        assert_eq!(refused, Err(StoreError::Stale), "{parent}");
    }
    assert_eq!((s.revision().await.unwrap(), s.grant("late").await.unwrap()), (revision, None));
    // Of another grant, and beside it.
    s.insert_grant(&step(s, "derived").await, &derived("b1", "b"), None).await.unwrap();
    s.insert_grant(&step(s, "granted").await, &grant("c", ""), None).await.unwrap();
    // Those that count no more leave room: revoked ones, and ended ones.
    s.revoke_grants(&step(s, "revoked").await, &texts(&["a1"]), "ann", "x").await.unwrap();
    for n in 0..3 {
        s.insert_grant(&step(s, "derived").await, &derived(&format!("again{n}"), "a"), None).await.unwrap();
    }
    let late = derived("late", "a");
    assert_eq!(s.insert_grant(&step(s, "derived").await, &late, None).await, Err(StoreError::Stale));
    let later = Step { at_ms: end_ms, ..step(s, "derived").await };
    s.insert_grant(&later, &late, None).await.unwrap();
}
