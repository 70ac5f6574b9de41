//! People: which identities are linked with each other.

use falconer_store::{ChangeKind, KeyKind, PersonRecord, StoreError};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, first, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "id, name, disabled, created_ms, last_modified_ms";

pub(crate) fn one(connection: &Connection, id: &str) -> Res<Option<PersonRecord>> {
    first(connection, &format!("SELECT {COLUMNS} FROM people WHERE id = ?1"), params![id], read)
}

/// All people, ascending.
pub(crate) fn every(connection: &Connection) -> Res<Vec<PersonRecord>> {
    all(connection, &format!("SELECT {COLUMNS} FROM people ORDER BY id"), [], read)
}

/// Writes the record of a new person and its row of the change feed; the audit row is the caller's.
pub(crate) fn insert(writing: &mut Writing<'_>, person: &PersonRecord) -> Res<()> {
    let sql = format!("INSERT INTO people ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5)");
    let values = params![person.id, person.name, person.disabled, person.created_ms, person.last_modified_ms];
    run(writing.connection, &sql, values)?;
    writing.changed(KeyKind::Person, &person.id, ChangeKind::Created)
}

pub(crate) fn update(writing: &mut Writing<'_>, person: &PersonRecord) -> Res<()> {
    write(writing, person)?;
    writing.audit("person", &person.id)
}

pub(crate) fn link(writing: &mut Writing<'_>, identity: &str, from: &str, to: &str, session: Option<&str>) -> Res<()> {
    if let Some(session) = session {
        let sql = "DELETE FROM pending_links WHERE session = ?1 AND identity = ?2 AND expires_ms > ?3";
        changes_one(run(writing.connection, sql, params![session, identity, writing.step.at_ms])?)?;
    }
    let target = first(writing.connection, "SELECT 1 FROM people WHERE id = ?1", params![to], |_| Ok(()))?;
    let others = "SELECT 1 FROM identities WHERE person = ?1 AND identity <> ?2 LIMIT 1";
    if from == to || target.is_none() || first(writing.connection, others, params![from, identity], |_| Ok(()))?.is_some() {
        return Err(StoreError::Conflict.into());
    }
    move_identity(writing, identity, from, to)?;
    changes_one(run(writing.connection, "DELETE FROM people WHERE id = ?1", params![from])?)?;
    let modified = "UPDATE people SET last_modified_ms = max(last_modified_ms, ?2) WHERE id = ?1";
    run(writing.connection, modified, params![to, writing.step.at_ms])?;
    writing.changed(KeyKind::Person, from, ChangeKind::Deleted)?;
    writing.changed(KeyKind::Person, to, ChangeKind::Updated)?;
    audit_move(writing, identity, from, to)
}

pub(crate) fn unlink(writing: &mut Writing<'_>, alone: &PersonRecord, left: &PersonRecord) -> Res<()> {
    if alone.name == left.name {
        return Err(StoreError::Conflict.into());
    }
    write(writing, left)?;
    insert(writing, alone)?;
    move_identity(writing, &alone.name, &left.id, &alone.id)?;
    audit_move(writing, &alone.name, &left.id, &alone.id)
}

/// Name and state, and the row of the change feed.
fn write(writing: &mut Writing<'_>, person: &PersonRecord) -> Res<()> {
    let sql = "UPDATE people SET name = ?2, disabled = ?3, last_modified_ms = ?4 WHERE id = ?1
                 AND EXISTS (SELECT 1 FROM identities WHERE identity = ?2 AND person = ?1)";
    changes_one(run(writing.connection, sql, params![person.id, person.name, person.disabled, person.last_modified_ms])?)?;
    writing.changed(KeyKind::Person, &person.id, ChangeKind::Updated)
}

fn move_identity(writing: &mut Writing<'_>, identity: &str, from: &str, to: &str) -> Res<()> {
    let sql = "UPDATE identities SET person = ?3 WHERE identity = ?1 AND person = ?2";
    changes_one(run(writing.connection, sql, params![identity, from, to])?)?;
    writing.changed(KeyKind::Identity, identity, ChangeKind::Updated)
}

/// Rows come after all changes, so that they carry the new revision.
fn audit_move(writing: &mut Writing<'_>, identity: &str, from: &str, to: &str) -> Res<()> {
    writing.audit("identity", identity)?;
    writing.audit("person", from)?;
    writing.audit("person", to)
}

fn changes_one(rows: usize) -> Res<()> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Conflict.into()) }
}

fn read(row: &Row<'_>) -> Res<PersonRecord> {
    Ok(PersonRecord { id: row.get(0)?, name: row.get(1)?, disabled: row.get(2)?, created_ms: row.get(3)?, last_modified_ms: row.get(4)? })
}
