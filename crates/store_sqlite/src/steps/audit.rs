//! The audit history.

use falconer_store::{AuditEntry, Revision, Step};
use rusqlite::{Connection, Row, params};
use serde_json::Value;

use crate::connection::columns::{all, json, read_json, run};
use crate::connection::fault::Res;

const COLUMNS: &str = "revision, at_ms, actor, grant_id, action, entity_type, entity_id, detail";

pub(crate) fn insert(
    connection: &Connection,
    revision: Revision,
    step: &Step,
    action: &str,
    entity_type: &str,
    entity_id: &str,
    detail: Option<&Value>,
) -> Res<()> {
    let sql = "INSERT INTO audit (revision, at_ms, actor, grant_id, action, entity_type, entity_id, detail)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let detail = json(detail);
    let values = params![revision.0, step.at_ms, step.actor, step.grant, action, entity_type, entity_id, detail];
    run(connection, sql, values)?;
    Ok(())
}

pub(crate) fn of_entity(connection: &Connection, entity_type: &str, entity_id: &str, offset: u64, limit: u32) -> Res<Vec<AuditEntry>> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE entity_type = ?1 AND entity_id = ?2 ORDER BY id LIMIT ?3 OFFSET ?4");
    all(connection, &sql, params![entity_type, entity_id, limit, at_most_i64(offset)], read)
}

pub(crate) fn of_actor(connection: &Connection, actor: &str, offset: u64, limit: u32) -> Res<Vec<AuditEntry>> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE actor = ?1 ORDER BY id LIMIT ?2 OFFSET ?3");
    all(connection, &sql, params![actor, limit, at_most_i64(offset)], read)
}

pub(crate) fn of_grant(connection: &Connection, grant: &str, entity_type: &str, limit: u32) -> Res<Vec<AuditEntry>> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE grant_id = ?1 AND entity_type = ?2 ORDER BY id LIMIT ?3");
    all(connection, &sql, params![grant, entity_type, limit], read)
}

/// Removes up to `limit` of the rows before an instant, oldest first; how many there were.
pub(crate) fn prune(connection: &Connection, before_ms: i64, limit: u32) -> Res<u64> {
    let sql = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at_ms < ?1 ORDER BY at_ms, id LIMIT ?2)";
    Ok(run(connection, sql, params![before_ms, limit])? as u64)
}

fn at_most_i64(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

fn read(row: &Row<'_>) -> Res<AuditEntry> {
    Ok(AuditEntry {
        revision: Revision(row.get(0)?),
        at_ms: row.get(1)?,
        actor: row.get(2)?,
        grant: row.get(3)?,
        action: row.get(4)?,
        entity_type: row.get(5)?,
        entity_id: row.get(6)?,
        detail: read_json(row, 7)?,
    })
}
