//! Connections: how they are made, what holds for each, and the pool of them.

use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use falconer_store::{Result, StoreError};
use rustls::ClientConfig;
use rustls_platform_verifier::ConfigVerifierExt as _;
use tokio_postgres::Config;
use tokio_postgres::config::Host;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::fault;

/// Connections of one server, besides that of the advisory lock. Steps take turns anyway; the rest is reading.
const CONNECTIONS: usize = 6;
/// How long a call waits for a connection, made or given back.
const WAIT: Duration = Duration::from_secs(5);
/// A peer that is gone without a word is noticed after this.
const SILENCE: Duration = Duration::from_secs(20);

/// What holds for each connection. A commit is answered when it is on the disk, whatever the database's own default says.
const SETTINGS: &str = "SET synchronous_commit = on; SET statement_timeout = '60s'; SET lock_timeout = '20s';
    SET idle_in_transaction_session_timeout = '60s'; SET standard_conforming_strings = on; SET client_encoding = 'UTF8'";

/// Reads a URL such as `postgres://user@host/database?sslmode=require`. Errors never repeat it: it may hold a password.
pub(crate) fn config(url: &str) -> Result<Config> {
    let mut config: Config = url
        .parse()
        .map_err(|error: tokio_postgres::Error| StoreError::Corrupt(format!("the URL of the database: {}", fault::text(&error))))?;
    if config.get_application_name().is_none() {
        config.application_name("falconer");
    }
    config.connect_timeout(WAIT).keepalives_idle(Duration::from_secs(5)).keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
    config.tcp_user_timeout(SILENCE);
    Ok(config)
}

/// What people may read of where the database is.
pub(crate) fn shown(config: &Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(folder)) => folder.display().to_string(),
        None => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("{host}:{port}/{}", config.get_dbname().or_else(|| config.get_user()).unwrap_or_default())
}

/// TLS with the certificate authorities of this machine; used where the URL or the server asks for it.
pub(crate) fn tls() -> Result<MakeRustlsConnect> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    // Another part of the process may have chosen the provider: then that one counts.
    let _ = provider.install_default();
    let config =
        ClientConfig::with_platform_verifier().map_err(|error| StoreError::Unavailable(format!("TLS can't be set up: {error}")))?;
    Ok(MakeRustlsConnect::new(config))
}

pub(crate) fn pool(config: Config, tls: MakeRustlsConnect) -> Result<Pool> {
    let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method: RecyclingMethod::Verified });
    Pool::builder(manager)
        .max_size(CONNECTIONS)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .recycle_timeout(Some(WAIT))
        .runtime(Runtime::Tokio1)
        .post_create(Hook::async_fn(|client, _| {
            Box::pin(async move {
                client.batch_execute(SETTINGS).await.map_err(HookError::Backend)?;
                Ok(())
            })
        }))
        .build()
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// A connection of the pool.
pub(crate) async fn take(pool: &Pool) -> Result<Object> {
    pool.get().await.map_err(|error| {
        StoreError::Unavailable(match error {
            PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => fault::text(&error),
            other => other.to_string(),
        })
    })
}
