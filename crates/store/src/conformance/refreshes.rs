//! Asking providers again: who is due, who asks, and what goes with an identity; and what else only one node does.

use std::sync::Arc;

use super::samples::{NOW, account, client, identity, step, texts};
use crate::conformance::at_once::at_once;
use crate::{AuditStart, RefreshRecord, Secret, Store, StoreError};

fn refresh(identity: &str, due_ms: i64) -> RefreshRecord {
    RefreshRecord { identity: identity.into(), handle: Some(Secret::new(format!("handle-of-{identity}"))), due_ms }
}

pub(super) async fn a_refresh_is_claimed_by_one_only(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.claim_refresh("oidc/ann", NOW, NOW + 10).await, Ok(None));
    let ann = refresh("oidc/ann", NOW + 1000);
    s.put_refresh(&ann).await.unwrap();
    assert_eq!(s.claim_refresh("oidc/ann", NOW, NOW + 10).await, Ok(Some(ann.clone())), "due or not");
    assert_eq!(s.claim_refresh("oidc/ann", NOW + 9, NOW + 20).await, Ok(None));
    assert_eq!(s.claim_refresh("oidc/ann", NOW + 10, NOW + 20).await, Ok(Some(ann)), "whoever claimed it has ended");
    let next = RefreshRecord { handle: None, ..refresh("oidc/ann", NOW + 2000) };
    s.put_refresh(&next).await.unwrap();
    assert_eq!(s.claim_refresh("oidc/ann", NOW + 11, NOW + 20).await, Ok(Some(next)), "it was asked, and is free again");
    let kept = Secret::new("renewed");
    s.keep_refresh_handle("oidc/ann", &kept).await.unwrap();
    assert_eq!(s.claim_refresh("oidc/ann", NOW + 12, NOW + 20).await, Ok(None), "it is claimed as before");
    let renewed = RefreshRecord { handle: Some(kept.clone()), ..refresh("oidc/ann", NOW + 2000) };
    assert_eq!(s.claim_refresh("oidc/ann", NOW + 20, NOW + 30).await, Ok(Some(renewed)), "and due as before");
    s.delete_refresh("oidc/ann").await.unwrap();
    s.delete_refresh("oidc/ann").await.unwrap();
    s.keep_refresh_handle("oidc/ann", &kept).await.unwrap();
    assert_eq!(s.claim_refresh("oidc/ann", NOW + 5000, NOW + 5001).await, Ok(None));
}

pub(super) async fn what_is_due_comes_earliest_first_and_once(store: Arc<dyn Store>) {
    let s = &*store;
    for (who, due_ms) in [("oidc/c", NOW), ("oidc/b", NOW - 5), ("oidc/a", NOW - 5), ("oidc/later", NOW + 1)] {
        s.put_refresh(&refresh(who, due_ms)).await.unwrap();
    }
    let due = async |now_ms| {
        let due = s.claim_due_refreshes(now_ms, now_ms + 100, 2).await.unwrap();
        due.into_iter().map(|refresh| refresh.identity).collect::<Vec<_>>()
    };
    assert_eq!(due(NOW).await, ["oidc/a", "oidc/b"]);
    assert_eq!(due(NOW).await, ["oidc/c"]);
    assert!(due(NOW).await.is_empty());
    assert_eq!(due(NOW + 1).await, ["oidc/later"]);
    assert_eq!(due(NOW + 100).await, ["oidc/a", "oidc/b"], "nobody said what came of it");
}

pub(super) async fn of_many_who_claim_each_is_given_others(store: Arc<dyn Store>) {
    let s = &*store;
    for number in 0..20 {
        s.put_refresh(&refresh(&format!("oidc/{number:02}"), NOW)).await.unwrap();
    }
    let mut claims: Vec<std::pin::Pin<Box<dyn Future<Output = Vec<RefreshRecord>> + Send + '_>>> = Vec::new();
    for _ in 0..8 {
        claims.push(Box::pin(async move { s.claim_due_refreshes(NOW, NOW + 100, 5).await.unwrap() }));
    }
    let claimed = at_once(claims).await.into_iter().flatten();
    let mut claimed: Vec<_> = claimed.chain(s.claim_due_refreshes(NOW, NOW + 100, 20).await.unwrap()).map(|one| one.identity).collect();
    claimed.sort_unstable();
    assert_eq!(claimed, (0..20).map(|number| format!("oidc/{number:02}")).collect::<Vec<_>>());
}

/// Another setting would make somebody of each person whose other attribute happens to be the same.
pub(super) async fn what_people_are_known_by_is_kept_for_ever(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.known_by("oidc").await, Ok(None));
    assert_eq!(s.note_known_by("oidc", "oidc oid", "oidc sub").await.as_deref(), Ok("oidc oid"));
    assert_eq!(s.note_known_by("oidc", "oidc sub", "oidc sub").await.as_deref(), Ok("oidc oid"));
    assert_eq!(s.known_by("oidc").await, Ok(Some("oidc oid".to_owned())));
    s.put_identity(&step(s, "created").await, &identity("older/ann")).await.unwrap();
    assert_eq!(s.known_by("older").await, Ok(None));
    assert_eq!(s.note_known_by("older", "oidc oid", "oidc sub").await.as_deref(), Ok("oidc sub"), "it has people already");
    assert_eq!(s.note_known_by("older", "oidc oid", "oidc oid").await.as_deref(), Ok("oidc sub"));
}

pub(super) async fn an_identity_takes_clients_with_it(store: Arc<dyn Store>) {
    let s = &*store;
    for name in ["oidc/ann/a", "oidc/ann/b", "oidc/ann/off"] {
        let mut record = client(name);
        record.disabled = name.ends_with("off");
        s.insert_client(&step(s, "created").await, &record).await.unwrap();
    }
    s.insert_account(&step(s, "created").await, &account("ann"), &identity("local/ann"), None).await.unwrap();
    s.insert_client(&step(s, "created").await, &client("local/ann/a")).await.unwrap();
    let theirs = texts(&["local/ann/a"]);
    s.update_account(&step(s, "groups set").await, &account("ann"), &identity("local/ann"), &theirs).await.unwrap();
    assert!(s.client("local/ann/a").await.unwrap().unwrap().disabled, "in one step with the account");
    assert_eq!(s.update_account(&step(s, "x").await, &account("nobody"), &identity("local/x"), &theirs).await, Err(StoreError::Conflict));
    let before = s.revision().await.unwrap();
    let gone = texts(&["oidc/ann/a", "oidc/ann/off", "oidc/ann/unknown"]);
    let revision = s.follow_identity(&step(s, "refreshed").await, &identity("oidc/ann"), &gone).await.unwrap();
    assert_eq!(revision.0, before.0 + 1);
    let disabled = async |name| s.client(name).await.unwrap().unwrap().disabled;
    assert!(disabled("oidc/ann/a").await && !disabled("oidc/ann/b").await && disabled("oidc/ann/off").await);
    let history = async |kind, id| s.entity_history(kind, id, AuditStart::Offset(0), 10).await.unwrap();
    let actions = |rows: Vec<crate::AuditEntry>| rows.into_iter().map(|row| row.action).collect::<Vec<_>>();
    assert_eq!(actions(history("client", "oidc/ann/a").await), ["created", "disabled"]);
    assert_eq!(actions(history("client", "oidc/ann/off").await), ["created"]);
    assert_eq!(actions(history("identity", "oidc/ann").await), ["refreshed"]);
    let keys: Vec<_> = s.changes_since(before, 10).await.unwrap().into_iter().map(|change| change.key).collect();
    assert_eq!(keys.len(), 3, "a client, the identity, and the person that it makes: {keys:?}");
    assert_eq!(s.identity("oidc/ann").await.unwrap(), Some(identity("oidc/ann")));
}

/// Longer than any test.
const LONG_MS: i64 = 3_600_000;

pub(super) async fn a_lease_has_one_holder(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.take_lease("upkeep", "a", LONG_MS).await, Ok(true));
    assert_eq!(s.take_lease("upkeep", "b", LONG_MS).await, Ok(false));
    assert_eq!(s.take_lease("upkeep", "a", LONG_MS).await, Ok(true), "whoever has it takes it again");
    assert_eq!(s.take_lease("other", "b", LONG_MS).await, Ok(true), "each has a name of its own");
    s.end_lease("upkeep", "b").await.unwrap();
    assert_eq!(s.take_lease("upkeep", "b", LONG_MS).await, Ok(false), "it was not b's to give back");
    s.end_lease("upkeep", "a").await.unwrap();
    assert_eq!(s.take_lease("upkeep", "b", LONG_MS).await, Ok(true));
    s.end_lease("nothing", "a").await.unwrap();
}

pub(super) async fn a_lease_that_has_ended_is_for_everybody(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.take_lease("upkeep", "a", 0).await, Ok(true));
    assert_eq!(s.take_lease("upkeep", "b", LONG_MS).await, Ok(true));
    assert_eq!(s.take_lease("upkeep", "a", LONG_MS).await, Ok(false));
    assert_eq!(s.take_lease("upkeep", "b", -1).await, Ok(true), "whoever has it may shorten it");
    assert_eq!(s.take_lease("upkeep", "a", LONG_MS).await, Ok(true));
}

pub(super) async fn of_many_who_take_a_lease_one_gets_it(store: Arc<dyn Store>) {
    let (s, holders) = (&*store, ["a", "b", "c", "d", "e", "f", "g", "h"]);
    let taken = at_once(holders.iter().map(|holder| s.take_lease("upkeep", holder, LONG_MS)).collect()).await;
    assert_eq!(taken.iter().filter(|taken| **taken == Ok(true)).count(), 1, "{taken:?}");
}
