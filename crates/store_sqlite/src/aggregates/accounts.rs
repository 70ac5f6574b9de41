//! Local accounts, and the links that make the first one.

use falconer_store::{AccountRecord, IdentityRecord, Place, SealedKind, Sealer, StoreError};
use rusqlite::{Connection, Row, params};

use crate::aggregates::identities;
use crate::connection::columns::{all, first, list, read_list, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "name, display_name, email, password_hash, groups, scopes, disabled, deleted, created_ms, last_modified_ms";

/// Where an account's password hash lives.
pub(crate) fn password_place(name: &str) -> Place<'_> {
    SealedKind::Account.place(name)
}

pub(crate) fn one(connection: &Connection, sealer: &Sealer, name: &str) -> Res<Option<AccountRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM accounts WHERE name = ?1");
    first(connection, &sql, params![name], |row| read(row, sealer))
}

/// All accounts, ascending.
pub(crate) fn every(connection: &Connection, sealer: &Sealer) -> Res<Vec<AccountRecord>> {
    all(connection, &format!("SELECT {COLUMNS} FROM accounts ORDER BY name"), [], |row| read(row, sealer))
}

pub(crate) fn insert(writing: &mut Writing<'_>, sealer: &Sealer, account: &AccountRecord, identity: &IdentityRecord) -> Res<()> {
    let sql = format!("INSERT INTO accounts ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    let values = params![
        account.name,
        account.display_name,
        account.email,
        sealed_password(sealer, account)?,
        list(&account.groups)?,
        list(&account.scopes)?,
        account.disabled,
        account.deleted,
        account.created_ms,
        account.last_modified_ms,
    ];
    run(writing.connection, &sql, values)?;
    identities::put(writing, identity)?;
    writing.audit("account", &account.name)
}

pub(crate) fn update(writing: &mut Writing<'_>, sealer: &Sealer, account: &AccountRecord, identity: &IdentityRecord) -> Res<()> {
    let sql = "UPDATE accounts SET display_name = ?2, email = ?3, password_hash = ?4, groups = ?5, scopes = ?6, disabled = ?7,
                 deleted = ?8, last_modified_ms = ?9 WHERE name = ?1";
    let values = params![
        account.name,
        account.display_name,
        account.email,
        sealed_password(sealer, account)?,
        list(&account.groups)?,
        list(&account.scopes)?,
        account.disabled,
        account.deleted,
        account.last_modified_ms,
    ];
    if run(writing.connection, sql, values)? == 0 {
        return Err(StoreError::Conflict.into());
    }
    identities::put(writing, identity)?;
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
) -> Res<()> {
    let sql = "UPDATE setup_links SET used_ms = ?2 WHERE hash = ?1 AND used_ms IS NULL AND expires_ms > ?2";
    if run(writing.connection, sql, params![hash, writing.step.at_ms])? == 0 {
        return Err(StoreError::Conflict.into());
    }
    insert(writing, sealer, account, identity)
}

fn sealed_password(sealer: &Sealer, account: &AccountRecord) -> Res<Option<Vec<u8>>> {
    let place = password_place(&account.name);
    Ok(account.password_hash.as_deref().map(|hash| sealer.seal(&place, hash)).transpose()?)
}

fn read(row: &Row<'_>, sealer: &Sealer) -> Res<AccountRecord> {
    let name: String = row.get(0)?;
    let sealed = row.get_ref(3)?.as_blob_or_null()?;
    // One that does not open is none: the account needs a new password.
    let password_hash = sealed.and_then(|sealed| sealer.open_row(&sealer.keys(), SealedKind::Account, &name, sealed).ok());
    Ok(AccountRecord {
        name,
        display_name: row.get(1)?,
        email: row.get(2)?,
        password_hash,
        groups: read_list(row, 4)?,
        scopes: read_list(row, 5)?,
        disabled: row.get(6)?,
        deleted: row.get(7)?,
        created_ms: row.get(8)?,
        last_modified_ms: row.get(9)?,
    })
}
