//! The audit history.

use deadpool_postgres::GenericClient;
use falconer_store::{AuditEntry, AuditStart, Revision, Step};
use serde_json::Value;
use tokio_postgres::Row;

use crate::connection::columns::{all, get, json, read_json, run};
use crate::connection::fault::Res;
use crate::connection::hash;

const COLUMNS: &str = "id, revision, at_ms, actor, grant_id, action, entity_type, entity_id, detail";

pub(crate) async fn insert(
    on: &impl GenericClient,
    revision: Revision,
    step: &Step,
    action: &str,
    (entity_type, entity_id): (&str, &str),
    detail: Option<&Value>,
) -> Res<()> {
    let sql = "INSERT INTO audit (revision, at_ms, actor, actor_hash, grant_id, action, entity_type, entity_id, entity_hash, detail)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let (actor_hash, entity_hash) = (hash::of(&step.actor), hash::of(entity_id));
    let detail = json(detail);
    run(
        on,
        sql,
        &[&revision.0, &step.at_ms, &step.actor, &actor_hash, &step.grant, &action, &entity_type, &entity_id, &entity_hash, &detail],
    )
    .await?;
    Ok(())
}

/// The rows of a batch, in the order given.
pub(crate) async fn insert_many(
    on: &impl GenericClient,
    revision: Revision,
    step: &Step,
    actions: &[&str],
    entity_types: &[&str],
    (entity_ids, entity_hashes): (&[&str], &[Vec<u8>]),
) -> Res<()> {
    let sql = "INSERT INTO audit (revision, at_ms, actor, actor_hash, grant_id, action, entity_type, entity_id, entity_hash, detail)
               SELECT $1, $2, $3, $4, $5, action, entity_type, entity_id, entity_hash, $6
                 FROM unnest($7::text[], $8::text[], $9::text[], $10::bytea[]) WITH ORDINALITY
                   AS a (action, entity_type, entity_id, entity_hash, place) ORDER BY place";
    let (actor_hash, detail) = (hash::of(&step.actor), json(step.detail.as_ref()));
    run(
        on,
        sql,
        &[&revision.0, &step.at_ms, &step.actor, &actor_hash, &step.grant, &detail, &actions, &entity_types, &entity_ids, &entity_hashes],
    )
    .await?;
    Ok(())
}

pub(crate) async fn of_entity(
    on: &impl GenericClient,
    entity_type: &str,
    entity_id: &str,
    from: AuditStart,
    limit: u32,
) -> Res<Vec<AuditEntry>> {
    let (after, offset) = from.after_and_offset();
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE entity_type = $1 AND entity_hash = $2 AND id > $3 ORDER BY id LIMIT $4 OFFSET $5");
    all(on, &sql, &[&entity_type, &hash::of(entity_id), &after, &i64::from(limit), &offset], read).await
}

pub(crate) async fn of_actor(on: &impl GenericClient, actor: &str, from: AuditStart, limit: u32) -> Res<Vec<AuditEntry>> {
    let (after, offset) = from.after_and_offset();
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE actor_hash = $1 AND id > $2 ORDER BY id LIMIT $3 OFFSET $4");
    all(on, &sql, &[&hash::of(actor), &after, &i64::from(limit), &offset], read).await
}

pub(crate) async fn of_grant(on: &impl GenericClient, grant: &str, entity_type: &str, limit: u32) -> Res<Vec<AuditEntry>> {
    let sql = format!("SELECT {COLUMNS} FROM audit WHERE grant_id = $1 AND entity_type = $2 ORDER BY id LIMIT $3");
    all(on, &sql, &[&grant, &entity_type, &i64::from(limit)], read).await
}

/// Removes up to `limit` of the rows before an instant, oldest first; how many there were. The newest stays.
pub(crate) async fn prune(on: &impl GenericClient, before_ms: i64, limit: u32) -> Res<u64> {
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
