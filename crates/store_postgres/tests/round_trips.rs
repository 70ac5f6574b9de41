//! What a change waits for, and what becomes of it where a statement fails that its commit did not wait for.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::counting::CountingProxy;
use common::records::{client, connect, role, step};
use falconer_store::{Store, StoreError, Write};
use falconer_store_postgres::PostgresStore;

async fn beside(url: &str) -> PostgresStore {
    PostgresStore::open_beside(url, None, common::keys(), common::random()).await.unwrap()
}

/// Story: a look at the connection, the beginning, the lock, the record, what is noted of it, and the commit waited for each other, so that a role took 1.5 ms where a
/// commit takes 0.3.
// On one thread, so that what is sent together goes out together.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_new_record_waits_twice() {
    let url = common::server().schema().await;
    let proxy = CountingProxy::before(&url).await;
    let store = beside(&proxy.url(&url)).await;
    store.insert_roles(&step(&store).await, &[role("first")]).await.unwrap();
    let epoch = store.history().await.unwrap().epoch;
    for write in [Write::InsertRoles(vec![role("second")]), Write::InsertClient(client("a"))] {
        let steps = vec![(step(&store).await, write)];
        let (trips, done) = proxy.trips(store.commit(epoch, steps)).await;
        done.unwrap();
        assert_eq!(trips, 2, "the lock; the record, what is noted of it and the commit");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn nothing_is_committed_where_a_statement_beside_the_commit_fails() {
    let url = common::server().schema().await;
    let store = beside(&url).await;
    let other = connect(&url).await;
    for table in ["roles", "changes", "audit", "meta"] {
        other
            .batch_execute(&format!(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this time'; END $$;
                 CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse()"
            ))
            .await
            .unwrap();
        let taken = step(&store).await;
        let refused = store.insert_roles(&taken, &[role(table)]).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Unavailable(why) if why.contains("not this time")), "{table}: {refused:?}");
        other.batch_execute("DROP FUNCTION refuse CASCADE").await.unwrap();
        // The connection is as good as before, and the same change can be made.
        assert_eq!(store.revision().await.unwrap(), taken.decided_at);
        store.insert_roles(&taken, &[role(table)]).await.unwrap();
    }
}

/// Nobody looks at a connection before a change begins on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_change_takes_another_connection_where_the_first_can_not_be_written_to() {
    let url = common::server().schema().await;
    let name = format!("falconer_trips_{}", std::process::id());
    let store = beside(&format!("{url}&application_name={name}")).await;
    let other = connect(&url).await;
    // Several connections, all of which were used.
    let many = (0..4).map(|_| store.revision());
    assert!(futures_util::future::join_all(many).await.iter().all(Result::is_ok));
    let taken = step(&store).await;
    let ended =
        other.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = $1", &[&name]).await.unwrap();
    assert!(ended >= 4, "{ended}");
    store.insert_roles(&taken, &[role("after")]).await.unwrap();
}
