//! A database of its own on a PostgreSQL, for as long as a measurement takes.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;
use tokio_postgres::types::Type;

/// One run may have several, one after the other or at once.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// An empty database; it is gone when this value is, whoever still uses it.
pub(crate) struct Database {
    runtime: Runtime,
    server: String,
    name: String,
    /// `postgres://...`, with it as the path.
    pub(crate) url: String,
    /// `host:port` of the server.
    pub(crate) address: String,
}

impl Database {
    /// On the server of a URL `postgres://user:password@host:port/database`, whose user may make databases.
    pub(crate) fn make(server: &str) -> Result<Database> {
        let name = format!("falconer_bench_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let (before, rest) = server.split_once("://").context("the URL of PostgreSQL has no ://")?;
        let (place, path) = rest.split_once('/').context("the URL of PostgreSQL names no database")?;
        let options = path.split_once('?').map(|(_, options)| format!("?{options}")).unwrap_or_default();
        let address = place.rsplit('@').next().unwrap_or_default().to_owned();
        if !address.contains(':') {
            bail!("the URL of PostgreSQL names no port");
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(run(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))?;
        runtime.block_on(run(server, &format!("CREATE DATABASE {name}")))?;
        Ok(Database { runtime, server: server.to_owned(), url: format!("{before}://{place}/{name}{options}"), name, address })
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> Result<OneConnection> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (client, connection) = runtime.block_on(tokio_postgres::connect(&self.url, NoTls)).context("can't connect to PostgreSQL")?;
        runtime.spawn(connection);
        Ok(OneConnection { runtime, client })
    }

    /// Where it is reached by another address.
    pub(crate) fn url_at(&self, address: &str) -> String {
        self.url.replacen(&format!("{}/", self.address), &format!("{address}/"), 1)
    }
}

/// A connection, for whoever waits for each answer.
pub(crate) struct OneConnection {
    runtime: Runtime,
    client: tokio_postgres::Client,
}

impl OneConnection {
    /// A statement with one value, as Falconer sends its own: with the type of the value, and no name.
    pub(crate) fn run(&mut self, sql: &str, value: &[u8]) -> Result<()> {
        self.runtime.block_on(self.client.query_typed(sql, &[(&value, Type::BYTEA)]))?;
        Ok(())
    }

    /// Statements without values.
    pub(crate) fn run_all(&mut self, sql: &str) -> Result<()> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let removed = self.runtime.block_on(run(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)));
        if let Err(error) = removed {
            eprintln!("{} is left: {error:#}", self.name);
        }
    }
}

async fn run(url: &str, sql: &str) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("can't connect to PostgreSQL")?;
    let task = tokio::spawn(connection);
    client.batch_execute(sql).await?;
    drop(client);
    Ok(task.await??)
}
