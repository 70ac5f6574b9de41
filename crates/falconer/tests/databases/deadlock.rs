//! A change and another program wait for each other's rows, and PostgreSQL ends the change: it is made again by itself.

use falconer_client::Retry;
use falconer_wire::{ImportBatch, ImportClient};
use tokio_postgres::{Client, NoTls};

use crate::silent_database::a_client;
use crate::support::patience::patience;
use crate::support::place::Place;

/// A transaction of another program, and the number of its process. It never looks for a deadlock itself, so that whoever else is in one with it is ended.
async fn transaction(url: &str) -> (Client, i32) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET deadlock_timeout = '1h'; BEGIN").await.unwrap();
    let pid = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    (client, pid)
}

async fn lock(client: &Client, client_id: &str) {
    client.batch_execute(&format!("SELECT 1 FROM clients WHERE client_id = '{client_id}' FOR UPDATE")).await.unwrap();
}

/// Asks until this is so.
async fn until(looker: &Client, condition: &str, pid: i32) {
    let holds = async { while !looker.query_one(condition, &[&pid]).await.unwrap().get::<_, bool>(0) {} };
    tokio::time::timeout(patience(), holds).await.expect(condition);
}

/// The order of locks is one, so that two servers never come to this. Other programs may have another order.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_change_that_was_ended_for_a_deadlock_is_made_again() {
    let place = Place::postgres().await;
    let init = place.init(&[]);
    let server = place.start();
    let root = server.client(&init).with_retry(Retry { tries: 1, ..Retry::default() });
    for id in ["project/a", "project/b"] {
        root.create_client(id, &a_client()).await.unwrap();
    }
    let database = place.database.as_ref().unwrap();
    let url = database.as_administrator();
    let ((first, first_pid), (second, second_pid)) = (transaction(&url).await, transaction(&url).await);
    let (looker, looker_pid) = transaction(&url).await;
    looker.batch_execute("COMMIT").await.unwrap();
    lock(&first, "project/a").await;
    lock(&second, "project/b").await;

    // Both clients are changed in one step: it locks the revision, then a, then b.
    let changed = |id: &str| ImportClient {
        client_id: id.to_owned(),
        scopes: Vec::new(),
        expires: "2100-01-01T00:00:00.000Z".to_owned(),
        description: "changed".to_owned(),
        delete_on_expiration: false,
        disabled: None,
        access_token: None,
    };
    let batch = ImportBatch { roles: Vec::new(), clients: vec![changed("project/a"), changed("project/b")], dry_run: false };
    let change = tokio::spawn({
        let root = root.clone();
        async move { root.import_batch(&batch).await }
    });
    until(&looker, "SELECT count(*) > 0 FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))", first_pid).await;
    let second = tokio::spawn(async move { second.batch_execute("SELECT revision FROM meta FOR UPDATE; COMMIT").await });
    until(&looker, "SELECT cardinality(pg_blocking_pids($1)) > 0", second_pid).await;
    first.batch_execute("COMMIT").await.unwrap();

    change.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    for id in ["project/a", "project/b"] {
        assert_eq!(root.client(id).await.unwrap().unwrap().description, "changed");
    }
    // PostgreSQL counts a moment later.
    let counted = "SELECT deadlocks = 1 FROM pg_stat_database WHERE datname = current_database() AND $1 <> 0";
    until(&looker, counted, looker_pid).await;
    assert_eq!(server.end(), Some(0));
}
