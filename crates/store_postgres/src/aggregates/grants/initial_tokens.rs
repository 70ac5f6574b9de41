//! What applications register themselves with.

use falconer_store::{ApplicationRecord, Creator, InitialTokenRecord, StoreError};
use tokio_postgres::Row;

use crate::aggregates::grants::applications;
use crate::connection::columns::{Connection, all, first, get, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "id, hash, description, created_by, creator, owner, scopes, max_life_ms, max_uses, uses, created_ms, expires_ms";

/// All of them, ascending.
pub(crate) async fn every(on: &impl Connection) -> Res<Vec<InitialTokenRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM initial_tokens ORDER BY id"), &[], read).await
}

pub(crate) async fn one(on: &impl Connection, hash: &str) -> Res<Option<InitialTokenRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM initial_tokens WHERE hash = $1"), &[&hash], read).await
}

pub(crate) async fn insert(writing: &mut Writing<'_>, token: &InitialTokenRecord) -> Res<()> {
    let sql = format!("INSERT INTO initial_tokens ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)");
    run(
        &writing.transaction,
        &sql,
        &[
            &token.id,
            &token.hash,
            &token.description,
            &token.created_by,
            &token.creator.as_str(),
            &token.owner,
            &token.scopes,
            &token.max_life_ms,
            &token.max_uses,
            &token.uses,
            &token.created_ms,
            &token.expires_ms,
        ],
    )
    .await?;
    writing.changed_silently();
    writing.audit("initial-token", &token.id);
    Ok(())
}

pub(crate) async fn delete(writing: &mut Writing<'_>, id: &str) -> Res<()> {
    if run(&writing.transaction, "DELETE FROM initial_tokens WHERE id = $1", &[&id]).await? > 0 {
        writing.changed_silently();
    }
    writing.audit("initial-token", id);
    Ok(())
}

/// Counts a use and adds what it is used for.
pub(crate) async fn register(writing: &mut Writing<'_>, application: &ApplicationRecord, hash: &str) -> Res<()> {
    let sql = "UPDATE initial_tokens SET uses = uses + 1 WHERE hash = $1 AND uses < max_uses AND expires_ms > $2 RETURNING id";
    let used: Option<String> = first(&writing.transaction, sql, &[&hash, &writing.step.at_ms], |row| get(row, 0)).await?;
    let id = used.ok_or(StoreError::Conflict)?;
    applications::insert(writing, application).await?;
    writing.audit("initial-token", &id);
    Ok(())
}

fn read(row: &Row) -> Res<InitialTokenRecord> {
    Ok(InitialTokenRecord {
        id: get(row, 0)?,
        hash: get(row, 1)?,
        description: get(row, 2)?,
        created_by: get(row, 3)?,
        creator: Creator::of_word(get(row, 4)?),
        owner: get(row, 5)?,
        scopes: get(row, 6)?,
        max_life_ms: get(row, 7)?,
        max_uses: get(row, 8)?,
        uses: get(row, 9)?,
        created_ms: get(row, 10)?,
        expires_ms: get(row, 11)?,
    })
}
