//! Local accounts, and the links that make the first one.

use deadpool_postgres::GenericClient;
use falconer_store::{AccountRecord, IdentityRecord, Place, SealedKind, Sealer, StoreError};
use tokio_postgres::Row;

use crate::aggregates::identities;
use crate::connection::columns::{all, finds, first, get, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "name, display_name, email, password_hash, groups, scopes, disabled, deleted, created_ms, last_modified_ms";

/// Where an account's password hash lives.
pub(crate) fn password_place(name: &str) -> Place<'_> {
    SealedKind::Account.place(name)
}

pub(crate) async fn one(on: &impl GenericClient, sealer: &Sealer, name: &str) -> Res<Option<AccountRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM accounts WHERE name = $1"), &[&name], |row| read(row, sealer)).await
}

/// All accounts, ascending.
pub(crate) async fn every(on: &impl GenericClient, sealer: &Sealer) -> Res<Vec<AccountRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM accounts ORDER BY name"), &[], |row| read(row, sealer)).await
}

pub(crate) async fn insert(writing: &mut Writing<'_>, sealer: &Sealer, account: &AccountRecord, identity: &IdentityRecord) -> Res<()> {
    let sql = format!("INSERT INTO accounts ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    let sealed = sealed_password(sealer, account)?;
    run(
        &writing.transaction,
        &sql,
        &[
            &account.name,
            &account.display_name,
            &account.email,
            &sealed,
            &account.groups,
            &account.scopes,
            &account.disabled,
            &account.deleted,
            &account.created_ms,
            &account.last_modified_ms,
        ],
    )
    .await?;
    identities::put(writing, identity).await?;
    writing.audit("account", &account.name).await
}

pub(crate) async fn update(writing: &mut Writing<'_>, sealer: &Sealer, account: &AccountRecord, identity: &IdentityRecord) -> Res<()> {
    let sql = "UPDATE accounts SET display_name = $2, email = $3, password_hash = $4, groups = $5, scopes = $6, disabled = $7,
                 deleted = $8, last_modified_ms = $9 WHERE name = $1";
    let sealed = sealed_password(sealer, account)?;
    let touched = run(
        &writing.transaction,
        sql,
        &[
            &account.name,
            &account.display_name,
            &account.email,
            &sealed,
            &account.groups,
            &account.scopes,
            &account.disabled,
            &account.deleted,
            &account.last_modified_ms,
        ],
    )
    .await?;
    if touched == 0 {
        return Err(StoreError::Conflict.into());
    }
    identities::put(writing, identity).await?;
    writing.audit("account", &account.name).await
}

pub(crate) async fn put_setup_link(on: &impl GenericClient, hash: &str, expires_ms: i64) -> Res<()> {
    run(on, "INSERT INTO setup_links (hash, expires_ms) VALUES ($1, $2)", &[&hash, &expires_ms]).await?;
    Ok(())
}

pub(crate) async fn setup_link_valid(on: &impl GenericClient, hash: &str, now_ms: i64) -> Res<bool> {
    finds(on, "SELECT 1 FROM setup_links WHERE hash = $1 AND used_ms IS NULL AND expires_ms > $2", &[&hash, &now_ms]).await
}

pub(crate) async fn complete_setup(
    writing: &mut Writing<'_>,
    sealer: &Sealer,
    hash: &str,
    account: &AccountRecord,
    identity: &IdentityRecord,
) -> Res<()> {
    let sql = "UPDATE setup_links SET used_ms = $2 WHERE hash = $1 AND used_ms IS NULL AND expires_ms > $2";
    if run(&writing.transaction, sql, &[&hash, &writing.step.at_ms]).await? == 0 {
        return Err(StoreError::Conflict.into());
    }
    insert(writing, sealer, account, identity).await
}

fn sealed_password(sealer: &Sealer, account: &AccountRecord) -> Res<Option<Vec<u8>>> {
    let place = password_place(&account.name);
    Ok(account.password_hash.as_deref().map(|hash| sealer.seal(&place, hash)).transpose()?)
}

fn read(row: &Row, sealer: &Sealer) -> Res<AccountRecord> {
    let name: String = get(row, 0)?;
    let sealed: Option<&[u8]> = get(row, 3)?;
    // One that does not open is none: the account needs a new password.
    let password_hash = sealed.and_then(|sealed| sealer.open_row(&sealer.keys(), SealedKind::Account, &name, sealed).ok());
    Ok(AccountRecord {
        name,
        display_name: get(row, 1)?,
        email: get(row, 2)?,
        password_hash,
        groups: get(row, 4)?,
        scopes: get(row, 5)?,
        disabled: get(row, 6)?,
        deleted: get(row, 7)?,
        created_ms: get(row, 8)?,
        last_modified_ms: get(row, 9)?,
    })
}
