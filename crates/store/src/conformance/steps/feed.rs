//! What steps leave in the change feed.

use std::sync::Arc;

use crate::conformance::samples::{NOW, account, client, decided, grant, identity, issuer, role, step, texts};
use crate::{AuditStart, Change, ChangeKind, Key, KeyKind, Revision, Step, Store, StoreError};

pub(crate) async fn the_feed_names_each_change_in_order(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    s.insert_issuer(&step(s, "x").await, &issuer("i")).await.unwrap();
    s.insert_grant(&step(s, "x").await, &grant("g", ""), None).await.unwrap();
    s.insert_account(&step(s, "x").await, &account("ann"), &identity("local/ann"), None).await.unwrap();
    s.delete_client(&step(s, "x").await, "a").await.unwrap();
    let expected: Vec<Change> = [
        (1, KeyKind::Client, "a", ChangeKind::Created),
        (2, KeyKind::Role, "r", ChangeKind::Created),
        (3, KeyKind::Issuer, "i", ChangeKind::Created),
        (4, KeyKind::Grant, "g", ChangeKind::Created),
        (5, KeyKind::Identity, "local/ann", ChangeKind::Created),
        (5, KeyKind::Person, "person-of-local/ann", ChangeKind::Created),
        (6, KeyKind::Client, "a", ChangeKind::Deleted),
    ]
    .into_iter()
    .map(|(revision, key_kind, key, what)| Change { revision: Revision(revision), key_kind, key: key.into(), what, at_ms: NOW })
    .collect();
    assert_eq!(s.changes_since(Revision(0), 100).await.unwrap(), expected);
    assert_eq!(s.changes_since(Revision(4), 100).await.unwrap(), expected[4..]);
    assert_eq!(s.changes_since(Revision(0), 2).await.unwrap(), expected[..2]);
    assert_eq!(s.changes_since(Revision(6), 100).await.unwrap(), []);
    assert_eq!(s.changes_since(Revision(7), 100).await, Err(StoreError::Stale));
}

pub(crate) async fn the_feed_tells_what_happened(store: Arc<dyn Store>) {
    let s = &*store;
    // A record that comes, changes, goes and comes again: each revision tells the truth about itself, however late it is read.
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    s.update_client(&step(s, "x").await, &client("a")).await.unwrap();
    s.delete_client(&step(s, "x").await, "a").await.unwrap();
    s.delete_client(&step(s, "x").await, "a").await.unwrap();
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    s.update_role(&step(s, "x").await, &role("r")).await.unwrap();
    s.delete_role(&step(s, "x").await, "r").await.unwrap();
    s.insert_grant(&step(s, "x").await, &grant("g", ""), None).await.unwrap();
    s.revoke_grants(&step(s, "x").await, &texts(&["g"]), "me", "").await.unwrap();
    s.put_identity(&step(s, "x").await, &identity("local/ann")).await.unwrap();
    s.put_identity(&step(s, "x").await, &identity("local/ann")).await.unwrap();
    s.replace_static_clients(&step(s, "x").await, &[client("static/a"), client("static/b")]).await.unwrap();
    let other = crate::ClientRecord { description: "other".into(), ..client("static/b") };
    s.replace_static_clients(&step(s, "x").await, &[other, client("static/c")]).await.unwrap();
    // Within a revision the order is that of the bytes, in every store: a position may lie between two rows.
    let roles = ["b", "a", "_", "B", "a b", "a:b"].map(role);
    s.insert_roles(&step(s, "x").await, &roles).await.unwrap();
    let changes = s.changes_since(Revision(0), 100).await.unwrap();
    let changes: Vec<String> = changes
        .iter()
        .map(|change| format!("{} {} {} {}", change.revision.0, change.key_kind.as_str(), change.key, change.what.as_str()))
        .collect();
    let expected = [
        "1 client a created",
        "2 client a updated",
        "3 client a deleted",
        "4 client a created",
        "5 role r created",
        "6 role r updated",
        "7 role r deleted",
        "8 grant g created",
        "9 grant g updated",
        "10 identity local/ann created",
        "10 person person-of-local/ann created",
        "11 identity local/ann updated",
        "12 client static/a created",
        "12 client static/b created",
        "13 client static/a deleted",
        "13 client static/b updated",
        "13 client static/c created",
        "14 role B created",
        "14 role _ created",
        "14 role a created",
        "14 role a b created",
        "14 role a:b created",
        "14 role b created",
    ];
    assert_eq!(changes, expected);
}

pub(crate) async fn the_feed_never_tears_a_revision(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "x").await, &role("first")).await.unwrap();
    s.insert_roles(&step(s, "x").await, &[role("a"), role("b"), role("c")]).await.unwrap();
    s.insert_role(&step(s, "x").await, &role("last")).await.unwrap();
    let revisions = |changes: Vec<Change>| changes.iter().map(|change| change.revision.0).collect::<Vec<_>>();
    assert_eq!(revisions(s.changes_since(Revision(0), 2).await.unwrap()), [1, 2, 2, 2]);
    assert_eq!(revisions(s.changes_since(Revision(1), 1).await.unwrap()), [2, 2, 2]);
    assert_eq!(revisions(s.changes_since(Revision(2), 1).await.unwrap()), [3]);
}

pub(crate) async fn a_pruned_feed_says_so(store: Arc<dyn Store>) {
    let s = &*store;
    for id in ["a", "b"] {
        s.insert_client(&step(s, "x").await, &client(id)).await.unwrap();
    }
    s.prune(NOW).await.unwrap();
    assert_eq!(s.changes_since(Revision(0), 10).await.unwrap().len(), 2, "young changes stay");
    let year_later = NOW + 365 * 86_400_000;
    s.insert_client(&Step { at_ms: year_later, ..step(s, "x").await }, &client("c")).await.unwrap();
    s.prune(year_later).await.unwrap();
    assert_eq!(s.changes_since(Revision(0), 10).await, Err(StoreError::Stale));
    assert_eq!(s.changes_since(Revision(2), 10).await.unwrap().len(), 1);
    // Nobody knows any more whether it is: so it is.
    let old = decided(Revision(1), &[Key::Client("never-changed".into())], "x");
    assert_eq!(s.insert_client(&old, &client("late")).await, Err(StoreError::Stale));
    assert_eq!(s.revision().await, Ok(Revision(3)));
    assert_eq!(s.load().await.unwrap().clients.len(), 3);
    assert_eq!(s.actor_history("suite/actor", AuditStart::Offset(0), 10).await.unwrap().len(), 3, "history stays");
    s.prune(year_later * 2).await.unwrap();
    assert_eq!(s.changes_since(Revision(3), 10).await, Ok(vec![]));
    s.insert_client(&step(s, "x").await, &client("d")).await.unwrap();
    assert_eq!(s.changes_since(Revision(3), 10).await.unwrap().len(), 1);
}
