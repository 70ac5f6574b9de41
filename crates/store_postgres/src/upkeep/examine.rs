//! What an operator wants to know of a database, without changing anything in it.

use std::time::Duration;

use falconer_store::{AppliedMigration, Damaged, KeyRing, Result, SealedKind, missing_migrations};
use tokio_postgres::Client;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use tokio_postgres::types::Type;

use crate::connection::columns::get;
use crate::connection::connect;
use crate::connection::fault::{Fault, Res};
use crate::connection::migrate::{MIGRATIONS, NEEDED, known, without_newer};
use crate::connection::shared::is_shared;

/// Of each sealed column so many values are opened.
const OPENED: i64 = 10_000;

/// The sealed columns.
const SEALED: [(SealedKind, &str); 7] = [
    (SealedKind::Client, "SELECT client_id, access_token FROM clients LIMIT $1"),
    (SealedKind::OldToken, "SELECT client_id, old_access_token FROM clients WHERE old_access_token IS NOT NULL LIMIT $1"),
    (SealedKind::Issuer, "SELECT name, token FROM issuers LIMIT $1"),
    (SealedKind::Account, "SELECT account, hash FROM passwords LIMIT $1"),
    (SealedKind::RecoveryCode, "SELECT id, hash FROM recovery_codes LIMIT $1"),
    (SealedKind::Session, "SELECT id_hash, csrf FROM sessions LIMIT $1"),
    (SealedKind::Refresh, "SELECT identity, handle FROM refreshes WHERE handle IS NOT NULL LIMIT $1"),
];

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Examined {
    /// The server's version, such as `150018`.
    pub version: i64,
    /// How long it took to answer a question that needs no work, at best of five.
    pub answer: Duration,
    /// Whether the connection has TLS.
    pub has_tls: bool,
    /// Whether something in between gives each transaction another connection, such as pgbouncer in transaction mode.
    pub is_shared: bool,
    /// Whether it only follows another one.
    pub is_replica: bool,
    /// How far a replica is behind, in seconds.
    pub lag_seconds: Option<f64>,
    /// Connections that may be open, those of superusers left out, and those that are.
    pub connections: (i64, i64),
    /// Settings that should be `on` and are not.
    pub off: Vec<String>,
    /// Its clock, milliseconds since 1970.
    pub now_ms: i64,
    /// Whether a Falconer is there: the rest is of that.
    pub is_there: bool,
    /// Changes of the schema that this program knows, and the database has not seen.
    pub missing: usize,
    /// The newest change of a newer program, where that lets this one go on beside it.
    pub newer: Option<String>,
    /// The highest time of any committed step, milliseconds since 1970.
    pub highest_ms: i64,
    /// How many sealed values were opened with the keys, and those that do not open.
    pub sealed: (usize, Vec<Damaged>),
}

/// Asks the database of a URL. Errors: it can't be reached, or its schema is newer than this program, or another program's.
pub async fn examine(url: &str, keys: Option<&KeyRing>) -> Result<Examined> {
    let mut config = connect::with_environment(&connect::config(url)?)?;
    config.target_session_attrs(TargetSessionAttrs::Any);
    let has_tls = config.get_ssl_mode() != SslMode::Disable;
    let (client, connection) = config.connect(connect::tls(url)?).await.map_err(Fault::from)?;
    let task = tokio::spawn(connection);
    let (other, connection) = config.connect(connect::tls(url)?).await.map_err(Fault::from)?;
    let of_other = tokio::spawn(connection);
    let found = async {
        let is_shared = is_shared(&client, &other).await?;
        Ok::<Examined, Fault>(Examined { is_shared, ..ask(&client, has_tls, keys).await? })
    };
    let found = found.await;
    task.abort();
    of_other.abort();
    Ok(found?)
}

async fn ask(client: &Client, has_tls: bool, keys: Option<&KeyRing>) -> Res<Examined> {
    client.batch_execute("BEGIN READ ONLY; SET LOCAL statement_timeout = '20s'").await?;
    let mut answer = Duration::MAX;
    for _ in 0..5 {
        let began = std::time::Instant::now();
        client.batch_execute("SELECT 1").await?;
        answer = answer.min(began.elapsed());
    }
    let sql = "SELECT current_setting('server_version_num')::bigint, pg_is_in_recovery(),
                 extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8,
                 current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint,
                 (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
                 (extract(epoch FROM clock_timestamp()) * 1000)::bigint, to_regclass('falconer_migrations') IS NOT NULL";
    let row = client.query_typed_one(sql, &[]).await?;
    let sql = "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes', 'autovacuum') AND setting <> 'on' ORDER BY name";
    let off = client.query_typed(sql, &[]).await?.iter().map(|row| get(row, 0)).collect::<Res<_>>()?;
    let mut found = Examined {
        version: get(&row, 0)?,
        answer,
        has_tls,
        is_shared: false,
        is_replica: get(&row, 1)?,
        lag_seconds: get(&row, 2)?,
        connections: (get(&row, 3)?, get(&row, 4)?),
        off,
        now_ms: get(&row, 5)?,
        is_there: get(&row, 6)?,
        missing: 0,
        newer: None,
        highest_ms: 0,
        sealed: (0, Vec::new()),
    };
    if found.is_there {
        ask_of_falconer(client, keys, &mut found).await?;
    }
    Ok(found)
}

async fn ask_of_falconer(client: &Client, keys: Option<&KeyRing>, found: &mut Examined) -> Res<()> {
    let rows = client.query_typed("SELECT version, name, checksum FROM falconer_migrations ORDER BY version", &[]).await?;
    let read = |row: &tokio_postgres::Row| -> Res<AppliedMigration> { Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?)) };
    let applied: Vec<AppliedMigration> = rows.iter().map(read).collect::<Res<_>>()?;
    let needed = get(&client.query_typed_one(&format!("SELECT {NEEDED}"), &[(&known(), Type::INT8)]).await?, 0)?;
    let (applied, newest) = without_newer(applied, needed);
    found.newer = newest;
    found.missing = missing_migrations(&applied, MIGRATIONS)?.len();
    found.highest_ms = get(&client.query_typed_one("SELECT highest_ms FROM meta", &[]).await?, 0)?;
    // An older schema has not all of the columns.
    let Some(keys) = keys.filter(|_| found.missing == 0) else { return Ok(()) };
    for (kind, sql) in SEALED {
        for row in client.query_typed(sql, &[(&OPENED, Type::INT8)]).await? {
            let (id, sealed): (&str, &[u8]) = (get(&row, 0)?, get(&row, 1)?);
            found.sealed.0 = found.sealed.0.saturating_add(1);
            if let Err(error) = keys.open(&kind.place(id), sealed) {
                found.sealed.1.push(Damaged { kind, id: id.to_owned(), why: error.to_string() });
            }
        }
    }
    Ok(())
}
