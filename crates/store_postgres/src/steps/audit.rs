//! The audit history.

use falconer_store::{AuditEntry, AuditStart, HistoryFilter, HistoryPart, Revision, Step};
use tokio_postgres::Row;

use crate::connection::columns::{self, Connection, Value, all, first, get, json, read_json, run};
use crate::connection::fault::Res;
use crate::connection::hash;
use crate::steps::writing::AuditRow;

const COLUMNS: &str = "id, revision, at_ms, actor, grant_id, action, entity_type, entity_id, detail";

/// Writes the rows of a step in one statement, in the order given. Its values are those of [`AuditColumns::values`].
pub(crate) const AUDIT_ROWS: &str =
    "INSERT INTO audit (revision, at_ms, actor, actor_hash, grant_id, action, entity_type, entity_id, entity_hash, detail)
               SELECT $1, $2, $3, $4, $5, action, entity_type, entity_id, entity_hash, detail
                 FROM unnest($6::text[], $7::text[], $8::text[], $9::bytea[], $10::text[]) WITH ORDINALITY
                   AS a (action, entity_type, entity_id, entity_hash, detail, place) ORDER BY place";

/// Audit rows that are still to be written, column by column.
pub(crate) struct AuditColumns<'r> {
    actions: Vec<&'r str>,
    types: Vec<&'r str>,
    ids: Vec<&'r str>,
    hashes: Vec<Vec<u8>>,
    details: Vec<Option<String>>,
}

impl<'r> AuditColumns<'r> {
    pub(crate) fn of(rows: &'r [AuditRow]) -> AuditColumns<'r> {
        let of = |read: fn(&AuditRow) -> &str| rows.iter().map(read).collect::<Vec<_>>();
        AuditColumns {
            actions: of(|row| &row.action),
            types: of(|row| &row.entity_type),
            ids: of(|row| &row.entity_id),
            hashes: rows.iter().map(|row| hash::of(&row.entity_id)).collect(),
            details: rows.iter().map(|row| json(row.detail.as_ref())).collect(),
        }
    }

    pub(crate) fn values<'a>(&'a self, revision: &'a i64, step: &'a Step, actor_hash: &'a Vec<u8>) -> [&'a dyn Value; 10] {
        let AuditColumns { actions, types, ids, hashes, details } = self;
        [revision, &step.at_ms, &step.actor, actor_hash, &step.grant, actions, types, ids, hashes, details]
    }
}

/// The rows of a step where nothing else is written with them.
pub(crate) async fn insert(on: &impl Connection, revision: Revision, step: &Step, rows: &[AuditRow]) -> Res<()> {
    let (columns, actor_hash) = (AuditColumns::of(rows), hash::of(&step.actor));
    run(on, AUDIT_ROWS, &columns.values(&revision.0, step, &actor_hash)).await.map(drop)
}

pub(crate) async fn of_entity(
    on: &impl Connection,
    entity_type: &str,
    entity_id: &str,
    from: AuditStart,
    limit: u32,
) -> Res<Vec<AuditEntry>> {
    let (after, offset) = from.after_and_offset();
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE entity_type = $1 AND entity_hash = $2 AND id > $3 ORDER BY id LIMIT $4 OFFSET $5");
    all(on, &sql, &[&entity_type, &hash::of(entity_id), &after, &i64::from(limit), &offset], read).await
}

pub(crate) async fn of_actor(on: &impl Connection, actor: &str, from: AuditStart, limit: u32) -> Res<Vec<AuditEntry>> {
    let (after, offset) = from.after_and_offset();
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE actor_hash = $1 AND id > $2 ORDER BY id LIMIT $3 OFFSET $4");
    all(on, &sql, &[&hash::of(actor), &after, &i64::from(limit), &offset], read).await
}

pub(crate) async fn of_grant(on: &impl Connection, grant: &str, entity_type: &str, limit: u32) -> Res<Vec<AuditEntry>> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE grant_id = $1 AND entity_type = $2 ORDER BY id LIMIT $3");
    all(on, &sql, &[&grant, &entity_type, &i64::from(limit)], read).await
}

/// Newest first. The inner query is what is looked at, by an index; the outer one is what is shown of it.
pub(crate) async fn whole(on: &impl Connection, wanted: &HistoryFilter, most_looked: u32, limit: u32) -> Res<HistoryPart> {
    let Some((above, below)) = place(on, wanted).await? else { return Ok(HistoryPart::default()) };
    let mut values: Vec<Box<dyn columns::Value + Send>> = vec![Box::new(above), Box::new(below)];
    let mut inner = "id > $1 AND id < $2".to_owned();
    match (&wanted.actor, &wanted.entity_type, &wanted.entity_id) {
        (_, Some(entity_type), Some(entity_id)) => {
            values.push(Box::new(entity_type.clone()));
            values.push(Box::new(hash::of(entity_id)));
            inner += " AND entity_type = $3 AND entity_hash = $4";
        }
        (Some(actor), ..) => {
            values.push(Box::new(hash::of(actor)));
            inner += " AND actor_hash = $3";
        }
        _ => {}
    }
    let inner_values = values.len();
    let mut outer = "TRUE".to_owned();
    for (column, value) in [("actor", &wanted.actor), ("entity_type", &wanted.entity_type), ("action", &wanted.action)] {
        if let Some(value) = value {
            values.push(Box::new(value.clone()));
            outer += &format!(" AND {column} = ${}", values.len());
        }
    }
    if let Some(types) = &wanted.types {
        values.push(Box::new(types.clone()));
        outer += &format!(" AND entity_type = ANY(${})", values.len());
    }
    let params: Vec<&dyn columns::Value> = values.iter().map(|value| &**value as &dyn columns::Value).collect();
    let looked = format!("SELECT {COLUMNS} FROM audit WHERE {inner} ORDER BY id DESC LIMIT {most_looked}");
    let sql = format!("SELECT {COLUMNS} FROM ({looked}) AS looked WHERE {outer} ORDER BY id DESC LIMIT {limit}");
    let rows = all(on, &sql, &params, read).await?;
    if rows.len() >= limit as usize {
        return Ok(HistoryPart { next: rows.last().map(|row| row.number), rows });
    }
    let sql = format!("SELECT COUNT(*), MIN(id) FROM (SELECT id FROM audit WHERE {inner} ORDER BY id DESC LIMIT {most_looked}) AS looked");
    let params = params.get(..inner_values).unwrap_or_default();
    let looked = first(on, &sql, params, |row| Ok((get::<i64>(row, 0)?, get::<Option<i64>>(row, 1)?))).await?;
    let (count, lowest) = looked.unwrap_or_default();
    Ok(HistoryPart { rows, next: lowest.filter(|_| count >= i64::from(most_looked)) })
}

/// Between which rows to look; `None`: there are none.
async fn place(on: &impl Connection, wanted: &HistoryFilter) -> Res<Option<(i64, i64)>> {
    let mut below = wanted.before.unwrap_or(i64::MAX);
    if let Some(until_ms) = wanted.until_ms {
        let sql = "SELECT id FROM audit WHERE at_ms < $1 ORDER BY at_ms DESC, id DESC LIMIT 1";
        let Some(newest) = first(on, sql, &[&until_ms], |row| get::<i64>(row, 0)).await? else { return Ok(None) };
        below = below.min(newest.saturating_add(1));
    }
    let Some(from_ms) = wanted.from_ms else { return Ok(Some((0, below))) };
    let sql = "SELECT id FROM audit WHERE at_ms >= $1 ORDER BY at_ms, id LIMIT 1";
    let oldest = first(on, sql, &[&from_ms], |row| get::<i64>(row, 0)).await?;
    Ok(oldest.map(|oldest| (oldest.saturating_sub(1), below)))
}

/// Removes up to `limit` of the rows before an instant, oldest first; how many there were. The newest stays.
pub(crate) async fn prune(on: &impl Connection, before_ms: i64, limit: u32) -> Res<u64> {
    let sql = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at_ms < $1 AND id < (SELECT MAX(id) FROM audit) ORDER BY at_ms, id LIMIT $2)";
    run(on, sql, &[&before_ms, &i64::from(limit)]).await
}

fn read(row: &Row) -> Res<AuditEntry> {
    Ok(AuditEntry {
        number: get(row, 0)?,
        revision: Revision(get(row, 1)?),
        at_ms: get(row, 2)?,
        actor: get(row, 3)?,
        grant: get(row, 4)?,
        action: get(row, 5)?,
        entity_type: get(row, 6)?,
        entity_id: get(row, 7)?,
        detail: read_json(row, 8)?,
    })
}
