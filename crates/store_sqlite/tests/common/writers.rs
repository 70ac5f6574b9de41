//! A process that writes without pause, prints each write that was acknowledged, and what must hold of what it leaves behind.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use falconer_store::{AuditStart, Change, KeyKind, Loaded, Revision, Step, Store, StoreError};
use falconer_store_sqlite::SqliteStore;

pub const WRITERS: u64 = 4;

/// `<revision> <kind> <key> <put|gone> <description>`, as the child prints it.
pub type Acknowledged = BTreeMap<i64, (String, String, bool, String)>;

/// Takes down a line that the process has printed; false where it was cut off.
pub fn take_down(line: &str, acknowledged: &mut Acknowledged) -> bool {
    let parts: Vec<&str> = line.split(' ').collect();
    let [revision, kind, key, state, description, "END"] = parts[..] else {
        return false;
    };
    let entry = (kind.to_owned(), key.to_owned(), state == "put", description.to_owned());
    assert_eq!(acknowledged.insert(revision.parse().unwrap(), entry), None, "a revision was given twice");
    true
}

/// Opens what the child left, and holds it against what the child was told.
pub fn check(path: &Path, acknowledged: &Acknowledged) {
    let store = super::open(path);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let loaded = store.load().await.unwrap();
        let newest = acknowledged.last_key_value().map_or(0, |(revision, _)| *revision);
        // A write may have been committed whose answer nobody heard: each writer waits for one at most, in each round.
        assert!(loaded.revision.0 >= newest, "revision {:?} is older than {newest}", loaded.revision);

        let changes = store.changes_since(Revision(0), u32::MAX).await.unwrap();
        let numbers: Vec<i64> = changes.iter().map(|change| change.revision.0).collect();
        assert_eq!(numbers, (1..=loaded.revision.0).collect::<Vec<_>>(), "each revision has its change");
        for (revision, (kind, key, _, _)) in acknowledged {
            let change = &changes[usize::try_from(*revision).unwrap() - 1];
            assert_eq!((change.key_kind.as_str(), &change.key), (kind.as_str(), key), "revision {revision}");
        }
        check_audit(&store, &changes).await;
        check_records(&loaded, &changes, acknowledged);
    });
}

/// The audit history says the same as the change feed, row by row.
async fn check_audit(store: &SqliteStore, changes: &[Change]) {
    let mut audited = Vec::new();
    for writer in 0..WRITERS {
        for row in store.actor_history(&actor(writer), AuditStart::Offset(0), u32::MAX).await.unwrap() {
            audited.push((row.revision.0, row.entity_type, row.entity_id));
        }
    }
    audited.sort();
    let changed: Vec<_> =
        changes.iter().map(|change| (change.revision.0, change.key_kind.as_str().to_owned(), change.key.clone())).collect();
    assert_eq!(audited, changed);
}

/// Each record is as its last change left it, where that change was acknowledged.
fn check_records(loaded: &Loaded, changes: &[Change], acknowledged: &Acknowledged) {
    let mut records: BTreeMap<(KeyKindWord, &str), &str> = BTreeMap::new();
    records.extend(loaded.clients.iter().map(|c| ((KeyKind::Client.as_str(), c.client_id.as_str()), c.description.as_str())));
    records.extend(loaded.roles.iter().map(|r| ((KeyKind::Role.as_str(), r.role_id.as_str()), r.description.as_str())));
    let last: BTreeMap<_, _> = changes.iter().map(|c| ((c.key_kind.as_str(), c.key.as_str()), c.revision.0)).collect();
    for (key, revision) in last {
        let Some((_, _, put, description)) = acknowledged.get(&revision) else {
            continue;
        };
        let expected = put.then_some(description.as_str());
        assert_eq!(records.get(&key).copied(), expected, "{key:?} after revision {revision}");
    }
}

type KeyKindWord = &'static str;

fn actor(writer: u64) -> String {
    format!("writer/{writer}")
}

/// Writes until it is killed.
pub fn write(path: &Path) {
    let store = super::open(path);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        tokio::join!(write_on(&store, 0), write_on(&store, 1), write_on(&store, 2), write_on(&store, 3));
    });
}

async fn write_on(store: &SqliteStore, writer: u64) {
    // A small generator of its own, so that the writers do different things in each life of the process.
    let mut state = store.revision().await.unwrap().0 as u64 * WRITERS + writer + 1;
    // Far more than the parent waits for; and an end, should it wait for something else.
    for _ in 0..2_000 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let number = state >> 33;
        let key = format!("w{writer}/{}", number % 5);
        let description = format!("d{number}");
        let now = store.revision().await.unwrap();
        let step = Step { actor: actor(writer), ..super::step(store, "x").await };
        let client = falconer_store::ClientRecord { description: description.clone(), ..super::client(&key) };
        let role = falconer_store::RoleRecord { description: description.clone(), ..super::role(&key) };
        let (kind, put, outcome) = match number / 5 % 5 {
            0 | 1 => (
                "client",
                true,
                match store.insert_client(&step, &client).await {
                    Err(StoreError::Conflict) => store.update_client(&step, &client).await,
                    other => other,
                },
            ),
            2 | 3 => (
                "role",
                true,
                match store.insert_role(&step, &role).await {
                    Err(StoreError::Conflict) => store.update_role(&step, &role).await,
                    other => other,
                },
            ),
            _ if store.client(&key).await.unwrap().is_some() => ("client", false, store.delete_client(&step, &key).await),
            _ => continue,
        };
        let revision = outcome.unwrap();
        assert!(revision > now);
        let state = if put { "put" } else { "gone" };
        // One write call for the whole line, so that lines of the writers never mix.
        let line = format!("{} {kind} {key} {state} {description} END\n", revision.0);
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
        std::io::stdout().flush().unwrap();
    }
}
