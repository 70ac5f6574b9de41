//! Which applications know of a session, and which have still to be told that one has ended.

use falconer_store::{LogoutRecord, SessionApplication};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, finds, first, get, run};
use crate::connection::fault::Res;

pub(crate) async fn note(on: &impl Connection, application: &SessionApplication) -> Res<Option<String>> {
    // Whoever ends the session waits until it is noted.
    let sql = "INSERT INTO session_applications (session, application, sid, subject, uri, kept_until_ms)
               SELECT id_hash, $2, $3, $4, $5, $6 FROM sessions WHERE id_hash = $1 FOR SHARE
               ON CONFLICT (session, application) DO UPDATE SET uri = excluded.uri
               RETURNING sid";
    let SessionApplication { session, application, sid, subject, uri, kept_until_ms } = application;
    first(on, sql, &[session, application, sid, subject, uri, kept_until_ms], |row| get(row, 0)).await
}

pub(crate) async fn knows(on: &impl Connection, sid: &str) -> Res<bool> {
    let sql = "SELECT 1 FROM session_applications JOIN sessions ON id_hash = session WHERE sid = $1";
    finds(on, sql, &[&sid]).await
}

/// Their session goes on as this one.
pub(crate) async fn carry_on(on: &impl Connection, session: &str, successor: &str) -> Res<()> {
    let sql = "UPDATE session_applications AS known SET session = id_hash, kept_until_ms = expires_ms FROM sessions
               WHERE session = $1 AND id_hash = $2
                 AND NOT EXISTS (SELECT 1 FROM session_applications WHERE session = $2 AND application = known.application)";
    run(on, sql, &[&session, &successor]).await?;
    Ok(())
}

pub(crate) async fn claim_due(on: &impl Connection, now_ms: i64, until_ms: i64, limit: u32, of_one: u32) -> Res<Vec<LogoutRecord>> {
    // One application that does not answer takes no more places than another one. Rows that another node is claiming at this moment are its own.
    let sql = "UPDATE logouts SET claimed_until_ms = $2 WHERE sid IN
                 (SELECT sid FROM logouts WHERE claimed_until_ms <= $1 AND sid IN
                    (SELECT sid FROM
                       (SELECT sid, due_ms, row_number() OVER (PARTITION BY application ORDER BY due_ms, sid) AS place FROM logouts
                        WHERE due_ms <= $1 AND claimed_until_ms <= $1) AS ranked
                     WHERE place <= $4 ORDER BY due_ms, sid LIMIT $3)
                  FOR UPDATE SKIP LOCKED)
               RETURNING sid, application, subject, uri, tries, due_ms";
    let (limit, of_one) = (i64::from(limit), i64::from(of_one));
    let read = |row: &Row| Ok((get::<i64>(row, 5)?, read(row)?));
    let mut due = all(on, sql, &[&now_ms, &until_ms, &limit, &of_one], read).await?;
    due.sort_by(|(a_ms, a), (b_ms, b)| (a_ms, &a.sid).cmp(&(b_ms, &b.sid)));
    Ok(due.into_iter().map(|(_, logout)| logout).collect())
}

pub(crate) async fn put_off(on: &impl Connection, sid: &str, due_ms: i64) -> Res<()> {
    let sql = "UPDATE logouts SET tries = tries + 1, due_ms = $2, claimed_until_ms = 0 WHERE sid = $1";
    run(on, sql, &[&sid, &due_ms]).await?;
    Ok(())
}

pub(crate) async fn delete(on: &impl Connection, sid: &str) -> Res<()> {
    run(on, "DELETE FROM logouts WHERE sid = $1", &[&sid]).await?;
    Ok(())
}

fn read(row: &Row) -> Res<LogoutRecord> {
    let tries: i64 = get(row, 4)?;
    Ok(LogoutRecord {
        sid: get(row, 0)?,
        application: get(row, 1)?,
        subject: get(row, 2)?,
        uri: get(row, 3)?,
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
    })
}
