//! Which applications know of a session, and which have still to be told that one has ended.

use falconer_store::{LogoutRecord, SessionApplication};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, first, run};
use crate::connection::fault::Res;

pub(crate) fn note(connection: &Connection, application: &SessionApplication) -> Res<Option<String>> {
    let sql = "INSERT INTO session_applications (session, application, sid, subject, uri, kept_until_ms)
               SELECT id_hash, ?2, ?3, ?4, ?5, ?6 FROM sessions WHERE id_hash = ?1
               ON CONFLICT (session, application) DO UPDATE SET uri = excluded.uri";
    let SessionApplication { session, application, sid, subject, uri, kept_until_ms } = application;
    if run(connection, sql, params![session, application, sid, subject, uri, kept_until_ms])? == 0 {
        return Ok(None);
    }
    let sql = "SELECT sid FROM session_applications WHERE session = ?1 AND application = ?2";
    first(connection, sql, params![session, application], |row| Ok(row.get(0)?))
}

pub(crate) fn knows(connection: &Connection, sid: &str) -> Res<bool> {
    let sql = "SELECT 1 FROM session_applications JOIN sessions ON id_hash = session WHERE sid = ?1";
    Ok(first(connection, sql, params![sid], |_| Ok(()))?.is_some())
}

/// Their session goes on as this one.
pub(crate) fn carry_on(connection: &Connection, session: &str, successor: &str) -> Res<()> {
    let sql = "UPDATE OR IGNORE session_applications SET session = ?2, kept_until_ms = (SELECT expires_ms FROM sessions WHERE id_hash = ?2)
               WHERE session = ?1 AND EXISTS (SELECT 1 FROM sessions WHERE id_hash = ?2)";
    run(connection, sql, params![session, successor])?;
    Ok(())
}

/// Those who know of sessions of which none is there any more are to be told: of this session, or of those of an identity but for one.
pub(crate) fn queue(connection: &Connection, of: &str, values: impl rusqlite::Params + Clone) -> Res<()> {
    let sql = format!(
        "INSERT OR IGNORE INTO logouts (sid, application, subject, uri, tries, due_ms, claimed_until_ms)
         SELECT sid, application, subject, uri, 0, 0, 0 FROM session_applications WHERE session IN ({of})"
    );
    run(connection, &sql, values.clone())?;
    run(connection, &format!("DELETE FROM session_applications WHERE session IN ({of})"), values)?;
    Ok(())
}

pub(crate) fn is_due(connection: &Connection, now_ms: i64) -> Res<bool> {
    let sql = "SELECT 1 FROM logouts WHERE due_ms <= ?1 AND claimed_until_ms <= ?1 LIMIT 1";
    Ok(first(connection, sql, params![now_ms], |_| Ok(()))?.is_some())
}

pub(crate) fn claim_due(connection: &Connection, now_ms: i64, until_ms: i64, limit: u32, of_one: u32) -> Res<Vec<LogoutRecord>> {
    // One application that does not answer takes no more places than another one.
    let sql = "SELECT sid, application, subject, uri, tries FROM
                 (SELECT *, row_number() OVER (PARTITION BY application ORDER BY due_ms, sid) AS place FROM logouts
                  WHERE due_ms <= ?1 AND claimed_until_ms <= ?1)
               WHERE place <= ?3 ORDER BY due_ms, sid LIMIT ?2";
    let due = all(connection, sql, params![now_ms, limit, of_one], read)?;
    for logout in &due {
        run(connection, "UPDATE logouts SET claimed_until_ms = ?2 WHERE sid = ?1", params![logout.sid, until_ms])?;
    }
    Ok(due)
}

pub(crate) fn put_off(connection: &Connection, sid: &str, due_ms: i64) -> Res<()> {
    let sql = "UPDATE logouts SET tries = tries + 1, due_ms = ?2, claimed_until_ms = 0 WHERE sid = ?1";
    run(connection, sql, params![sid, due_ms])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, sid: &str) -> Res<()> {
    run(connection, "DELETE FROM logouts WHERE sid = ?1", params![sid])?;
    Ok(())
}

fn read(row: &Row<'_>) -> Res<LogoutRecord> {
    Ok(LogoutRecord { sid: row.get(0)?, application: row.get(1)?, subject: row.get(2)?, uri: row.get(3)?, tries: row.get(4)? })
}
