//! What a node that follows is given.

use std::sync::Arc;

use crate::conformance::samples::{NOW, client, grant, identity, issuer, role, step, texts};
use crate::{ChangedRecords, Epoch, GrantRecord, History, KeyKind, Revision, Store, StoreError};

pub(crate) async fn changed_records_are_what_is_there_now(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "x").await, &client("before")).await.unwrap();
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    s.insert_issuer(&step(s, "x").await, &issuer("i")).await.unwrap();
    s.insert_grant(&step(s, "x").await, &grant("g", ""), None).await.unwrap();
    s.put_identity(&step(s, "x").await, &identity("local/ann")).await.unwrap();
    s.insert_role(&step(s, "x").await, &role("s")).await.unwrap();
    s.revoke_grants(&step(s, "x").await, &texts(&["g"]), "me", "why").await.unwrap();
    s.delete_role(&step(s, "x").await, "s").await.unwrap();
    s.delete_client(&step(s, "x").await, "a").await.unwrap();
    s.retire_issuer(&step(s, "x").await, "i").await.unwrap();
    let changed = s.changed_records(Revision(1), 100).await.unwrap();
    let loaded = s.load().await.unwrap();
    assert_eq!((changed.history, changed.up_to, changed.present), (loaded.history, Revision(11), Revision(11)));
    assert_eq!(changed.highest_ms, NOW);
    // What comes and goes meanwhile is named once, as it is now.
    let mut records = changed.records;
    records.gone.sort_by(|one, other| one.1.cmp(&other.1));
    let expected = ChangedRecords {
        roles: loaded.roles.clone(),
        issuers: loaded.issuers.clone(),
        grants: vec![s.grant("g").await.unwrap().unwrap()],
        identities: loaded.identities.clone(),
        people: loaded.people.clone(),
        gone: vec![(KeyKind::Client, "a".into()), (KeyKind::Role, "s".into())],
        ..ChangedRecords::default()
    };
    assert_eq!((records.len(), &records), (7, &expected));
    assert!(loaded.issuers[0].retired_ms.is_some() && records.grants[0].revoked_ms.is_some());
}

pub(crate) async fn changed_records_come_in_bounded_parts(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_roles(&step(s, "x").await, &[role("a"), role("b"), role("c")]).await.unwrap();
    s.insert_role(&step(s, "x").await, &role("d")).await.unwrap();
    s.insert_role(&step(s, "x").await, &role("e")).await.unwrap();
    let roles = |role| ChangedRecords { roles: vec![role], ..ChangedRecords::default() };
    // The rows of one revision stay together.
    let first = s.changed_records(Revision(0), 2).await.unwrap();
    assert_eq!((first.records.len(), first.up_to, first.present), (3, Revision(1), Revision(3)));
    let second = s.changed_records(first.up_to, 1).await.unwrap();
    assert_eq!((second.records, second.up_to), (roles(role("d")), Revision(2)));
    let third = s.changed_records(second.up_to, 2).await.unwrap();
    assert_eq!((third.records, third.up_to, third.present), (roles(role("e")), Revision(3), Revision(3)));
    let none = s.changed_records(third.up_to, 1).await.unwrap();
    assert_eq!((none.records, none.up_to, none.present), (ChangedRecords::default(), Revision(3), Revision(3)));
}

pub(crate) async fn changed_records_are_stale_where_the_feed_has_a_gap(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    assert_eq!(s.changed_records(Revision(2), 10).await, Err(StoreError::Stale), "ahead");
    s.prune(NOW + 365 * 86_400_000).await.unwrap();
    assert_eq!(s.changed_records(Revision(0), 10).await, Err(StoreError::Stale), "pruned");
    assert_eq!(s.changed_records(Revision(1), 10).await.unwrap().records, ChangedRecords::default());
}

pub(crate) async fn a_grant_that_ended_long_ago_is_named_as_gone(store: Arc<dyn Store>) {
    let s = &*store;
    let old = GrantRecord { expires_ms: NOW - 32 * 86_400_000, ..grant("old", "") };
    s.insert_grant(&step(s, "x").await, &old, None).await.unwrap();
    let changed = s.changed_records(Revision(0), 10).await.unwrap();
    assert_eq!(changed.records, ChangedRecords { gone: vec![(KeyKind::Grant, "old".into())], ..ChangedRecords::default() });
    assert_eq!(s.load().await.unwrap().grants, []);
}

pub(crate) async fn another_history_begins_once(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    let first = s.history().await.unwrap();
    assert_eq!(first.start, Revision(0));
    assert_ne!(first.epoch, Epoch::default());
    let second = s.begin_history(first.epoch, Revision(7)).await.unwrap();
    assert_ne!(second.epoch, first.epoch);
    assert_eq!(second.start, Revision(1));
    // Whoever comes too late finds the one that there is.
    assert_eq!(s.begin_history(first.epoch, Revision(7)).await, Ok(second));
    assert_eq!((s.history().await, s.revision().await), (Ok(second), Ok(Revision(1))));
    s.insert_role(&step(s, "x").await, &role("s")).await.unwrap();
    let History { epoch, start } = s.load().await.unwrap().history;
    assert_eq!((epoch, start), (second.epoch, Revision(1)));
    // Others have written to it before it was noticed.
    let third = s.begin_history(second.epoch, Revision(1)).await.unwrap();
    assert_eq!((third.start, s.revision().await), (Revision(1), Ok(Revision(2))));
    // One that began at 0 would be taken for the first one, which every plain revision is of.
    assert_eq!(s.begin_history(third.epoch, Revision(0)).await.unwrap().start, Revision(1));
}

pub(crate) async fn the_newest_revision_is_told_by_its_rows(store: Arc<dyn Store>) {
    let s = &*store;
    assert_eq!(s.changed_records(Revision(0), 10).await.unwrap().newest, []);
    s.insert_roles(&step(s, "x").await, &[role("a"), role("b")]).await.unwrap();
    s.insert_client(&step(s, "x").await, &client("c")).await.unwrap();
    s.insert_roles(&step(s, "x").await, &[role("d"), role("e")]).await.unwrap();
    let rows = s.changes_since(Revision(2), 10).await.unwrap();
    assert_eq!(rows.iter().map(|row| (row.revision, row.key.as_str())).collect::<Vec<_>>(), [(Revision(3), "d"), (Revision(3), "e")]);
    for (since, limit) in [(0, 1), (0, 10), (2, 10), (3, 10)] {
        assert_eq!(s.changed_records(Revision(since), limit).await.unwrap().newest, rows, "from {since}, {limit} rows");
    }
    assert_eq!(s.changes_since(Revision(2), 1).await.unwrap(), rows, "one revision is read again by itself");
}
