//! Connections: how they are made, what holds for each, and the pool of them.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper as Client, Hook, HookError, Manager, ManagerConfig, Object, Pool, PoolBuilder, PoolError, QueueMode, RecyclingMethod,
    Runtime,
};
use falconer_store::{Result, StoreError};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::columns::{first, get};
use crate::connection::contact::Connector;
use crate::connection::fault::Res;
use crate::connection::migrate::{NEEDED, check_schema, known};
use crate::connection::silence::{Connecting, Silence};
use crate::connection::{fault, password};

/// Connections of one server, besides those that tell of the database. Steps take turns anyway; the rest is reading.
pub(crate) const CONNECTIONS: usize = 6;
/// Those on which it looks for what others have changed: whoever keeps all others busy must not cut it off.
pub(crate) const TO_FOLLOW: usize = 2;
/// How long a call waits for a connection, made or given back.
pub(crate) const WAIT: Duration = Duration::from_secs(5);
/// A peer that is gone without a word is noticed after this, whether something was sent to it or is waited for, and whether its kernel answers for it.
pub(crate) const SILENCE: Duration = Duration::from_secs(5);

/// What holds for each connection. A commit is answered when it is on the disk, whatever the database's own default says. A transaction that was given
/// up and whose end never arrived holds its locks for ten seconds.
const SETTINGS: [(&str, &str); 5] = [
    ("synchronous_commit", "on"),
    ("statement_timeout", "'60s'"),
    ("lock_timeout", "'20s'"),
    ("idle_in_transaction_session_timeout", "'10s'"),
    ("default_transaction_isolation", "'read committed'"),
];
/// What takes as long as there are records: loading them, and bringing the schema up to date. A limit that is right for a request would end it for good.
pub(crate) const WITHOUT_END: &str = "SET LOCAL statement_timeout = 0";
/// What holds besides, where a connection stays with whoever has made it.
const OF_A_SESSION: &str = "SET idle_session_timeout = 0; SET client_encoding = 'UTF8'";
/// Fails on a server that takes no writes any more, so that no connection to it is used again; and where a commit would be answered before it is on the disk.
pub(crate) const STILL_GOOD: &str = "1 / CASE WHEN current_setting('transaction_read_only') = 'on' OR current_setting('synchronous_commit') IN ('off', 'local') THEN 0 ELSE 1 END";

/// Whether what is set on a connection holds for the next statement on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// A connection to the database itself.
    Kept,
    /// Something in between, such as pgbouncer in transaction mode, gives each transaction any connection that is free.
    Shared,
}

impl Sessions {
    /// Whoever names a way around it has something in between.
    pub(crate) fn of(notify_url: Option<&str>) -> Sessions {
        if notify_url.is_some() { Sessions::Shared } else { Sessions::Kept }
    }
}

/// The statements that set them.
pub(crate) fn settings(set: &str) -> String {
    SETTINGS.iter().map(|(name, value)| format!("{set} {name} = {value};")).collect()
}

/// Sets what can be set on a new connection. Where that would hold for whoever has it next, the defaults have to do: what is written by one statement is on the
/// disk when it is answered.
async fn prepare(client: &Client, sessions: Sessions) -> std::result::Result<(), HookError> {
    if sessions == Sessions::Kept {
        return client.batch_execute(&format!("{}{OF_A_SESSION}", settings("SET"))).await.map_err(HookError::Backend);
    }
    let rows =
        client.query_typed("SELECT current_setting('synchronous_commit') IN ('off', 'local')", &[]).await.map_err(HookError::Backend)?;
    match rows.first().map(|row| row.try_get(0)).transpose().map_err(HookError::Backend)? {
        Some(false) => Ok(()),
        _ => Err(HookError::message(
            "synchronous_commit is off: behind a pooler that holds for everybody, so set it for Falconer's user, ALTER ROLE ... SET synchronous_commit = on",
        )),
    }
}

/// Reads a URL such as `postgres://user@host/database?sslmode=require`. Errors never repeat it: it may hold a password.
///
/// Without `sslmode` a server on this machine is reached without TLS and any other one with it. Certificates are always verified, so that
/// `verify-ca` and `verify-full` mean what `require` means here.
pub(crate) fn config(url: &str) -> Result<Config> {
    let (url, _) = split_parameter(url, "sslrootcert");
    let url = url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
    let before_query = url.split('?').next().unwrap_or_default();
    if before_query.matches('@').count() > 1 {
        return Err(bad_url("there is more than one @ in it"));
    }
    let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| bad_url(&fault::text(&error)))?;
    if config.get_application_name().is_none() {
        config.application_name("falconer");
    }
    if config.get_ssl_mode() == SslMode::Prefer {
        config.ssl_mode(if config.get_hosts().iter().all(is_this_machine) { SslMode::Disable } else { SslMode::Require });
    }
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    // Of several hosts each is tried, within the time that a call waits.
    let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(u32::MAX);
    config.connect_timeout(if hosts > 1 { WAIT / hosts.saturating_add(1) } else { WAIT });
    config.keepalives_idle(Duration::from_secs(2)).keepalives_interval(Duration::from_secs(1)).keepalives_retries(3);
    config.tcp_user_timeout(SILENCE);
    Ok(config)
}

/// Adds what the URL leaves out from the variables that PostgreSQL's own programs read. They are read at each connection, because a password in a file may have
/// changed.
pub(crate) fn with_environment(config: &Config) -> Result<Config> {
    with_variables(config, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

fn with_variables(config: &Config, variable: impl Fn(&str) -> Option<String>) -> Result<Config> {
    let mut config = config.clone();
    password::add(&mut config, variable)?;
    Ok(config)
}

/// What is wrong with a URL. The text does not repeat the URL.
fn bad_url(why: &str) -> StoreError {
    StoreError::Unavailable(format!(
        "the URL of the database can't be read ({why}): in a name or a password, write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F and # as %23, or leave \
         the password out of the URL and give it in PGPASSWORD or PGPASSFILE"
    ))
}

/// The URL without the parameter of this name, and the parameter's value.
fn split_parameter(url: &str, name: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let (mut kept, mut found) = (Vec::new(), None);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some((key, value)) if key == name => found = Some(percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()),
            _ => kept.push(pair),
        }
    }
    (if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) }, found)
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

/// TLS with the certificate authorities of this machine, or with those of the file that `sslrootcert` of the URL names; used where the URL or the server
/// asks for it.
pub(crate) fn tls(url: &str) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let fault = |error| StoreError::Unavailable(format!("TLS can't be set up: {error}"));
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(fault)?;
    let config = match split_parameter(url, "sslrootcert").1 {
        Some(file) => versions.with_root_certificates(authorities(&file)?),
        // Nothing is verified then. Those of the system take as long to read as several connections to make, and some systems have none.
        None if self::config(url)?.get_ssl_mode() == SslMode::Disable => versions.with_root_certificates(RootCertStore::empty()),
        None => versions.with_platform_verifier().map_err(fault)?,
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

/// The certificates of a PEM file.
fn authorities(file: &str) -> Result<RootCertStore> {
    let fault = |why: String| StoreError::Unavailable(format!("sslrootcert: {file}: {why}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| fault(error.to_string()))? {
        let certificate = certificate.map_err(|error| fault(error.to_string()))?;
        roots.add(certificate).map_err(|error| fault(error.to_string()))?;
    }
    if roots.is_empty() { Err(fault("there is no certificate in it".to_owned())) } else { Ok(roots) }
}

/// The version of the schema that a program has to know to write to it, as connections saw it when they were last taken.
#[derive(Clone, Default)]
pub(crate) struct NeededVersion(Arc<AtomicI64>);

impl NeededVersion {
    /// Errors: [`StoreError::Unavailable`] where a newer program has made it one that this one does not know.
    pub(crate) fn check(&self) -> Res<()> {
        check_schema(self.0.load(Ordering::Acquire))
    }

    /// Looks at the schema, and whether the connection can be written to.
    pub(crate) async fn look(&self, on: &Object) -> Res<()> {
        let needed = first(on, &format!("SELECT {NEEDED}, {STILL_GOOD}"), &[&known()], |row| get(row, 0)).await?;
        self.0.store(needed.unwrap_or_default(), Ordering::Release);
        Ok(())
    }
}

/// A pool whose connections are used for writing. None is looked at before it is used again: whoever takes one does that.
pub(crate) fn writing_pool(connector: Connector, sessions: Sessions, silence: &Silence) -> Result<Pool> {
    built(builder(connector, sessions, silence, CONNECTIONS, RecyclingMethod::Fast))
}

/// A pool whose connections are for looking only.
pub(crate) fn pool(connector: Connector, sessions: Sessions, silence: &Silence, connections: usize) -> Result<Pool> {
    built(builder(connector, sessions, silence, connections, RecyclingMethod::Custom(format!("SELECT {STILL_GOOD}"))))
}

fn built(builder: PoolBuilder) -> Result<Pool> {
    builder.build().map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn builder(
    Connector { config, tls }: Connector,
    sessions: Sessions,
    silence: &Silence,
    connections: usize,
    recycling_method: RecyclingMethod,
) -> PoolBuilder {
    let connecting = Connecting { connector: Connector { config: config.clone(), tls }, silence: silence.clone() };
    let manager = Manager::from_connect(config, connecting, ManagerConfig { recycling_method });
    Pool::builder(manager)
        .max_size(connections)
        // The one that was used last: its process of the database has in memory what a statement needs.
        .queue_mode(QueueMode::Lifo)
        .wait_timeout(Some(WAIT))
        .create_timeout(Some(WAIT))
        .recycle_timeout(Some(WAIT))
        .runtime(Runtime::Tokio1)
        .post_create(Hook::async_fn(move |client, _| Box::pin(prepare(client, sessions))))
}

/// A connection of the pool.
pub(crate) async fn take(pool: &Pool) -> Result<Object> {
    within(pool.get()).await?.map_err(unavailable)
}

/// A connection of a pool for writing that was looked at, where it was used before. Those that can't be written to are given up.
pub(crate) async fn take_looked_at(pool: &Pool, needed: &NeededVersion) -> Result<Object> {
    let good = async {
        loop {
            let connection = pool.get().await.map_err(unavailable)?;
            if Object::metrics(&connection).recycle_count == 0 || needed.look(&connection).await.is_ok() {
                return Ok(connection);
            }
            give_up(connection);
        }
    };
    within(good).await?
}

/// Closes a connection: the pool makes another one.
pub(crate) fn give_up(connection: Object) {
    drop(Object::take(connection));
}

/// All of it together: a look at an old connection, and the making of a new one.
async fn within<T>(taken: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(WAIT, taken).await.map_err(|_| StoreError::Unavailable("the database does not answer".to_owned()))
}

fn unavailable(error: PoolError) -> StoreError {
    StoreError::Unavailable(match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => fault::text(&error),
        PoolError::PostCreateHook(HookError::Message(why)) => why.into_owned(),
        other => other.to_string(),
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

    /// A database that was cut off without a word held a change for half a minute.
    #[test]
    fn whoever_is_silent_is_given_up_after_five_seconds() {
        let config = config("postgres://u@db.example.com/f").unwrap();
        assert_eq!((config.get_connect_timeout(), config.get_tcp_user_timeout()), (Some(&WAIT), Some(&SILENCE)));
        let (idle, interval, retries) = (config.get_keepalives_idle(), config.get_keepalives_interval(), config.get_keepalives_retries());
        let noticed = idle + interval.unwrap() * retries.unwrap();
        assert!(config.get_keepalives() && noticed <= Duration::from_secs(5) && SILENCE <= Duration::from_secs(5), "{noticed:?}");
    }

    #[test]
    fn each_of_several_hosts_is_tried_within_the_time_that_a_call_waits() {
        let config = config("postgres://u@one.example.com,two.example.com,three.example.com/f").unwrap();
        assert!(*config.get_connect_timeout().unwrap() * 3 < WAIT);
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    }

    /// A password that is changed every hour was read once, at the start.
    #[cfg(unix)]
    #[test]
    fn a_password_in_a_file_is_read_for_each_connection() {
        let file = std::env::temp_dir().join(format!("falconer-rotating-{}", std::process::id()));
        let base = config("postgres://u@h/f").unwrap();
        for password in ["first", "second"] {
            std::fs::write(&file, format!("*:*:*:*:{password}\n")).unwrap();
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            let given = with_variables(&base, |name| (name == "PGPASSFILE").then(|| file.display().to_string())).unwrap();
            assert_eq!(given.get_password(), Some(password.as_bytes()));
        }
        std::fs::remove_file(&file).unwrap();
    }

    /// A password with a sign of the URL gave "the store is corrupt".
    #[test]
    fn what_has_to_be_encoded_in_a_url_is_said() {
        for url in ["postgres://u:hun@ter2@h/f", "postgres://u:ter2@h:x/f"] {
            let error = config(url).unwrap_err().to_string();
            assert!(error.contains("%40") && error.contains("PGPASSFILE") && !error.contains("ter2"), "{url}: {error}");
        }
        let config = config("postgres://u:hun%40t%3Aer%2F2%25@h/f").unwrap();
        assert_eq!(config.get_password(), Some(b"hun@t:er/2%".as_slice()));
        let config = super::config("postgres://u:a/b:c%@h/f").unwrap();
        assert_eq!(config.get_password(), Some(b"a/b:c%".as_slice()), "what can be read is read");
    }

    #[test]
    fn authorities_are_those_of_the_file_that_the_url_names() {
        let url = "postgres://u@db.example.com/f?sslrootcert=%2Fno%2Fsuch.pem&sslmode=verify-full";
        assert_eq!(config(url).unwrap().get_ssl_mode(), SslMode::Require);
        let Err(error) = tls(url) else { panic!("there is no such file") };
        assert!(error.to_string().contains("/no/such.pem"), "{error}");
        assert!(tls("postgres://u@h/f").is_ok());
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
