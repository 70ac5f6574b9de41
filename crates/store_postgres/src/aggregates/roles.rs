//! Roles.

use falconer_store::{ChangeKind, KeyKind, RoleRecord, StoreError};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, get, run};
use crate::connection::fault::Res;
use crate::connection::hash;
use crate::steps::writing::{NewRecord, Writing};

const COLUMNS: &str = "role_id, scopes, description, created_ms, last_modified_ms";

/// All roles, ascending.
pub(crate) async fn every(on: &impl Connection) -> Res<Vec<RoleRecord>> {
    // In order here: many of them would go through a file of the database to be sorted there.
    let mut roles = all(on, &format!("SELECT {COLUMNS} FROM roles"), &[], read).await?;
    roles.sort_unstable_by(|one, other| one.role_id.cmp(&other.role_id));
    Ok(roles)
}

/// Those of these roles that there are.
pub(crate) async fn among(on: &impl Connection, ids: &[&str]) -> Res<Vec<RoleRecord>> {
    let hashes: Vec<Vec<u8>> = ids.iter().map(|id| hash::of(id)).collect();
    all(on, &format!("SELECT {COLUMNS} FROM roles WHERE id_hash = ANY($1)"), &[&hashes], read).await
}

pub(crate) async fn insert<'a>(writing: &mut Writing<'a>, roles: &'a [RoleRecord]) -> Res<()> {
    for role in roles {
        writing.add(KeyKind::Role, &role.role_id, NewRecord::Role(role)).await?;
    }
    Ok(())
}

pub(crate) async fn update(writing: &mut Writing<'_>, role: &RoleRecord) -> Res<()> {
    replace(&writing.transaction, role).await?;
    writing.changed_and_audited(KeyKind::Role, &role.role_id, ChangeKind::Updated);
    Ok(())
}

pub(crate) async fn delete(writing: &mut Writing<'_>, role_id: &str) -> Res<()> {
    if run(&writing.transaction, "DELETE FROM roles WHERE id_hash = $1", &[&hash::of(role_id)]).await? > 0 {
        writing.changed(KeyKind::Role, role_id, ChangeKind::Deleted);
    }
    writing.audit(KeyKind::Role.as_str(), role_id);
    Ok(())
}

pub(crate) async fn add(on: &impl Connection, role: &RoleRecord) -> Res<()> {
    let sql = format!("INSERT INTO roles (id_hash, {COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)");
    let id_hash = hash::of(&role.role_id);
    run(on, &sql, &[&id_hash, &role.role_id, &role.scopes, &role.description, &role.created_ms, &role.last_modified_ms]).await?;
    Ok(())
}

/// Conflict when it is gone.
pub(crate) async fn replace(on: &impl Connection, role: &RoleRecord) -> Res<()> {
    let sql = "UPDATE roles SET scopes = $2, description = $3, created_ms = $4, last_modified_ms = $5 WHERE id_hash = $1";
    let id_hash = hash::of(&role.role_id);
    if run(on, sql, &[&id_hash, &role.scopes, &role.description, &role.created_ms, &role.last_modified_ms]).await? == 0 {
        return Err(StoreError::Conflict.into());
    }
    Ok(())
}

fn read(row: &Row) -> Res<RoleRecord> {
    Ok(RoleRecord {
        role_id: get(row, 0)?,
        scopes: get(row, 1)?,
        description: get(row, 2)?,
        created_ms: get(row, 3)?,
        last_modified_ms: get(row, 4)?,
    })
}
