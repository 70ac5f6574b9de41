//! What services say of their scopes.

use falconer_store::{ChangeKind, KeyKind, ScopeRegistryRecord, StoreError};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, first, get, run};
use crate::connection::fault::{Fault, Res};
use crate::steps::writing::Writing;

const COLUMNS: &str = "namespace, scopes, published_by, created_ms, last_modified_ms";

/// All of them, ascending.
pub(crate) async fn every(on: &impl Connection) -> Res<Vec<ScopeRegistryRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM scope_registries ORDER BY namespace"), &[], read).await
}

pub(crate) async fn one(on: &impl Connection, namespace: &str) -> Res<Option<ScopeRegistryRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM scope_registries WHERE namespace = $1"), &[&namespace], read).await
}

pub(crate) async fn put(writing: &mut Writing<'_>, registry: &ScopeRegistryRecord) -> Res<()> {
    let ScopeRegistryRecord { namespace, published_by, created_ms, last_modified_ms, .. } = registry;
    let scopes = registry.scopes_as_json().map_err(not_json)?;
    let sql = "UPDATE scope_registries SET scopes = $2, published_by = $3, last_modified_ms = $4 WHERE namespace = $1";
    if run(&writing.transaction, sql, &[namespace, &scopes, published_by, last_modified_ms]).await? > 0 {
        writing.changed_and_audited(KeyKind::ScopeRegistry, namespace, ChangeKind::Updated);
        return Ok(());
    }
    let sql = format!("INSERT INTO scope_registries ({COLUMNS}) VALUES ($1, $2, $3, $4, $5)");
    run(&writing.transaction, &sql, &[namespace, &scopes, published_by, created_ms, last_modified_ms]).await?;
    writing.changed_and_audited(KeyKind::ScopeRegistry, namespace, ChangeKind::Created);
    Ok(())
}

pub(crate) async fn delete(writing: &mut Writing<'_>, namespace: &str) -> Res<()> {
    if run(&writing.transaction, "DELETE FROM scope_registries WHERE namespace = $1", &[&namespace]).await? > 0 {
        writing.changed(KeyKind::ScopeRegistry, namespace, ChangeKind::Deleted);
    }
    writing.audit(KeyKind::ScopeRegistry.as_str(), namespace);
    Ok(())
}

fn read(row: &Row) -> Res<ScopeRegistryRecord> {
    Ok(ScopeRegistryRecord {
        namespace: get(row, 0)?,
        scopes: ScopeRegistryRecord::scopes_of_json(get(row, 1)?).map_err(not_json)?,
        published_by: get(row, 2)?,
        created_ms: get(row, 3)?,
        last_modified_ms: get(row, 4)?,
    })
}

fn not_json(error: serde_json::Error) -> Fault {
    StoreError::Corrupt(format!("sentences about scopes: {error}")).into()
}
