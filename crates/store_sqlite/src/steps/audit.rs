//! The audit history.

use falconer_store::{AuditEntry, AuditStart, Revision, Step};
use rusqlite::{Connection, Row, params};
use serde_json::Value;

use crate::connection::columns::{all, json, read_json, run};
use crate::connection::fault::Res;

const COLUMNS: &str = "id, revision, at_ms, actor, grant_id, action, entity_type, entity_id, detail";

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

pub(crate) fn of_entity(connection: &Connection, entity_type: &str, entity_id: &str, from: AuditStart, limit: u32) -> Res<Vec<AuditEntry>> {
    let (after, offset) = from.after_and_offset();
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE entity_type = ?1 AND entity_id = ?2 AND id > ?3 ORDER BY id LIMIT ?4 OFFSET ?5");
    all(connection, &sql, params![entity_type, entity_id, after, limit, offset], read)
}

pub(crate) fn of_actor(connection: &Connection, actor: &str, from: AuditStart, limit: u32) -> Res<Vec<AuditEntry>> {
    let (after, offset) = from.after_and_offset();
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE actor = ?1 AND id > ?2 ORDER BY id LIMIT ?3 OFFSET ?4");
    all(connection, &sql, params![actor, after, limit, offset], read)
}

pub(crate) fn of_grant(connection: &Connection, grant: &str, entity_type: &str, limit: u32) -> Res<Vec<AuditEntry>> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE grant_id = ?1 AND entity_type = ?2 ORDER BY id LIMIT ?3");
    all(connection, &sql, params![grant, entity_type, limit], read)
}

/// Removes up to `limit` of the rows before an instant, oldest first; how many there were. The newest stays: a table that has been emptied counts from 1 again.
pub(crate) fn prune(connection: &Connection, before_ms: i64, limit: u32) -> Res<u64> {
    let sql = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at_ms < ?1 AND id < (SELECT MAX(id) FROM audit) ORDER BY at_ms, id LIMIT ?2)";
    Ok(run(connection, sql, params![before_ms, limit])? as u64)
}

fn read(row: &Row<'_>) -> Res<AuditEntry> {
    Ok(AuditEntry {
        number: row.get(0)?,
        revision: Revision(row.get(1)?),
        at_ms: row.get(2)?,
        actor: row.get(3)?,
        grant: row.get(4)?,
        action: row.get(5)?,
        entity_type: row.get(6)?,
        entity_id: row.get(7)?,
        detail: read_json(row, 8)?,
    })
}
