//! Local accounts, and the links that make the first one.

pub(crate) mod links;

use falconer_store::{AccountRecord, IdentityRecord, Sealer, StoreError};
use rusqlite::{Connection, Row, params};

use crate::aggregates::{clients, credentials, identities};
use crate::connection::columns::{all, first, list, read_list, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "name, display_name, email, groups, scopes, disabled, deleted, created_ms, last_modified_ms, email_within";

pub(crate) fn one(connection: &Connection, name: &str) -> Res<Option<AccountRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM accounts WHERE name = ?1");
    first(connection, &sql, params![name], read)
}

/// All accounts, ascending.
pub(crate) fn every(connection: &Connection) -> Res<Vec<AccountRecord>> {
    all(connection, &format!("SELECT {COLUMNS} FROM accounts ORDER BY name"), [], read)
}

pub(crate) fn insert(
    writing: &mut Writing<'_>,
    sealer: &Sealer,
    account: &AccountRecord,
    identity: &IdentityRecord,
    password_hash: Option<&str>,
) -> Res<()> {
    let sql = format!("INSERT INTO accounts ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    let values = params![
        account.name,
        account.display_name,
        account.email,
        list(&account.groups)?,
        list(&account.scopes)?,
        account.disabled,
        account.deleted,
        account.created_ms,
        account.last_modified_ms,
        account.email_within.as_deref().map(list).transpose()?,
    ];
    run(writing.connection, &sql, values)?;
    credentials::set_password(writing.connection, sealer, &account.name, password_hash)?;
    identities::put(writing, identity)?;
    writing.audit("account", &account.name)
}

pub(crate) fn update(writing: &mut Writing<'_>, account: &AccountRecord, identity: &IdentityRecord, disable: &[String]) -> Res<()> {
    let sql = "UPDATE accounts SET display_name = ?2, email = ?3, groups = ?4, scopes = ?5, disabled = ?6,
                 deleted = ?7, last_modified_ms = ?8, email_within = ?9 WHERE name = ?1";
    let values = params![
        account.name,
        account.display_name,
        account.email,
        list(&account.groups)?,
        list(&account.scopes)?,
        account.disabled,
        account.deleted,
        account.last_modified_ms,
        account.email_within.as_deref().map(list).transpose()?,
    ];
    if run(writing.connection, sql, values)? == 0 {
        return Err(StoreError::Conflict.into());
    }
    if account.deleted {
        credentials::delete(writing.connection, &account.name)?;
    }
    identities::put(writing, identity)?;
    disable.iter().try_for_each(|client_id| clients::disable(writing, client_id))?;
    writing.audit("account", &account.name)
}

pub(crate) fn put_setup_link(connection: &Connection, hash: &str, expires_ms: i64) -> Res<()> {
    run(connection, "INSERT INTO setup_links (hash, expires_ms) VALUES (?1, ?2)", params![hash, expires_ms])?;
    Ok(())
}

pub(crate) fn setup_link_valid(connection: &Connection, hash: &str, now_ms: i64) -> Res<bool> {
    let sql = "SELECT 1 FROM setup_links WHERE hash = ?1 AND used_ms IS NULL AND expires_ms > ?2";
    Ok(first(connection, sql, params![hash, now_ms], |_| Ok(()))?.is_some())
}

pub(crate) fn complete_setup(
    writing: &mut Writing<'_>,
    sealer: &Sealer,
    hash: &str,
    account: &AccountRecord,
    identity: &IdentityRecord,
    password_hash: Option<&str>,
) -> Res<()> {
    let sql = "UPDATE setup_links SET used_ms = ?2 WHERE hash = ?1 AND used_ms IS NULL AND expires_ms > ?2";
    if run(writing.connection, sql, params![hash, writing.step.at_ms])? == 0 {
        return Err(StoreError::Conflict.into());
    }
    insert(writing, sealer, account, identity, password_hash)
}

fn read(row: &Row<'_>) -> Res<AccountRecord> {
    let bounded = row.get_ref(9)?.as_str_or_null()?.is_some();
    Ok(AccountRecord {
        name: row.get(0)?,
        display_name: row.get(1)?,
        email: row.get(2)?,
        email_within: bounded.then(|| read_list(row, 9)).transpose()?,
        groups: read_list(row, 3)?,
        scopes: read_list(row, 4)?,
        disabled: row.get(5)?,
        deleted: row.get(6)?,
        created_ms: row.get(7)?,
        last_modified_ms: row.get(8)?,
    })
}
