//! What only one process does, by the clock that SQLite has.

use rusqlite::{Connection, params};

use crate::connection::columns::run;
use crate::connection::fault::Res;

pub(crate) fn take(connection: &Connection, name: &str, holder: &str, for_ms: i64) -> Res<bool> {
    let sql = "INSERT INTO leases AS l (name, holder, until_ms) VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000 AS INTEGER) + ?3)
               ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
                 WHERE l.holder = excluded.holder OR l.until_ms <= CAST(unixepoch('subsec') * 1000 AS INTEGER)";
    Ok(run(connection, sql, params![name, holder, for_ms])? > 0)
}

pub(crate) fn end(connection: &Connection, name: &str, holder: &str) -> Res<()> {
    run(connection, "DELETE FROM leases WHERE name = ?1 AND holder = ?2", params![name, holder]).map(drop)
}
