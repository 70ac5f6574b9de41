//! Databases for tests on the server that the environment names.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses a part of it; a test may stop")]

use std::sync::atomic::{AtomicU64, Ordering};

use tokio_postgres::NoTls;

/// Names a server on which tests may make databases and roles, as `postgres://user@host:port/database`. `cargo xtask test` starts one.
const VARIABLE: &str = "FALCONER_TEST_POSTGRES";

/// The server, where there is one.
pub fn server() -> Option<String> {
    std::env::var(VARIABLE).ok().filter(|url| !url.is_empty())
}

/// An empty database with an owner of its own who is nobody else; both are gone when this value is.
pub struct Database {
    server: String,
    /// What it and its owner are called.
    pub name: String,
    /// In [`Database::url`], and to be found nowhere else.
    pub password: String,
    /// As its owner.
    pub url: String,
}

impl Database {
    /// Fails where there is no server: a test that needs one is `#[ignore]`d, and whoever runs it all the same wants to know.
    pub async fn make() -> Database {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let server =
            server().expect("FALCONER_TEST_POSTGRES names a PostgreSQL; `cargo xtask test` starts one, `cargo xtask postgres` too");
        let name = format!("falconer_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let password = format!("password-of-{name}");
        let mut url = url::Url::parse(&server).unwrap();
        url.set_username(&name).unwrap();
        url.set_password(Some(&password)).unwrap();
        url.set_path(&name);
        let database = Database { server, name, password, url: url.to_string() };
        let Database { name, password, .. } = &database;
        // What an earlier process of this number may have left.
        database.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        database.run(&format!("DROP ROLE IF EXISTS {name}")).await;
        database.run(&format!("CREATE ROLE {name} LOGIN PASSWORD '{password}'")).await;
        database.run(&format!("CREATE DATABASE {name} OWNER {name}")).await;
        database
    }

    /// One statement as the administrator of the server, in another database of it.
    pub async fn run(&self, sql: &str) {
        run(&self.server, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Statements as its owner.
    pub async fn execute(&self, sql: &str) {
        run(&self.url, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The URL of the same database for the administrator of the server.
    pub fn as_administrator(&self) -> String {
        let mut url = url::Url::parse(&self.server).unwrap();
        url.set_path(&self.name);
        url.to_string()
    }

    /// How many tables there are.
    pub async fn tables(&self) -> i64 {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let sql = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
        client.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// The first column of the first row, as its owner.
    pub async fn text(&self, sql: &str) -> String {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error}")).get(0)
    }

    /// From now on nobody gets in, and who is in is thrown out.
    pub async fn go_away(&self) {
        self.run(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).await;
        self.throw_out().await;
    }

    /// The opposite.
    pub async fn come_back(&self) {
        self.run(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).await;
    }

    /// Ends every connection.
    pub async fn throw_out(&self) {
        self.run(&format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{}'", self.name)).await;
    }
}

async fn run(url: &str, sql: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let task = tokio::spawn(connection);
    client.batch_execute(sql).await?;
    drop(client);
    task.await.unwrap()
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A runtime may not be blocked on inside another one.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let _ = run(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
                let _ = run(&server, &format!("DROP ROLE IF EXISTS {name}")).await;
            });
        });
        let _ = dropped.join();
    }
}
