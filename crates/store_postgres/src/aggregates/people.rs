//! People: which identities are linked with each other.

use falconer_store::{ChangeKind, KeyKind, PersonRecord, StoreError};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, finds, first, get, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "id, name, disabled, created_ms, last_modified_ms";

pub(crate) async fn one(on: &impl Connection, id: &str) -> Res<Option<PersonRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM people WHERE id = $1"), &[&id], read).await
}

/// Those of these people that there are.
pub(crate) async fn among(on: &impl Connection, ids: &[&str]) -> Res<Vec<PersonRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM people WHERE id = ANY($1)"), &[&ids], read).await
}

/// All people, ascending.
pub(crate) async fn every(on: &impl Connection) -> Res<Vec<PersonRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM people ORDER BY id"), &[], read).await
}

/// Writes the record of a new person and its row of the change feed; the audit row is the caller's.
pub(crate) async fn insert(writing: &mut Writing<'_>, person: &PersonRecord) -> Res<()> {
    let sql = format!("INSERT INTO people ({COLUMNS}) VALUES ($1, $2, $3, $4, $5)");
    let values: [&dyn crate::connection::columns::Value; 5] =
        [&person.id, &person.name, &person.disabled, &person.created_ms, &person.last_modified_ms];
    run(&writing.transaction, &sql, &values).await?;
    writing.changed(KeyKind::Person, &person.id, ChangeKind::Created);
    Ok(())
}

pub(crate) async fn update(writing: &mut Writing<'_>, person: &PersonRecord) -> Res<()> {
    write(writing, person).await?;
    writing.audit("person", &person.id);
    Ok(())
}

pub(crate) async fn link(writing: &mut Writing<'_>, identity: &str, from: &str, to: &str, session: Option<&str>) -> Res<()> {
    if let Some(session) = session {
        let sql = "DELETE FROM pending_links WHERE session = $1 AND identity = $2 AND expires_ms > $3";
        changes_one(run(&writing.transaction, sql, &[&session, &identity, &writing.step.at_ms]).await?)?;
    }
    let target = finds(&writing.transaction, "SELECT 1 FROM people WHERE id = $1", &[&to]).await?;
    let others = "SELECT 1 FROM identities WHERE person = $1 AND identity <> $2 LIMIT 1";
    if from == to || !target || finds(&writing.transaction, others, &[&from, &identity]).await? {
        return Err(StoreError::Conflict.into());
    }
    move_identity(writing, identity, from, to).await?;
    changes_one(run(&writing.transaction, "DELETE FROM people WHERE id = $1", &[&from]).await?)?;
    let modified = "UPDATE people SET last_modified_ms = greatest(last_modified_ms, $2) WHERE id = $1";
    run(&writing.transaction, modified, &[&to, &writing.step.at_ms]).await?;
    writing.changed(KeyKind::Person, from, ChangeKind::Deleted);
    writing.changed(KeyKind::Person, to, ChangeKind::Updated);
    audit_move(writing, identity, from, to).await
}

pub(crate) async fn unlink(writing: &mut Writing<'_>, alone: &PersonRecord, left: &PersonRecord) -> Res<()> {
    if alone.name == left.name {
        return Err(StoreError::Conflict.into());
    }
    write(writing, left).await?;
    insert(writing, alone).await?;
    move_identity(writing, &alone.name, &left.id, &alone.id).await?;
    audit_move(writing, &alone.name, &left.id, &alone.id).await
}

/// Name and state, and the row of the change feed.
async fn write(writing: &mut Writing<'_>, person: &PersonRecord) -> Res<()> {
    let sql = "UPDATE people SET name = $2, disabled = $3, last_modified_ms = $4 WHERE id = $1
                 AND EXISTS (SELECT 1 FROM identities WHERE identity = $2 AND person = $1)";
    let rows = run(&writing.transaction, sql, &[&person.id, &person.name, &person.disabled, &person.last_modified_ms]).await?;
    changes_one(rows)?;
    writing.changed(KeyKind::Person, &person.id, ChangeKind::Updated);
    Ok(())
}

async fn move_identity(writing: &mut Writing<'_>, identity: &str, from: &str, to: &str) -> Res<()> {
    let sql = "UPDATE identities SET person = $3 WHERE identity = $1 AND person = $2";
    changes_one(run(&writing.transaction, sql, &[&identity, &from, &to]).await?)?;
    writing.changed(KeyKind::Identity, identity, ChangeKind::Updated);
    Ok(())
}

/// Rows come after all changes, so that they carry the new revision.
async fn audit_move(writing: &mut Writing<'_>, identity: &str, from: &str, to: &str) -> Res<()> {
    writing.audit("identity", identity);
    writing.audit("person", from);
    writing.audit("person", to);
    Ok(())
}

fn changes_one(rows: u64) -> Res<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Conflict.into()) }
}

fn read(row: &Row) -> Res<PersonRecord> {
    Ok(PersonRecord {
        id: get(row, 0)?,
        name: get(row, 1)?,
        disabled: get(row, 2)?,
        created_ms: get(row, 3)?,
        last_modified_ms: get(row, 4)?,
    })
}
