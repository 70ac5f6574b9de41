//! A node follows the others also while its other connections wait for something.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{keys, random, server};
use falconer_store::{Revision, Store};
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
