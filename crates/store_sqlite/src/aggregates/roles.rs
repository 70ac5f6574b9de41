//! Roles.

use falconer_store::{ChangeKind, KeyKind, RoleRecord, StoreError};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, first, list, read_list, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

/// All roles, ascending.
pub(crate) fn every(connection: &Connection) -> Res<Vec<RoleRecord>> {
    let sql = "SELECT role_id, scopes, description, created_ms, last_modified_ms FROM roles ORDER BY role_id";
    all(connection, sql, [], read)
}

pub(crate) fn one(connection: &Connection, role_id: &str) -> Res<Option<RoleRecord>> {
    let sql = "SELECT role_id, scopes, description, created_ms, last_modified_ms FROM roles WHERE role_id = ?1";
    first(connection, sql, params![role_id], read)
}

/// Adds the role, or replaces it where it is not exactly so already; what happened to it, if anything.
pub(crate) fn put_differing(connection: &Connection, role: &RoleRecord) -> Res<Option<ChangeKind>> {
    let stored = one(connection, &role.role_id)?;
    if stored.as_ref() == Some(role) {
        return Ok(None);
    }
    let sql = "INSERT INTO roles (role_id, scopes, description, created_ms, last_modified_ms) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (role_id) DO UPDATE SET scopes = excluded.scopes, description = excluded.description,
                 created_ms = excluded.created_ms, last_modified_ms = excluded.last_modified_ms";
    let values = params![role.role_id, list(&role.scopes)?, role.description, role.created_ms, role.last_modified_ms];
    run(connection, sql, values)?;
    Ok(Some(if stored.is_some() { ChangeKind::Updated } else { ChangeKind::Created }))
}

pub(crate) fn insert(writing: &mut Writing<'_>, roles: &[RoleRecord]) -> Res<()> {
    let sql = "INSERT INTO roles (role_id, scopes, description, created_ms, last_modified_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
    for role in roles {
        let values = params![role.role_id, list(&role.scopes)?, role.description, role.created_ms, role.last_modified_ms];
        run(writing.connection, sql, values)?;
        writing.changed_and_audited(KeyKind::Role, &role.role_id, ChangeKind::Created)?;
    }
    Ok(())
}

pub(crate) fn update(writing: &mut Writing<'_>, role: &RoleRecord) -> Res<()> {
    let sql = "UPDATE roles SET scopes = ?2, description = ?3, created_ms = ?4, last_modified_ms = ?5 WHERE role_id = ?1";
    let values = params![role.role_id, list(&role.scopes)?, role.description, role.created_ms, role.last_modified_ms];
    if run(writing.connection, sql, values)? == 0 {
        return Err(StoreError::Conflict.into());
    }
    writing.changed_and_audited(KeyKind::Role, &role.role_id, ChangeKind::Updated)
}

pub(crate) fn delete(writing: &mut Writing<'_>, role_id: &str) -> Res<()> {
    if run(writing.connection, "DELETE FROM roles WHERE role_id = ?1", params![role_id])? > 0 {
        writing.changed(KeyKind::Role, role_id, ChangeKind::Deleted)?;
    }
    writing.audit(KeyKind::Role.as_str(), role_id)
}

fn read(row: &Row<'_>) -> Res<RoleRecord> {
    Ok(RoleRecord {
        role_id: row.get(0)?,
        scopes: read_list(row, 1)?,
        description: row.get(2)?,
        created_ms: row.get(3)?,
        last_modified_ms: row.get(4)?,
    })
}
