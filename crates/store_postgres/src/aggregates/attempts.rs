//! Attempts at passwords and the like, counted in sliding windows.

use falconer_store::ATTEMPTS_AHEAD_MS;

use crate::connection::columns::{Connection, first, get, run};
use crate::connection::fault::Res;
use crate::connection::transaction::Transaction;

pub(crate) async fn count(on: &impl Connection, key: &str, now_ms: i64, window_ms: i64) -> Res<u32> {
    let sql = "SELECT coalesce(sum(count), 0)::bigint FROM attempts WHERE key = $1 AND at_ms > $2 AND at_ms <= $3";
    let count: i64 =
        first(on, sql, &[&key, &now_ms.saturating_sub(window_ms), &now_ms.saturating_add(ATTEMPTS_AHEAD_MS)], |row| get(row, 0))
            .await?
            .unwrap_or(0);
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Attempts at one key take turns, so that each sees all before it.
pub(crate) async fn note(on: &Transaction<'_>, key: &str, now_ms: i64, window_ms: i64) -> Res<u32> {
    run(on, "SELECT pg_advisory_xact_lock($1, hashtext($2))", &[&ATTEMPTS, &key]).await?;
    let sql = "INSERT INTO attempts AS a (key, at_ms, until_ms, count) VALUES ($1, $2, $3, 1)
               ON CONFLICT (key, at_ms) DO UPDATE SET count = a.count + 1, until_ms = greatest(a.until_ms, excluded.until_ms)";
    run(on, sql, &[&key, &now_ms, &now_ms.saturating_add(window_ms)]).await?;
    // The key's own leftovers go at once, so that a flood of attempts does not pile up until the next pruning; so does what would count when its time has come.
    let sql = "DELETE FROM attempts WHERE key = $1 AND (until_ms <= $2 OR at_ms > $3)";
    run(on, sql, &[&key, &now_ms, &now_ms.saturating_add(ATTEMPTS_AHEAD_MS)]).await?;
    count(on, key, now_ms, window_ms).await
}

/// The class of the advisory locks of keys: `FALA`.
const ATTEMPTS: i32 = 0x4641_4c41;

pub(crate) async fn clear(on: &impl Connection, key: &str) -> Res<()> {
    run(on, "DELETE FROM attempts WHERE key = $1", &[&key]).await?;
    Ok(())
}
