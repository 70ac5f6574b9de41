//! What services say of their scopes.

use falconer_store::{ChangeKind, KeyKind, ScopeRegistryRecord, StoreError};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, first, run};
use crate::connection::fault::{Fault, Res};
use crate::steps::writing::Writing;

const COLUMNS: &str = "namespace, scopes, published_by, created_ms, last_modified_ms";

/// All of them, ascending.
pub(crate) fn every(connection: &Connection) -> Res<Vec<ScopeRegistryRecord>> {
    all(connection, &format!("SELECT {COLUMNS} FROM scope_registries ORDER BY namespace"), [], read)
}

pub(crate) fn one(connection: &Connection, namespace: &str) -> Res<Option<ScopeRegistryRecord>> {
    first(connection, &format!("SELECT {COLUMNS} FROM scope_registries WHERE namespace = ?1"), params![namespace], read)
}

pub(crate) fn put(writing: &mut Writing<'_>, registry: &ScopeRegistryRecord) -> Res<()> {
    let ScopeRegistryRecord { namespace, published_by, created_ms, last_modified_ms, .. } = registry;
    let scopes = registry.scopes_as_json().map_err(not_json)?;
    let sql = "UPDATE scope_registries SET scopes = ?2, published_by = ?3, last_modified_ms = ?4 WHERE namespace = ?1";
    if run(writing.connection, sql, params![namespace, scopes, published_by, last_modified_ms])? > 0 {
        return writing.changed_and_audited(KeyKind::ScopeRegistry, namespace, ChangeKind::Updated);
    }
    let sql = format!("INSERT INTO scope_registries ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5)");
    run(writing.connection, &sql, params![namespace, scopes, published_by, created_ms, last_modified_ms])?;
    writing.changed_and_audited(KeyKind::ScopeRegistry, namespace, ChangeKind::Created)
}

pub(crate) fn delete(writing: &mut Writing<'_>, namespace: &str) -> Res<()> {
    if run(writing.connection, "DELETE FROM scope_registries WHERE namespace = ?1", params![namespace])? > 0 {
        writing.changed(KeyKind::ScopeRegistry, namespace, ChangeKind::Deleted)?;
    }
    writing.audit(KeyKind::ScopeRegistry.as_str(), namespace)
}

fn read(row: &Row<'_>) -> Res<ScopeRegistryRecord> {
    Ok(ScopeRegistryRecord {
        namespace: row.get(0)?,
        scopes: ScopeRegistryRecord::scopes_of_json(row.get_ref(1)?.as_str()?).map_err(not_json)?,
        published_by: row.get(2)?,
        created_ms: row.get(3)?,
        last_modified_ms: row.get(4)?,
    })
}

fn not_json(error: serde_json::Error) -> Fault {
    StoreError::Corrupt(format!("sentences about scopes: {error}")).into()
}
