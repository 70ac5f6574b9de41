//! The contract's own suite, each behaviour in a schema of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::records::{client, role, step, step_at};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use falconer_store::{GrantRecord, ResealFrom, Revision, RoleRecord, Store, StoreError, conformance};
use falconer_store_postgres::PostgresStore;

/// As many as the suite has: a run of fewer is a mistake.
const BEHAVIOURS: usize = 154;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn in_a_schema_of_its_own() {
    let server = common::server();
    let make = || async { Arc::new(common::open(&server.schema().await).await) as Arc<dyn Store> };
    assert_eq!(conformance::run(make).await, BEHAVIOURS);
}

/// Whatever one of two nodes writes is there for the other one at once, and a step that either decides is refused where the other one was faster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn with_two_stores_open_on_one_database() {
    let server = common::server();
    let make = || async {
        let url = server.schema().await;
        let stores = [common::open(&url).await, common::open(&url).await];
        Arc::new(common::alternating::Alternating { stores, calls: AtomicUsize::new(0) }) as Arc<dyn Store>
    };
    assert_eq!(conformance::run(make).await, BEHAVIOURS);
}

/// Two nodes behind pgbouncer, which gives each transaction any connection that is free: nothing may rest on what a connection was told before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn with_two_stores_behind_pgbouncer() {
    let server = common::server();
    let make = || async {
        let (url, direct) = server.schema_behind_pgbouncer().await;
        let open = async || PostgresStore::open(&url, Some(&direct), common::keys(), common::random()).await.unwrap();
        let stores = [open().await, open().await];
        Arc::new(common::alternating::Alternating { stores, calls: AtomicUsize::new(0) }) as Arc<dyn Store>
    };
    assert_eq!(conformance::run(make).await, BEHAVIOURS);
}

/// Behind a pooler nobody can set for themselves that a commit is on the disk when it is answered. Whatever the default, a step is; where the default is
/// another one, what takes no step would not be, so that the store is not opened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_default_that_answers_before_the_disk_is_refused_behind_pgbouncer() {
    let server = common::server();
    let (url, direct) = server.schema_behind_pgbouncer().await;
    let user = url.split("://").nth(1).unwrap().split(':').next().unwrap();
    server.run(&format!("ALTER ROLE {user} SET synchronous_commit = off")).await;
    let refused = PostgresStore::open(&url, Some(&direct), common::keys(), common::random()).await.err().unwrap();
    assert!(matches!(&refused, StoreError::Unavailable(why) if why.contains("ALTER ROLE")), "{refused}");
    PostgresStore::open(&direct, None, common::keys(), common::random()).await.unwrap();
}

/// Each commit is told to the other nodes with its revision, when it is committed; whoever has made it is not told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_commit_is_told_to_the_others() {
    let server = common::server();
    let url = server.schema().await;
    let (writer, other) = (common::open(&url).await, common::open(&url).await);
    // That it listens is told first: anything may have happened before.
    let (mut own, _) = writer.wait_for_notification(0).await;
    let (mut count, announced) = other.wait_for_notification(0).await;
    assert_eq!(announced, None);
    for revision in 1..=3 {
        let role = RoleRecord {
            role_id: format!("r{revision}"),
            scopes: Vec::new(),
            description: String::new(),
            created_ms: 1,
            last_modified_ms: 1,
        };
        let inserted = writer.insert_role(&step_at(Revision(revision - 1)), &role).await.unwrap();
        let (next, announced) = other.wait_for_notification(count).await;
        assert_eq!((inserted, announced), (Revision(revision), Some(Revision(revision))));
        count = next;
    }
    // The first thing that the writer hears is what the other one does.
    other.begin_history(other.history().await.unwrap().epoch, Revision(3)).await.unwrap();
    let (next, announced) = writer.wait_for_notification(own).await;
    assert_eq!((next, announced), (own + 1, None));
    own = next;
    assert_eq!(own, 2);
}

/// A node that was found by a newer one's schema would write rows that lack something.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn nothing_is_written_to_a_schema_that_is_newer() {
    let server = common::server();
    let url = server.schema().await;
    let store = common::open(&url).await;
    let role = role("r");
    common::run(&url, "INSERT INTO falconer_migrations (version, name, checksum) VALUES (10000, 'later', 'x')").await;
    let refused = store.insert_role(&step_at(Revision(0)), &role).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Unavailable(why) if why.contains("a newer version of Falconer")), "{refused}");
    common::run(&url, "DELETE FROM falconer_migrations WHERE version = 10000").await;
    assert_eq!(store.insert_role(&step_at(Revision(0)), &role).await, Ok(Revision(1)));
}

/// One grant that ends at some time, of somebody.
fn grant(id: &str, expires_ms: i64) -> GrantRecord {
    GrantRecord { expires_ms, ..conformance::sample_grant(id, "") }
}

/// A call of the store that goes on when it is polled.
type Pending<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Uses were noted before the row of the revision was locked, and changes wrote the same rows after it: two servers waited for each other until PostgreSQL
/// ended one of them. So whoever waits for that row holds no other one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn whoever_waits_for_the_revision_holds_no_other_row() {
    let server = common::server();
    let url = server.schema().await;
    let store = common::open(&url).await;
    let client = client("c");
    let at = || async { step(&store).await };
    store.insert_client(&at().await, &client).await.unwrap();
    store.insert_grant(&at().await, &grant("g", 9_000_000_000_000), None).await.unwrap();
    store.insert_grant(&at().await, &grant("ended", 5), None).await.unwrap();
    store.put_setup_link("over", 5).await.unwrap();

    let connect = async || {
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    };
    let (holder, looker) = (connect().await, connect().await);
    let holder_pid: i32 = holder.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema() AND table_name <> 'meta'";
    let tables: Vec<String> = looker.query(tables, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert!(tables.len() > 20, "{tables:?}");
    let now = at().await;
    let (ids, from) = (["g".to_owned()], ResealFrom::default());
    let writes: Vec<(&str, Pending<'_>)> = vec![
        ("what has ended", Box::pin(store.prune(9_000_000_000_000))),
        ("ended grants", Box::pin(async { store.prune_grants(6, 10).await.map(drop) })),
        ("sealing again", Box::pin(async { store.reseal(&from, 10).await.map(drop) })),
        ("a change", Box::pin(async { store.update_client(&now, &client).await.map(drop) })),
        ("an end", Box::pin(async { store.revoke_grants(&now, &ids, "me", "").await.map(drop) })),
    ];
    for (what, mut write) in writes {
        holder.batch_execute("BEGIN; SELECT revision FROM meta FOR UPDATE").await.unwrap();
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))";
        let waits = async { while looker.query_one(waiting, &[&holder_pid]).await.unwrap().get::<_, i64>(0) == 0 {} };
        tokio::select! {
            done = &mut write => panic!("{what} did not wait for the revision: {done:?}"),
            waits = tokio::time::timeout(Duration::from_secs(120), waits) => waits.expect(what),
        }
        for table in &tables {
            let free = looker.batch_execute(&format!("SELECT 1 FROM {table} FOR UPDATE NOWAIT")).await;
            assert!(free.is_ok(), "{what} holds a row of {table}: {free:?}");
        }
        holder.batch_execute("ROLLBACK").await.unwrap();
        let done = write.await;
        assert!(matches!(done, Ok(()) | Err(StoreError::Stale)), "{what}: {done:?}");
    }
}
