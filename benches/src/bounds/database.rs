//! A database of its own on a PostgreSQL, for as long as a measurement takes.

use anyhow::{Context, Result, bail};
use tokio::runtime::Runtime;
use tokio_postgres::NoTls;

/// An empty database; it is gone when this value is.
pub(super) struct Database {
    server: String,
    name: String,
    /// `postgres://...`, with it as the path.
    pub(super) url: String,
    /// `host:port` of the server.
    pub(super) address: String,
}

impl Database {
    /// On the server of a URL `postgres://user:password@host:port/database`, whose user may make databases.
    pub(super) fn make(runtime: &Runtime, server: &str) -> Result<Database> {
        let name = format!("falconer_bounds_{}", std::process::id());
        let (before, rest) = server.split_once("://").context("the URL of PostgreSQL has no ://")?;
        let (place, path) = rest.split_once('/').context("the URL of PostgreSQL names no database")?;
        let options = path.split_once('?').map(|(_, options)| format!("?{options}")).unwrap_or_default();
        let address = place.rsplit('@').next().unwrap_or_default().to_owned();
        if !address.contains(':') {
            bail!("the URL of PostgreSQL names no port");
        }
        runtime.block_on(run(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))?;
        runtime.block_on(run(server, &format!("CREATE DATABASE {name}")))?;
        Ok(Database { server: server.to_owned(), url: format!("{before}://{place}/{name}{options}"), name, address })
    }

    /// Where it is reached by another address.
    pub(super) fn url_at(&self, address: &str) -> String {
        self.url.replacen(&format!("{}/", self.address), &format!("{address}/"), 1)
    }

    /// Removes it, whoever still uses it.
    pub(super) fn remove(&self, runtime: &Runtime) -> Result<()> {
        runtime.block_on(run(&self.server, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)))
    }
}

async fn run(url: &str, sql: &str) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.context("can't connect to PostgreSQL")?;
    let task = tokio::spawn(connection);
    client.batch_execute(sql).await?;
    drop(client);
    Ok(task.await??)
}
