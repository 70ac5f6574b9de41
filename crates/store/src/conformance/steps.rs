//! What every step promises.

use std::sync::Arc;

use serde_json::json;

use super::at_once;
use super::samples::{NOW, account, client, decided, grant, identity, issuer, role, step, texts};
use crate::{AuditStart, Change, ChangeKind, ClientRecord, Key, KeyKind, Revision, Step, Store, StoreError, Write};

pub(super) async fn an_empty_store_is_at_revision_zero(store: Arc<dyn Store>) {
    assert_eq!(store.revision().await, Ok(Revision(0)));
    let loaded = store.load().await.unwrap();
    assert_eq!((loaded.revision, loaded.highest_ms), (Revision(0), 0));
    assert!(loaded.clients.is_empty() && loaded.roles.is_empty() && loaded.grants.is_empty());
    assert!(loaded.issuers.is_empty() && loaded.identities.is_empty());
    assert_eq!(store.changes_since(Revision(0), 10).await, Ok(vec![]));
}

pub(super) async fn each_step_makes_the_next_revision(store: Arc<dyn Store>) {
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
    assert_eq!(s.update_account(&step(s, "x").await, &account("ann"), &identity("local/ann")).await, Ok(Revision(12)));
    assert_eq!(s.retire_issuer(&step(s, "x").await, "i").await, Ok(Revision(13)));
    assert_eq!(s.revision().await, Ok(Revision(13)));
    assert_eq!(s.load().await.unwrap().revision, Revision(13));
}

pub(super) async fn a_step_is_stale_when_what_it_depends_on_has_changed(store: Arc<dyn Store>) {
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
        let again = Step { decided_at: s.revision().await.unwrap(), ..late };
        s.insert_client(&again, &client(&format!("late-{round}"))).await.unwrap();
    }
}

pub(super) async fn a_step_is_not_stale_when_something_else_has_changed(store: Arc<dyn Store>) {
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

pub(super) async fn a_step_from_the_future_is_stale(store: Arc<dyn Store>) {
    let late = decided(Revision(1), &[], "x");
    assert_eq!(store.insert_client(&late, &client("a")).await, Err(StoreError::Stale));
}

pub(super) async fn a_stale_step_leaves_nothing(store: Arc<dyn Store>) {
    let s = &*store;
    let before = s.revision().await.unwrap();
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    let late = Step { at_ms: NOW + 5, ..decided(before, &[Key::Role], "late") };
    assert_eq!(s.insert_client(&late, &client("a")).await, Err(StoreError::Stale));
    nothing_came_of_it(s, Revision(1)).await;
}

pub(super) async fn a_conflict_leaves_nothing(store: Arc<dyn Store>) {
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

pub(super) async fn the_highest_time_never_falls(store: Arc<dyn Store>) {
    let s = &*store;
    for (index, (at_ms, highest)) in [(500, 500), (900, 900), (700, 900), (901, 901)].into_iter().enumerate() {
        let step = Step { at_ms, ..step(s, "x").await };
        s.insert_role(&step, &role(&format!("r{index}"))).await.unwrap();
        assert_eq!(s.load().await.unwrap().highest_ms, highest);
    }
}

pub(super) async fn the_feed_names_each_change_in_order(store: Arc<dyn Store>) {
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

pub(super) async fn the_feed_tells_what_happened(store: Arc<dyn Store>) {
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
    let told = s.changes_since(Revision(0), 100).await.unwrap();
    let told: Vec<String> = told
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
    assert_eq!(told, expected);
}

pub(super) async fn the_feed_never_tears_a_revision(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "x").await, &role("first")).await.unwrap();
    s.insert_roles(&step(s, "x").await, &[role("a"), role("b"), role("c")]).await.unwrap();
    s.insert_role(&step(s, "x").await, &role("last")).await.unwrap();
    let revisions = |changes: Vec<Change>| changes.iter().map(|change| change.revision.0).collect::<Vec<_>>();
    assert_eq!(revisions(s.changes_since(Revision(0), 2).await.unwrap()), [1, 2, 2, 2]);
    assert_eq!(revisions(s.changes_since(Revision(1), 1).await.unwrap()), [2, 2, 2]);
    assert_eq!(revisions(s.changes_since(Revision(2), 1).await.unwrap()), [3]);
}

pub(super) async fn a_pruned_feed_says_so(store: Arc<dyn Store>) {
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

pub(super) async fn audit_rows_tell_who_did_what(store: Arc<dyn Store>) {
    let s = &*store;
    let detail = json!({"was": ["a", 1, null, "Ω"], "z": true, "a": {}});
    let told = Step { grant: Some("g1".into()), detail: Some(detail.clone()), actor: "who/ever".into(), ..step(s, "made").await };
    s.insert_client(&told, &client("a/b")).await.unwrap();
    let rows = s.entity_history("client", "a/b", AuditStart::Offset(0), 10).await.unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.revision, row.at_ms), (Revision(1), NOW));
    assert_eq!((row.actor.as_str(), row.grant.as_deref(), row.action.as_str()), ("who/ever", Some("g1"), "made"));
    assert_eq!((row.entity_type.as_str(), row.entity_id.as_str()), ("client", "a/b"));
    assert_eq!(row.detail.as_ref(), Some(&detail));
    assert_eq!(s.actor_history("who/ever", AuditStart::Offset(0), 10).await.unwrap(), rows);
    assert!(s.entity_history("role", "a/b", AuditStart::Offset(0), 10).await.unwrap().is_empty());
    assert!(s.actor_history("who", AuditStart::Offset(0), 10).await.unwrap().is_empty());
}

pub(super) async fn histories_are_paged_oldest_first(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "0").await, &role("r")).await.unwrap();
    for action in ["1", "2", "3", "4"] {
        // The clock may step back; the order is that of the steps.
        let at_ms = NOW - action.parse::<i64>().unwrap();
        s.update_role(&Step { at_ms, ..step(s, action).await }, &role("r")).await.unwrap();
        s.insert_role(&step(s, "noise").await, &role(action)).await.unwrap();
    }
    let page = async |offset, limit| {
        let rows = s.entity_history("role", "r", AuditStart::Offset(offset), limit).await.unwrap();
        rows.into_iter().map(|row| row.action).collect::<Vec<_>>()
    };
    assert_eq!(page(0, 10).await, ["0", "1", "2", "3", "4"]);
    assert_eq!(page(0, 2).await, ["0", "1"]);
    assert_eq!(page(2, 2).await, ["2", "3"]);
    assert_eq!(page(4, 2).await, ["4"]);
    assert_eq!(page(5, 2).await, [""; 0]);
    assert_eq!(s.actor_history("suite/actor", AuditStart::Offset(8), 5).await.unwrap().len(), 1);
}

pub(super) async fn a_history_goes_on_behind_a_row_that_is_gone(store: Arc<dyn Store>) {
    let s = &*store;
    for (action, at_ms) in [("0", NOW), ("1", NOW + 1), ("2", NOW + 2), ("3", NOW + 3)] {
        s.insert_role(&Step { at_ms, ..step(s, action).await }, &role(action)).await.unwrap();
    }
    let rows = s.actor_history("suite/actor", AuditStart::Offset(0), 2).await.unwrap();
    let last = rows[1].number;
    assert!(rows[0].number > 0 && rows[0].number < last, "numbers grow");
    // With offsets, what is removed before the second part is asked for would make two rows disappear from it.
    assert_eq!(s.prune_audit(NOW + 2, 10).await, Ok(2));
    let behind = async |number| {
        let rows = s.actor_history("suite/actor", AuditStart::After(number), 10).await.unwrap();
        rows.into_iter().map(|row| row.action).collect::<Vec<_>>()
    };
    assert_eq!(behind(last).await, ["2", "3"]);
    let rows = s.entity_history("role", "3", AuditStart::After(last), 10).await.unwrap();
    assert_eq!(s.prune_audit(NOW + 100, 10).await, Ok(1), "the newest row stays");
    assert_eq!(behind(last).await, ["3"]);
    s.insert_role(&step(s, "4").await, &role("4")).await.unwrap();
    assert_eq!(behind(rows[0].number).await, ["4"], "no number is given twice");
}

pub(super) async fn a_time_that_is_accepted_counts_although_a_later_one_was_stored(store: Arc<dyn Store>) {
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

pub(super) async fn history_is_pruned_oldest_first_and_in_bounded_steps(store: Arc<dyn Store>) {
    let s = &*store;
    // The clock stepped back once: what counts is the time of the row.
    for (index, at_ms) in [(1, NOW), (2, NOW + 30), (3, NOW + 10), (4, NOW + 20), (5, NOW + 40)] {
        s.insert_role(&Step { at_ms, ..step(s, &format!("made {index}")).await }, &role(&format!("r{index}"))).await.unwrap();
    }
    let left = async || {
        let rows = s.actor_history("suite/actor", AuditStart::Offset(0), 10).await.unwrap();
        rows.into_iter().map(|row| row.action).collect::<Vec<_>>()
    };
    assert_eq!(s.prune_audit(NOW, 10).await, Ok(0), "what happened at the instant is not before it");
    assert_eq!(s.prune_audit(NOW + 30, 2).await, Ok(2));
    assert_eq!(left().await, ["made 2", "made 4", "made 5"]);
    assert_eq!(s.prune_audit(NOW + 30, 2).await, Ok(1));
    assert_eq!(s.prune_audit(NOW + 30, 2).await, Ok(0));
    assert_eq!(left().await, ["made 2", "made 5"]);
    assert_eq!(s.entity_history("role", "r1", AuditStart::Offset(0), 10).await, Ok(vec![]));
    assert_eq!(s.revision().await, Ok(Revision(5)), "it is no step");
    assert_eq!(s.changes_since(Revision(0), 10).await.unwrap().len(), 5, "the feed is another thing");
    assert_eq!(s.load().await.unwrap().roles.len(), 5);
}

pub(super) async fn concurrent_writers_lose_nothing(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "x").await, &role("counter")).await.unwrap();
    let writers = 16;
    let mut futures: Vec<std::pin::Pin<Box<dyn Future<Output = u32> + Send + '_>>> = Vec::new();
    for writer in 0..writers {
        futures.push(Box::pin(async move {
            let mut tries = 0;
            loop {
                tries += 1;
                let loaded = s.load().await.unwrap();
                let mut counter = loaded.roles[0].clone();
                counter.scopes.push(format!("writer:{writer}"));
                match s.update_role(&decided(loaded.revision, &[Key::Role], "count"), &counter).await {
                    Ok(_) => return tries,
                    Err(StoreError::Stale) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        }));
    }
    at_once(futures).await;
    let mut counted = s.load().await.unwrap().roles[0].scopes.split_off(2);
    counted.sort();
    let mut expected: Vec<String> = (0..writers).map(|writer| format!("writer:{writer}")).collect();
    expected.sort();
    assert_eq!(counted, expected);
    assert_eq!(s.revision().await, Ok(Revision(1 + writers)));
}

pub(super) async fn steps_together_are_as_one_after_the_other(store: Arc<dyn Store>) {
    let s = &*store;
    let at = |revision, action| decided(Revision(revision), &[], action);
    let steps = vec![
        (at(0, "first"), Write::InsertClient(client("a"))),
        (at(1, "second"), Write::UpdateClient(ClientRecord { disabled: true, ..client("a") })),
        (at(2, "third"), Write::NoteRepeat("client".to_owned(), "a".to_owned())),
        (at(2, "fourth"), Write::InsertRoles(vec![role("r"), role("q")])),
        (Step { at_ms: NOW + 5, ..at(3, "fifth") }, Write::DeleteClient("nobody".to_owned())),
        (at(3, "sixth"), Write::DeleteRole("q".to_owned())),
    ];
    assert_eq!(s.commit(steps).await, Ok([1, 2, 2, 3, 3, 4].map(Revision).to_vec()));
    let loaded = s.load().await.unwrap();
    assert_eq!((loaded.revision, loaded.highest_ms), (Revision(4), NOW + 5));
    assert_eq!((loaded.clients, loaded.roles), (vec![ClientRecord { disabled: true, ..client("a") }], vec![role("r")]));
    let changes = s.changes_since(Revision(0), 10).await.unwrap();
    let told: Vec<_> = changes.iter().map(|change| (change.revision.0, change.key.as_str(), change.what)).collect();
    use ChangeKind::{Created, Deleted, Updated};
    assert_eq!(told, [(1, "a", Created), (2, "a", Updated), (3, "q", Created), (3, "r", Created), (4, "q", Deleted)]);
    let history = s.entity_history("client", "a", AuditStart::Offset(0), 10).await.unwrap();
    let audited: Vec<_> = history.iter().map(|entry| (entry.revision.0, entry.action.as_str())).collect();
    assert_eq!(audited, [(1, "first"), (2, "second"), (2, "third")]);
    assert_eq!(s.commit(Vec::new()).await, Ok(Vec::new()));
}

pub(super) async fn steps_together_happen_all_or_none(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "x").await, &client("there")).await.unwrap();
    let at = |revision| decided(Revision(revision), &[], "x");
    let bad = [
        (Write::InsertClient(client("there")), StoreError::Conflict),
        (Write::UpdateRole(role("nobody")), StoreError::Conflict),
        (Write::RetireIssuer("nobody".to_owned()), StoreError::Conflict),
    ];
    for (write, error) in bad {
        for place in 0..3 {
            let mut steps: Vec<_> = (0..2).map(|n| Write::InsertClient(client(&format!("new{n}")))).collect();
            steps.insert(place, write.clone());
            let steps = steps.into_iter().zip(1..).map(|(write, revision)| (at(revision), write)).collect();
            assert_eq!(s.commit(steps).await, Err(error.clone()), "{write:?} at {place}");
            assert_eq!(s.load().await.unwrap().clients, [client("there")]);
            assert_eq!(
                (s.revision().await, s.actor_history("suite/actor", AuditStart::Offset(0), 10).await.unwrap().len()),
                (Ok(Revision(1)), 1)
            );
        }
    }
}

pub(super) async fn steps_together_begin_at_the_present_revision(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    s.insert_client(&step(s, "x").await, &client("b")).await.unwrap();
    let pair = |first, second| {
        let of = |revision, id: &str| (decided(Revision(revision), &[], "x"), Write::InsertClient(client(id)));
        vec![of(first, "c"), of(second, "d")]
    };
    // Nothing that they depend on has changed: one alone could be taken.
    for (first, second) in [(1, 2), (0, 3), (2, 2), (2, 4), (3, 4)] {
        assert_eq!(s.commit(pair(first, second)).await, Err(StoreError::Stale), "{first}, {second}");
    }
    assert_eq!(s.load().await.unwrap().clients.len(), 2);
    assert_eq!(s.commit(pair(2, 3)).await, Ok(vec![Revision(3), Revision(4)]));
}
