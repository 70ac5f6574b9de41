//! Sessions of browsers, their pending links, and the origins that a person has confirmed.

use falconer_store::{PendingLink, Place, SealedKind, Sealer, SessionRecord, SignInMethod};
use rusqlite::{Connection, Row, params};

use crate::aggregates::grants::{consents, logouts};
use crate::connection::columns::{all, first, run};
use crate::connection::fault::Res;

const COLUMNS: &str = "id_hash, identity, csrf, created_ms, last_seen_ms, expires_ms, user_agent, method, factors, proved_ms, address";

/// Where a session's form token lives.
pub(crate) fn csrf_place(id_hash: &str) -> Place<'_> {
    SealedKind::Session.place(id_hash)
}

pub(crate) fn insert(connection: &Connection, sealer: &Sealer, session: &SessionRecord) -> Res<()> {
    let sql = format!("INSERT INTO sessions ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
    let values = params![
        session.id_hash,
        session.identity,
        sealer.seal(&csrf_place(&session.id_hash), &session.csrf)?,
        session.created_ms,
        session.last_seen_ms,
        session.expires_ms,
        session.user_agent,
        session.method.as_str(),
        session.factors,
        session.proved_ms,
        session.address,
    ];
    run(connection, &sql, values)?;
    Ok(())
}

pub(crate) fn one(connection: &Connection, sealer: &Sealer, id_hash: &str) -> Res<Option<SessionRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE id_hash = ?1");
    first(connection, &sql, params![id_hash], |row| read(row, sealer)).map(Option::flatten)
}

pub(crate) fn touch(connection: &Connection, id_hash: &str, now_ms: i64) -> Res<()> {
    let sql = "UPDATE sessions SET last_seen_ms = ?2 WHERE id_hash = ?1 AND last_seen_ms < ?2";
    run(connection, sql, params![id_hash, now_ms])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, id_hash: &str) -> Res<()> {
    logouts::queue(connection, "?1", params![id_hash])?;
    run(connection, "DELETE FROM sessions WHERE id_hash = ?1", params![id_hash])?;
    delete_pending_link(connection, id_hash)
}

pub(crate) fn succeed(connection: &Connection, id_hash: &str, successor: &str) -> Res<()> {
    logouts::carry_on(connection, id_hash, successor)?;
    delete(connection, id_hash)
}

pub(crate) fn delete_of(connection: &Connection, identity: &str, except: Option<&str>) -> Res<u64> {
    let of = "SELECT id_hash FROM sessions WHERE identity = ?1 AND (?2 IS NULL OR id_hash <> ?2)";
    logouts::queue(connection, of, params![identity, except])?;
    let sql = "DELETE FROM sessions WHERE identity = ?1 AND (?2 IS NULL OR id_hash <> ?2)";
    let ended = run(connection, sql, params![identity, except])? as u64;
    let sql = "DELETE FROM pending_links WHERE identity = ?1 OR NOT EXISTS (SELECT 1 FROM sessions WHERE id_hash = session)";
    run(connection, sql, params![identity])?;
    consents::forget_of(connection, identity)?;
    Ok(ended)
}

pub(crate) fn of_identity(connection: &Connection, sealer: &Sealer, identity: &str) -> Res<Vec<SessionRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM sessions WHERE identity = ?1 ORDER BY created_ms DESC, rowid DESC");
    Ok(all(connection, &sql, params![identity], |row| read(row, sealer))?.into_iter().flatten().collect())
}

pub(crate) fn put_pending_link(connection: &Connection, link: &PendingLink) -> Res<()> {
    let sql = "INSERT INTO pending_links (session, identity, expires_ms) VALUES (?1, ?2, ?3)
               ON CONFLICT (session) DO UPDATE SET identity = excluded.identity, expires_ms = excluded.expires_ms";
    run(connection, sql, params![link.session, link.identity, link.expires_ms])?;
    Ok(())
}

pub(crate) fn pending_link(connection: &Connection, session: &str) -> Res<Option<PendingLink>> {
    let sql = "SELECT session, identity, expires_ms FROM pending_links WHERE session = ?1";
    first(connection, sql, params![session], |row| Ok(PendingLink { session: row.get(0)?, identity: row.get(1)?, expires_ms: row.get(2)? }))
}

pub(crate) fn delete_pending_link(connection: &Connection, session: &str) -> Res<()> {
    run(connection, "DELETE FROM pending_links WHERE session = ?1", params![session])?;
    Ok(())
}

pub(crate) fn remember_origin(connection: &Connection, identity: &str, origin: &str, at_ms: i64) -> Res<()> {
    let sql = "INSERT INTO remembered_origins (identity, origin, at_ms) VALUES (?1, ?2, ?3)
               ON CONFLICT (identity, origin) DO UPDATE SET at_ms = excluded.at_ms";
    run(connection, sql, params![identity, origin, at_ms])?;
    Ok(())
}

pub(crate) fn forget_origin(connection: &Connection, identity: &str, origin: &str) -> Res<()> {
    run(connection, "DELETE FROM remembered_origins WHERE identity = ?1 AND origin = ?2", params![identity, origin])?;
    Ok(())
}

pub(crate) fn remembered_origins(connection: &Connection, identity: &str) -> Res<Vec<(String, i64)>> {
    let sql = "SELECT origin, at_ms FROM remembered_origins WHERE identity = ?1 ORDER BY origin";
    all(connection, sql, params![identity], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Nothing where the form token does not open, or where a newer version let somebody in by a way that this one does not know: there is no such session here.
fn read(row: &Row<'_>, sealer: &Sealer) -> Res<Option<SessionRecord>> {
    let id_hash: String = row.get(0)?;
    let Ok(csrf) = sealer.open_row(&sealer.keys(), SealedKind::Session, &id_hash, row.get_ref(2)?.as_blob()?) else { return Ok(None) };
    let word = row.get_ref(7)?.as_str()?;
    let Some(method) = SignInMethod::of_word(word) else { return Ok(None) };
    Ok(Some(SessionRecord {
        id_hash,
        identity: row.get(1)?,
        csrf,
        created_ms: row.get(3)?,
        last_seen_ms: row.get(4)?,
        expires_ms: row.get(5)?,
        user_agent: row.get(6)?,
        method,
        factors: row.get(8)?,
        proved_ms: row.get(9)?,
        address: row.get(10)?,
    }))
}
