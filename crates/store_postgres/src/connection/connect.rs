//! Connections: how they are made, what holds for each, and the pool of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use falconer_store::{Result, StoreError};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::fault;

/// Connections of one server, besides that of the advisory lock. Steps take turns anyway; the rest is reading.
const CONNECTIONS: usize = 6;
/// How long a call waits for a connection, made or given back.
pub(crate) const WAIT: Duration = Duration::from_secs(5);
/// A peer that is gone without a word is noticed after this.
const SILENCE: Duration = Duration::from_secs(20);

/// What holds for each connection. A commit is answered when it is on the disk, whatever the database's own default says.
const SETTINGS: &str = "SET synchronous_commit = on; SET statement_timeout = '60s'; SET lock_timeout = '20s';
    SET idle_in_transaction_session_timeout = '60s'; SET idle_session_timeout = 0; SET default_transaction_isolation = 'read committed';
    SET client_encoding = 'UTF8'";
/// Fails on a server that takes no writes any more, so that no connection to it is used again.
const STILL_GOOD: &str = "SELECT 1 / CASE WHEN pg_is_in_recovery() THEN 0 ELSE 1 END";

/// Reads a URL such as `postgres://user@host/database?sslmode=require`. Errors never repeat it: it may hold a password.
///
/// Without `sslmode` a server on this machine is reached without TLS and any other one with it. Certificates are always verified, so that
/// `verify-ca` and `verify-full` mean what `require` means here.
pub(crate) fn config(url: &str) -> Result<Config> {
    let url = url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
    let mut config: Config = url
        .parse()
        .map_err(|error: tokio_postgres::Error| StoreError::Corrupt(format!("the URL of the database: {}", fault::text(&error))))?;
    if config.get_application_name().is_none() {
        config.application_name("falconer");
    }
    if config.get_ssl_mode() == SslMode::Prefer {
        config.ssl_mode(if config.get_hosts().iter().all(is_this_machine) { SslMode::Disable } else { SslMode::Require });
    }
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    config.connect_timeout(WAIT).keepalives_idle(Duration::from_secs(5)).keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
    config.tcp_user_timeout(SILENCE);
    Ok(config)
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
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
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let fault = |error| StoreError::Unavailable(format!("TLS can't be set up: {error}"));
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(fault)?;
    let config = versions.with_platform_verifier().map_err(fault)?.with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

pub(crate) fn pool(config: Config, tls: MakeRustlsConnect) -> Result<Pool> {
    let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method: RecyclingMethod::Custom(STILL_GOOD.to_owned()) });
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_for_other_machines_unless_the_url_says_otherwise() {
        for (url, expected) in [
            ("postgres://u@localhost/f", SslMode::Disable),
            ("postgres://u@127.0.0.1:5433/f", SslMode::Disable),
            ("postgres://u@%2Frun%2Fpostgresql/f", SslMode::Disable),
            ("postgres://u@db.example.com/f", SslMode::Require),
            ("postgres://u@localhost,db.example.com/f", SslMode::Require),
            ("postgres://u@db.example.com/f?sslmode=disable", SslMode::Disable),
            ("postgres://u@localhost/f?sslmode=verify-full", SslMode::Require),
        ] {
            assert_eq!(config(url).unwrap().get_ssl_mode(), expected, "{url}");
        }
    }

    #[test]
    fn no_error_and_no_name_holds_the_password() {
        for url in ["postgres://u:hunter2@h:port/f", "postgres://u:hunter2@h/f?sslmode=maybe", "hunter2"] {
            let error = config(url).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert_eq!(shown(&config("postgres://u:hunter2@h.example:5433/f").unwrap()), "h.example:5433/f");
    }
}
