//! What the tests of this crate share: a server, named by the environment, and schemas of it.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses its part")]

pub mod alternating;
pub mod counting;
pub mod records;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use falconer_store::{KeyRing, Randomness};
use falconer_store_postgres::PostgresStore;
use tokio_postgres::NoTls;

/// Names a server on which the tests may make schemas, as `postgres://user@host:port/database`. `cargo xtask test` starts one.
pub const VARIABLE: &str = "FALCONER_TEST_POSTGRES";

/// The same server behind pgbouncer in transaction mode.
pub const PGBOUNCER: &str = "FALCONER_TEST_PGBOUNCER";
static NUMBER: AtomicU64 = AtomicU64::new(0);

pub struct Server {
    url: String,
}

/// The server. Fails where there is none: a test that needs one is `#[ignore]`d, and whoever runs it all the same wants to know.
pub fn server() -> Server {
    let url = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
    Server { url: url.expect("FALCONER_TEST_POSTGRES names a PostgreSQL; `cargo xtask test` starts one, `cargo xtask postgres` too") }
}

impl Server {
    /// The URL of a schema that nothing is in yet.
    pub async fn schema(&self) -> String {
        let name = format!("test_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        self.run(&format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).await;
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{name}", self.url)
    }

    /// The two ways to a schema that nothing is in yet, with a user of its own: through pgbouncer, and directly. What a connection is told at its start, such as
    /// where its tables are, does not reach a pooler's own connections; that a user's tables are in the schema of the same name does.
    pub async fn schema_behind_pgbouncer(&self) -> (String, String) {
        let pooled = std::env::var(PGBOUNCER).ok().filter(|url| !url.is_empty());
        let pooled = pooled.expect(
            "FALCONER_TEST_PGBOUNCER names the server of FALCONER_TEST_POSTGRES through pgbouncer; `cargo xtask postgres` has one too",
        );
        let name = format!("pooled_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        self.run(&format!(
            "DROP SCHEMA IF EXISTS {name} CASCADE; DROP ROLE IF EXISTS {name}; CREATE ROLE {name} LOGIN PASSWORD '{name}'; CREATE SCHEMA {name} AUTHORIZATION {name}"
        ))
        .await;
        let of = |url: &str| {
            let (scheme, rest) = url.split_once("://").unwrap();
            let (_, place) = rest.split_once('@').unwrap();
            format!("{scheme}://{name}:{name}@{place}")
        };
        (of(&pooled), of(&self.url))
    }

    /// Runs statements as somebody else than the store.
    pub async fn run(&self, sql: &str) {
        run(&self.url, sql).await;
    }
}

/// Runs statements at a URL as somebody else than the store.
pub async fn run(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server of the environment answers");
    let task = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    task.await.unwrap().unwrap();
}

pub fn keys() -> KeyRing {
    KeyRing::from_bytes("test", [7; 32]).unwrap()
}

/// Nonces that never repeat, also of several stores.
pub fn random() -> Randomness {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Arc::new(|bytes: &mut [u8]| {
        for chunk in bytes.chunks_mut(8) {
            let value = NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.iter_mut().zip(value).for_each(|(place, byte)| *place = byte);
        }
    })
}

pub async fn open(url: &str) -> PostgresStore {
    PostgresStore::open(url, None, keys(), random()).await.unwrap()
}
