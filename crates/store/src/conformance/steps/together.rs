//! Several steps at once, in one transaction or from many writers.

use std::sync::Arc;

use crate::conformance::at_once::at_once;
use crate::conformance::samples::{NOW, client, decided, role, step};
use crate::{AuditStart, ChangeKind, ClientRecord, Committed, Key, Revision, Step, Store, StoreError, Write};

pub(crate) async fn concurrent_writers_lose_nothing(store: Arc<dyn Store>) {
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

pub(crate) async fn steps_together_are_as_one_after_the_other(store: Arc<dyn Store>) {
    let s = &*store;
    let epoch = s.history().await.unwrap().epoch;
    let at = |revision, action| decided(Revision(revision), &[], action);
    let steps = vec![
        (at(0, "first"), Write::InsertClient(client("a"))),
        (at(1, "second"), Write::UpdateClient(ClientRecord { disabled: true, ..client("a") })),
        (at(2, "third"), Write::NoteRepeat("client".to_owned(), "a".to_owned())),
        (at(2, "fourth"), Write::InsertRoles(vec![role("r"), role("q")])),
        (Step { at_ms: NOW + 5, ..at(3, "fifth") }, Write::DeleteClient("nobody".to_owned())),
        (at(3, "sixth"), Write::DeleteRole("q".to_owned())),
    ];
    let committed = Committed { found: Revision(0), revisions: [1, 2, 2, 3, 3, 4].map(Revision).to_vec() };
    assert_eq!(s.commit(epoch, steps).await, Ok(committed));
    let loaded = s.load().await.unwrap();
    assert_eq!((loaded.revision, loaded.highest_ms), (Revision(4), NOW + 5));
    assert_eq!((loaded.clients, loaded.roles), (vec![ClientRecord { disabled: true, ..client("a") }], vec![role("r")]));
    let changes = s.changes_since(Revision(0), 10).await.unwrap();
    let in_short: Vec<_> = changes.iter().map(|change| (change.revision.0, change.key.as_str(), change.what)).collect();
    use ChangeKind::{Created, Deleted, Updated};
    assert_eq!(in_short, [(1, "a", Created), (2, "a", Updated), (3, "q", Created), (3, "r", Created), (4, "q", Deleted)]);
    let history = s.entity_history("client", "a", AuditStart::Offset(0), 10).await.unwrap();
    let audited: Vec<_> = history.iter().map(|entry| (entry.revision.0, entry.action.as_str())).collect();
    assert_eq!(audited, [(1, "first"), (2, "second"), (2, "third")]);
    assert_eq!(s.commit(epoch, Vec::new()).await, Ok(Committed::default()));
}

pub(crate) async fn steps_together_happen_all_or_none(store: Arc<dyn Store>) {
    let s = &*store;
    let epoch = s.history().await.unwrap().epoch;
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
            assert_eq!(s.commit(epoch, steps).await, Err(error.clone()), "{write:?} at {place}");
            assert_eq!(s.load().await.unwrap().clients, [client("there")]);
            assert_eq!(
                (s.revision().await, s.actor_history("suite/actor", AuditStart::Offset(0), 10).await.unwrap().len()),
                (Ok(Revision(1)), 1)
            );
        }
    }
}

pub(crate) async fn steps_together_begin_at_the_present_revision(store: Arc<dyn Store>) {
    let s = &*store;
    let epoch = s.history().await.unwrap().epoch;
    s.insert_client(&step(s, "x").await, &client("a")).await.unwrap();
    s.insert_client(&step(s, "x").await, &client("b")).await.unwrap();
    let pair = |first, second| {
        let of = |revision, id: &str| (decided(Revision(revision), &[], "x"), Write::InsertClient(client(id)));
        vec![of(first, "c"), of(second, "d")]
    };
    // Nothing that they depend on has changed: one alone could be taken.
    for (first, second) in [(1, 2), (0, 3), (2, 2), (2, 4), (3, 4)] {
        assert_eq!(s.commit(epoch, pair(first, second)).await, Err(StoreError::Stale), "{first}, {second}");
    }
    assert_eq!(s.load().await.unwrap().clients.len(), 2);
    assert_eq!(s.commit(epoch, pair(2, 3)).await, Ok(Committed { found: Revision(2), revisions: vec![Revision(3), Revision(4)] }));
}

/// A server that had not heard of a restored backup wrote what it had decided on the past that was lost, where the revision happened to have the same number.
pub(crate) async fn steps_of_another_history_are_stale(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "x").await, &role("r")).await.unwrap();
    let before = s.history().await.unwrap().epoch;
    let begun = s.begin_history(before, Revision(1)).await.unwrap();
    let delete = || vec![(decided(Revision(1), &[Key::Role], "x"), Write::DeleteRole("r".to_owned()))];
    assert_eq!(s.commit(before, delete()).await, Err(StoreError::Stale));
    assert_eq!(s.load().await.unwrap().roles, [role("r")]);
    assert_eq!(s.commit(begun.epoch, delete()).await, Ok(Committed { found: Revision(1), revisions: vec![Revision(2)] }));
}
