//! What applications register themselves with.

use falconer_store::{ApplicationRecord, Creator, InitialTokenRecord, StoreError};
use rusqlite::{Connection, Row, params};

use crate::aggregates::grants::applications;
use crate::connection::columns::{all, first, list, read_list, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "id, hash, description, created_by, creator, owner, scopes, max_life_ms, max_uses, uses, created_ms, expires_ms";

/// All of them, ascending.
pub(crate) fn every(connection: &Connection) -> Res<Vec<InitialTokenRecord>> {
    all(connection, &format!("SELECT {COLUMNS} FROM initial_tokens ORDER BY id"), [], read)
}

pub(crate) fn one(connection: &Connection, hash: &str) -> Res<Option<InitialTokenRecord>> {
    first(connection, &format!("SELECT {COLUMNS} FROM initial_tokens WHERE hash = ?1"), params![hash], read)
}

pub(crate) fn insert(writing: &mut Writing<'_>, token: &InitialTokenRecord) -> Res<()> {
    let sql = format!("INSERT INTO initial_tokens ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    let values = params![
        token.id,
        token.hash,
        token.description,
        token.created_by,
        token.creator.as_str(),
        token.owner,
        list(&token.scopes)?,
        token.max_life_ms,
        token.max_uses,
        token.uses,
        token.created_ms,
        token.expires_ms,
    ];
    run(writing.connection, &sql, values)?;
    writing.changed_silently();
    writing.audit("initial-token", &token.id)
}

pub(crate) fn delete(writing: &mut Writing<'_>, id: &str) -> Res<()> {
    if run(writing.connection, "DELETE FROM initial_tokens WHERE id = ?1", params![id])? > 0 {
        writing.changed_silently();
    }
    writing.audit("initial-token", id)
}

/// Counts a use and adds what it is used for.
pub(crate) fn register(writing: &mut Writing<'_>, application: &ApplicationRecord, hash: &str) -> Res<()> {
    let sql = "UPDATE initial_tokens SET uses = uses + 1 WHERE hash = ?1 AND uses < max_uses AND expires_ms > ?2 RETURNING id";
    let used: Option<String> = first(writing.connection, sql, params![hash, writing.step.at_ms], |row| Ok(row.get(0)?))?;
    let id = used.ok_or(StoreError::Conflict)?;
    applications::insert(writing, application)?;
    writing.audit("initial-token", &id)
}

fn read(row: &Row<'_>) -> Res<InitialTokenRecord> {
    Ok(InitialTokenRecord {
        id: row.get(0)?,
        hash: row.get(1)?,
        description: row.get(2)?,
        created_by: row.get(3)?,
        creator: Creator::of_word(&row.get::<_, String>(4)?),
        owner: row.get(5)?,
        scopes: read_list(row, 6)?,
        max_life_ms: row.get(7)?,
        max_uses: row.get(8)?,
        uses: row.get(9)?,
        created_ms: row.get(10)?,
        expires_ms: row.get(11)?,
    })
}
