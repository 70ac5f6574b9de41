//! The audit history.

use falconer_store::{AuditEntry, AuditStart, HistoryFilter, HistoryPart, Revision, Step};
use rusqlite::types::Value as Bound;
use rusqlite::{Connection, Row, params, params_from_iter};
use serde_json::Value;

use crate::connection::columns::{all, first, json, read_json, run};
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

/// Newest first. The inner query is what is looked at, by an index; the outer one is what is shown of it.
pub(crate) fn whole(connection: &Connection, wanted: &HistoryFilter, most_looked: u32, limit: u32) -> Res<HistoryPart> {
    let Some((above, below)) = place(connection, wanted)? else { return Ok(HistoryPart::default()) };
    let mut values = vec![Bound::from(above), Bound::from(below)];
    let mut bind = |value: &str| {
        values.push(Bound::from(value.to_owned()));
        format!("?{}", values.len())
    };
    let mut inner = "id > ?1 AND id < ?2".to_owned();
    match (&wanted.actor, &wanted.entity_type, &wanted.entity_id) {
        (_, Some(entity_type), Some(entity_id)) => {
            inner += &format!(" AND entity_type = {} AND entity_id = {}", bind(entity_type), bind(entity_id));
        }
        (Some(actor), ..) => inner += &format!(" AND actor = {}", bind(actor)),
        _ => {}
    }
    let inner_values = inner.matches('?').count();
    let mut outer = "TRUE".to_owned();
    for (column, value) in [("actor", &wanted.actor), ("entity_type", &wanted.entity_type), ("action", &wanted.action)] {
        if let Some(value) = value {
            outer += &format!(" AND {column} = {}", bind(value));
        }
    }
    if let Some(types) = &wanted.types {
        let places: Vec<String> = types.iter().map(|one| bind(one)).collect();
        outer += &format!(" AND entity_type IN ({})", places.join(", "));
    }
    let looked = format!("SELECT {COLUMNS} FROM audit WHERE {inner} ORDER BY id DESC LIMIT {most_looked}");
    let sql = format!("SELECT {COLUMNS} FROM ({looked}) WHERE {outer} ORDER BY id DESC LIMIT {limit}");
    let rows = all(connection, &sql, params_from_iter(&values), read)?;
    if rows.len() >= limit as usize {
        return Ok(HistoryPart { next: rows.last().map(|row| row.number), rows });
    }
    let sql = format!("SELECT COUNT(*), MIN(id) FROM (SELECT id FROM audit WHERE {inner} ORDER BY id DESC LIMIT {most_looked})");
    let (count, lowest): (u32, Option<i64>) =
        first(connection, &sql, params_from_iter(values.iter().take(inner_values)), |row| Ok((row.get(0)?, row.get(1)?)))?
            .unwrap_or_default();
    Ok(HistoryPart { rows, next: lowest.filter(|_| count >= most_looked) })
}

/// Between which rows to look; `None`: there are none.
fn place(connection: &Connection, wanted: &HistoryFilter) -> Res<Option<(i64, i64)>> {
    let mut below = wanted.before.unwrap_or(i64::MAX);
    if let Some(until_ms) = wanted.until_ms {
        let sql = "SELECT id FROM audit WHERE at_ms < ?1 ORDER BY at_ms DESC, id DESC LIMIT 1";
        let Some(newest) = first(connection, sql, params![until_ms], |row| Ok(row.get::<_, i64>(0)?))? else { return Ok(None) };
        below = below.min(newest.saturating_add(1));
    }
    let Some(from_ms) = wanted.from_ms else { return Ok(Some((0, below))) };
    let sql = "SELECT id FROM audit WHERE at_ms >= ?1 ORDER BY at_ms, id LIMIT 1";
    let oldest = first(connection, sql, params![from_ms], |row| Ok(row.get::<_, i64>(0)?))?;
    Ok(oldest.map(|oldest| (oldest.saturating_sub(1), below)))
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
