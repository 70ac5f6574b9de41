//! Attempts at passwords and the like, counted in sliding windows.

use falconer_store::ATTEMPTS_AHEAD_MS;
use rusqlite::{Connection, params};

use crate::connection::columns::{first, run};
use crate::connection::fault::Res;

pub(crate) fn count(connection: &Connection, key: &str, now_ms: i64, window_ms: i64) -> Res<u32> {
    let sql = "SELECT coalesce(sum(count), 0) FROM attempts WHERE key = ?1 AND at_ms > ?2 AND at_ms <= ?3";
    let count: i64 =
        first(connection, sql, params![key, now_ms.saturating_sub(window_ms), now_ms.saturating_add(ATTEMPTS_AHEAD_MS)], |row| {
            Ok(row.get(0)?)
        })?
        .unwrap_or(0);
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

pub(crate) fn note(connection: &Connection, key: &str, now_ms: i64, window_ms: i64) -> Res<u32> {
    let sql = "INSERT INTO attempts (key, at_ms, until_ms, count) VALUES (?1, ?2, ?3, 1)
               ON CONFLICT (key, at_ms) DO UPDATE SET count = count + 1, until_ms = max(until_ms, excluded.until_ms)";
    run(connection, sql, params![key, now_ms, now_ms.saturating_add(window_ms)])?;
    // The key's own leftovers go at once, so that a flood of attempts does not pile up until the next pruning; so does what would count when its time has come.
    let sql = "DELETE FROM attempts WHERE key = ?1 AND (until_ms <= ?2 OR at_ms > ?3)";
    run(connection, sql, params![key, now_ms, now_ms.saturating_add(ATTEMPTS_AHEAD_MS)])?;
    count(connection, key, now_ms, window_ms)
}

pub(crate) fn clear(connection: &Connection, key: &str) -> Res<()> {
    run(connection, "DELETE FROM attempts WHERE key = ?1", params![key])?;
    Ok(())
}
