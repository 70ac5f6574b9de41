//! What every step promises: the next revision, or nothing.

use std::sync::Arc;

use crate::conformance::samples::{NOW, account, client, decided, grant, identity, issuer, role, step, texts};
use crate::{AuditStart, Key, Revision, Step, Store, StoreError};

pub(crate) async fn an_empty_store_is_at_revision_zero(store: Arc<dyn Store>) {
    assert_eq!(store.revision().await, Ok(Revision(0)));
    let loaded = store.load().await.unwrap();
    assert_eq!((loaded.revision, loaded.highest_ms), (Revision(0), 0));
    assert!(loaded.clients.is_empty() && loaded.roles.is_empty() && loaded.grants.is_empty());
    assert!(loaded.issuers.is_empty() && loaded.identities.is_empty());
    assert_eq!(store.changes_since(Revision(0), 10).await, Ok(vec![]));
}

pub(crate) async fn each_step_makes_the_next_revision(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.insert_client(&step(s, "x").await, &client("a")).await, Ok(Revision(1)));
    assert_eq!(s.update_client(&step(s, "x").await, &client("a")).await, Ok(Revision(2)));
    assert_eq!(s.delete_client(&step(s, "x").await, "a").await, Ok(Revision(3)));
    assert_eq!(s.insert_role(&step(s, "x").await, &role("r")).await, Ok(Revision(4)));
    assert_eq!(s.update_role(&step(s, "x").await, &role("r")).await, Ok(Revision(5)));
    assert_eq!(s.delete_role(&step(s, "x").await, "r").await, Ok(Revision(6)));
    assert_eq!(s.insert_issuer(&step(s, "x").await, &issuer("i")).await, Ok(Revision(7)));
    assert_eq!(s.insert_grant(&step(s, "x").await, &grant("g", ""), None).await, Ok(Revision(8)));
    assert_eq!(s.revoke_grants(&step(s, "x").await, &texts(&["g"]), "me", "").await, Ok(Revision(9)));
    assert_eq!(s.put_identity(&step(s, "x").await, &identity("local/ann")).await, Ok(Revision(10)));
    assert_eq!(s.insert_account(&step(s, "x").await, &account("ann"), &identity("local/ann"), None).await, Ok(Revision(11)));
    assert_eq!(s.update_account(&step(s, "x").await, &account("ann"), &identity("local/ann"), &[]).await, Ok(Revision(12)));
    assert_eq!(s.retire_issuer(&step(s, "x").await, "i").await, Ok(Revision(13)));
    assert_eq!(s.revision().await, Ok(Revision(13)));
    assert_eq!(s.load().await.unwrap().revision, Revision(13));
}

pub(crate) async fn a_step_is_stale_when_what_it_depends_on_has_changed(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    s.insert_grant(&step(s, "x").await, &grant("g", ""), None).await.unwrap();
    // Each round: something is read, then it changes, then the decision arrives.
    for round in 0..8 {
        let before = s.revision().await.unwrap();
        let now = step(s, "x").await;
        let key = match round {
            0 => s.update_client(&now, &client("a")).await.map(|_| Key::Client("a".into())),
            1 => s.delete_client(&now, "a").await.map(|_| Key::Client("a".into())),
            // That it was not there was part of the decision.
            2 => s.insert_client(&now, &client("b")).await.map(|_| Key::Client("b".into())),
            3 => s.insert_role(&now, &role("r")).await.map(|_| Key::Role),
            4 => s.update_role(&now, &role("r")).await.map(|_| Key::Role),
            5 => s.delete_role(&now, "r").await.map(|_| Key::Role),
            6 => s.revoke_grants(&now, &texts(&["g"]), "me", "").await.map(|_| Key::Grant("g".into())),
            _ => s.put_identity(&now, &identity("local/ann")).await.map(|_| Key::Identity("local/ann".into())),
        };
        let key = key.unwrap();
        let late = decided(before, &[Key::Client("other".into()), key.clone()], "late");
        assert_eq!(s.insert_client(&late, &client("late")).await, Err(StoreError::Stale), "{key:?}");
        // Much later it is still stale, and decided anew it is not.
        s.insert_client(&step(s, "x").await, &client(&format!("between-{round}"))).await.unwrap();
        assert_eq!(s.insert_client(&late, &client("late")).await, Err(StoreError::Stale), "{key:?}");
        let fresh = Step { decided_at: s.revision().await.unwrap(), ..late };
        s.insert_client(&fresh, &client(&format!("late-{round}"))).await.unwrap();
    }
}

pub(crate) async fn a_step_is_not_stale_when_something_else_has_changed(store: Arc<dyn Store>) {
    let s = &*store;
    let before = s.revision().await.unwrap();
    s.insert_client(&step(s, "x").await, &client("role")).await.unwrap();
    s.insert_issuer(&step(s, "x").await, &issuer("a")).await.unwrap();
    s.insert_grant(&step(s, "x").await, &grant("a", ""), None).await.unwrap();
    s.put_identity(&step(s, "x").await, &identity("local/a")).await.unwrap();
    // The same word under another kind is another key.
    let keys = [
        Key::Role,
        Key::Client("a".into()),
        Key::Client("local/a".into()),
        Key::Grant("role".into()),
        Key::Grant("local/a".into()),
        Key::Identity("a".into()),
    ];
    s.insert_client(&decided(before, &keys, "x"), &client("late")).await.unwrap();
    s.insert_role(&decided(before, &[], "x"), &role("depends-on-nothing")).await.unwrap();
}

pub(crate) async fn a_step_from_the_future_is_stale(store: Arc<dyn Store>) {
    let late = decided(Revision(1), &[], "x");
    assert_eq!(store.insert_client(&late, &client("a")).await, Err(StoreError::Stale));
}

pub(crate) async fn a_stale_step_leaves_nothing(store: Arc<dyn Store>) {
    let s = &*store;
    let before = s.revision().await.unwrap();
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    let late = Step { at_ms: NOW + 5, ..decided(before, &[Key::Role], "late") };
    assert_eq!(s.insert_client(&late, &client("a")).await, Err(StoreError::Stale));
    nothing_came_of_it(s, Revision(1)).await;
}

pub(crate) async fn a_conflict_leaves_nothing(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    let late = Step { at_ms: NOW + 5, ..step(s, "late").await };
    // The first of the two could be written.
    assert_eq!(s.insert_roles(&late, &[role("new"), role("r")]).await, Err(StoreError::Conflict));
    assert_eq!(s.update_client(&late, &client("a")).await, Err(StoreError::Conflict));
    assert_eq!(s.replace_static_clients(&late, &[client("static/a"), client("b")]).await, Err(StoreError::Conflict));
    nothing_came_of_it(s, Revision(1)).await;
}

/// The store holds the role `r` of revision 1 and no trace of later steps.
async fn nothing_came_of_it(store: &dyn Store, revision: Revision) {
    let loaded = store.load().await.unwrap();
    assert_eq!((loaded.revision, loaded.highest_ms), (revision, NOW));
    assert_eq!((loaded.roles.len(), loaded.clients.len()), (1, 0));
    assert_eq!(store.changes_since(Revision(0), 10).await.unwrap().len(), 1);
    assert_eq!(store.actor_history("suite/actor", AuditStart::Offset(0), 10).await.unwrap().len(), 1);
}

pub(crate) async fn the_highest_time_never_falls(store: Arc<dyn Store>) {
    let s = &*store;
    for (index, (at_ms, highest)) in [(500, 500), (900, 900), (700, 900), (901, 901)].into_iter().enumerate() {
        let step = Step { at_ms, ..step(s, "x").await };
        s.insert_role(&step, &role(&format!("r{index}"))).await.unwrap();
        assert_eq!(s.load().await.unwrap().highest_ms, highest);
    }
}

pub(crate) async fn a_time_that_is_accepted_counts_although_a_later_one_was_stored(store: Arc<dyn Store>) {
    let s = &*store;
    let ahead_ms = NOW + 1_000_000_000;
    s.insert_role(&Step { at_ms: ahead_ms, ..step(s, "x").await }, &role("r")).await.unwrap();
    s.insert_role(&step(s, "x").await, &role("q")).await.unwrap();
    assert_eq!(s.load().await.unwrap().highest_ms, ahead_ms, "an earlier time lowers nothing by itself");
    assert_eq!(s.accept_time(&step(s, "accepted").await).await, Ok(Revision(3)));
    let loaded = s.load().await.unwrap();
    assert_eq!((loaded.highest_ms, loaded.revision), (NOW, Revision(3)));
    let rows = s.entity_history("clock", "clock", AuditStart::Offset(0), 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.action.as_str(), row.at_ms, row.revision)).collect::<Vec<_>>(), [("accepted", NOW, Revision(3))]);
    s.insert_role(&Step { at_ms: NOW + 1, ..step(s, "x").await }, &role("p")).await.unwrap();
    assert_eq!(s.load().await.unwrap().highest_ms, NOW + 1);
}
