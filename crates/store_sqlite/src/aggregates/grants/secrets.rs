//! Authorization codes, access tokens and refresh tokens, by their hashes.

use falconer_store::{GrantSecretKind, GrantSecretRecord};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{first, list, read_list, run};
use crate::connection::fault::Res;

const COLUMNS: &str = "hash, kind, grant_id, application, redirect_uri, challenge, expires_ms, kept_until_ms, used_ms, resources, jkt";

pub(crate) fn insert(connection: &Connection, secret: &GrantSecretRecord) -> Res<()> {
    let sql = format!("INSERT INTO grant_secrets ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    let values = params![
        secret.hash,
        secret.kind.as_str(),
        secret.grant,
        secret.application,
        secret.redirect_uri,
        secret.challenge,
        secret.expires_ms,
        secret.kept_until_ms,
        secret.used_ms,
        list(&secret.resources)?,
        secret.jkt,
    ];
    run(connection, &sql, values)?;
    Ok(())
}

pub(crate) fn one(connection: &Connection, hash: &str) -> Res<Option<GrantSecretRecord>> {
    first(connection, &format!("SELECT {COLUMNS} FROM grant_secrets WHERE hash = ?1"), params![hash], read).map(Option::flatten)
}

/// To which application something of a grant was given.
pub(crate) fn application_of(connection: &Connection, grant: &str) -> Res<Option<String>> {
    let sql = "SELECT application FROM grant_secrets WHERE grant_id = ?1 AND application <> '' LIMIT 1";
    first(connection, sql, params![grant], |row| Ok(row.get(0)?))
}

/// Whether this is the first use.
pub(crate) fn note_use(connection: &Connection, hash: &str, at_ms: i64) -> Res<bool> {
    Ok(run(connection, "UPDATE grant_secrets SET used_ms = ?2 WHERE hash = ?1 AND used_ms IS NULL", params![hash, at_ms])? == 1)
}

/// Nothing where a newer version gave one of a kind that this one does not know: it stands for nothing here.
fn read(row: &Row<'_>) -> Res<Option<GrantSecretRecord>> {
    let word = row.get_ref(1)?.as_str()?;
    let Some(kind) = GrantSecretKind::of_word(word) else { return Ok(None) };
    Ok(Some(GrantSecretRecord {
        hash: row.get(0)?,
        kind,
        grant: row.get(2)?,
        application: row.get(3)?,
        redirect_uri: row.get(4)?,
        challenge: row.get(5)?,
        expires_ms: row.get(6)?,
        kept_until_ms: row.get(7)?,
        used_ms: row.get(8)?,
        resources: read_list(row, 9)?,
        jkt: row.get(10)?,
    }))
}
