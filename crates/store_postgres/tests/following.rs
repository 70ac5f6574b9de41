//! A node follows the others also while its other connections wait for something.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{keys, open, random, server};
use std::sync::atomic::{AtomicBool, Ordering};

use falconer_store::{Details, Revision, RoleRecord, Step, Store, StoreError, Write};
use falconer_store_postgres::PostgresStore;
use tokio_postgres::NoTls;

/// Whoever asked for enough that waits (strangers with cookies of sessions, while something holds that table) kept all connections, also those by which a server
/// looks for what others have revoked: it was cut off, and authenticated nobody.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_node_follows_while_all_other_connections_are_busy() {
    let url = server().schema().await;
    let store = Arc::new(PostgresStore::open(&url, None, keys(), random()).await.unwrap());
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let asking: Vec<_> = (0..20)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.session(&format!("stranger-{number}")).await })
        })
        .collect();
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'sessions'::regclass";
    let all_wait = async { while client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) < 6 {} };
    tokio::time::timeout(Duration::from_secs(120), all_wait).await.expect("all connections wait for the table");
    assert_eq!(store.changed_records(Revision(0), 10).await.map(|changed| changed.present), Ok(Revision(0)));
    assert_eq!(store.changes_since(Revision(0), 10).await, Ok(Vec::new()));
    client.batch_execute("COMMIT").await.unwrap();
    for asked in asking {
        let _ = asked.await.unwrap();
    }
}

fn role_step(role_id: &str, decided_at: Revision) -> (Step, Write) {
    let step = Step {
        decided_at,
        depends_on: vec![falconer_store::Key::Role],
        at_ms: 1,
        actor: "root".to_owned(),
        grant: None,
        action: "created".to_owned(),
        detail: None,
        details: Details::default(),
    };
    let (role_id, description) = (role_id.to_owned(), String::new());
    let role = RoleRecord { role_id, description, scopes: Vec::new(), created_ms: 1, last_modified_ms: 1 };
    (step, Write::InsertRoles(vec![role]))
}

/// Whoever is slower than the others was Stale each time.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn nobody_commits_while_another_node_decides_with_the_lock() {
    let url = server().schema().await;
    let (slow, fast) = (Arc::new(open(&url).await), Arc::new(open(&url).await));
    let epoch = slow.history().await.unwrap().epoch;
    let is_over = Arc::new(AtomicBool::new(false));
    let (over, quick) = (Arc::clone(&is_over), Arc::clone(&fast));
    let others = tokio::spawn(async move {
        let mut count = 0;
        while !over.load(Ordering::SeqCst) {
            let decided_at = quick.revision().await.unwrap();
            match quick.commit(epoch, vec![role_step(&format!("fast-{count}"), decided_at)]).await {
                Ok(_) => count += 1,
                Err(error) => assert_eq!(error, StoreError::Stale),
            }
        }
        count
    });
    for number in 0..20 {
        let reads = Arc::clone(&slow);
        let deciding = async move {
            let decided_at = reads.revision().await.unwrap();
            // Long enough for another one, if there were any.
            for _ in 0..5 {
                assert_eq!(reads.revision().await, Ok(decided_at));
            }
            Some((epoch, vec![role_step(&format!("slow-{number}"), decided_at)]))
        };
        let committed = slow.commit_locked(Box::pin(deciding)).await.unwrap();
        assert_eq!(committed.revisions, [Revision(committed.found.0 + 1)]);
    }
    // Nothing is written where nothing was decided, and the lock is given back.
    assert_eq!(slow.commit_locked(Box::pin(async { None })).await.map(|committed| committed.revisions), Ok(Vec::new()));
    is_over.store(true, Ordering::SeqCst);
    let others = others.await.unwrap();
    assert_eq!(slow.revision().await, Ok(Revision(20 + others)));
}
