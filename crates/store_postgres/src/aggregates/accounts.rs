//! Local accounts, and the links that make the first one.

pub(crate) mod links;

use falconer_store::{AccountRecord, IdentityRecord, Sealer, StoreError};
use tokio_postgres::Row;

use crate::aggregates::{clients, credentials, identities};
use crate::connection::columns::{Connection, all, finds, first, get, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "name, display_name, email, groups, scopes, disabled, deleted, created_ms, last_modified_ms, email_within";

pub(crate) async fn one(on: &impl Connection, name: &str) -> Res<Option<AccountRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM accounts WHERE name = $1"), &[&name], read).await
}

/// All accounts, ascending.
pub(crate) async fn every(on: &impl Connection) -> Res<Vec<AccountRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM accounts ORDER BY name"), &[], read).await
}

pub(crate) async fn insert(
    writing: &mut Writing<'_>,
    sealer: &Sealer,
    account: &AccountRecord,
    identity: &IdentityRecord,
    password_hash: Option<&str>,
) -> Res<()> {
    let sql = format!("INSERT INTO accounts ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
    run(
        &writing.transaction,
        &sql,
        &[
            &account.name,
            &account.display_name,
            &account.email,
            &account.groups,
            &account.scopes,
            &account.disabled,
            &account.deleted,
            &account.created_ms,
            &account.last_modified_ms,
            &account.email_within,
        ],
    )
    .await?;
    credentials::set_password(&writing.transaction, sealer, &account.name, password_hash).await?;
    identities::put(writing, identity).await?;
    writing.audit("account", &account.name);
    Ok(())
}

pub(crate) async fn update(writing: &mut Writing<'_>, account: &AccountRecord, identity: &IdentityRecord, disable: &[String]) -> Res<()> {
    let sql = "UPDATE accounts SET display_name = $2, email = $3, groups = $4, scopes = $5, disabled = $6,
                 deleted = $7, last_modified_ms = $8, email_within = $9 WHERE name = $1";
    let touched = run(
        &writing.transaction,
        sql,
        &[
            &account.name,
            &account.display_name,
            &account.email,
            &account.groups,
            &account.scopes,
            &account.disabled,
            &account.deleted,
            &account.last_modified_ms,
            &account.email_within,
        ],
    )
    .await?;
    if touched == 0 {
        return Err(StoreError::Conflict.into());
    }
    if account.deleted {
        credentials::delete(&writing.transaction, &account.name).await?;
    }
    identities::put(writing, identity).await?;
    clients::disable(writing, disable).await?;
    writing.audit("account", &account.name);
    Ok(())
}

pub(crate) async fn put_setup_link(on: &impl Connection, hash: &str, expires_ms: i64) -> Res<()> {
    run(on, "INSERT INTO setup_links (hash, expires_ms) VALUES ($1, $2)", &[&hash, &expires_ms]).await?;
    Ok(())
}

pub(crate) async fn setup_link_valid(on: &impl Connection, hash: &str, now_ms: i64) -> Res<bool> {
    finds(on, "SELECT 1 FROM setup_links WHERE hash = $1 AND used_ms IS NULL AND expires_ms > $2", &[&hash, &now_ms]).await
}

pub(crate) async fn complete_setup(
    writing: &mut Writing<'_>,
    sealer: &Sealer,
    hash: &str,
    account: &AccountRecord,
    identity: &IdentityRecord,
    password_hash: Option<&str>,
) -> Res<()> {
    let sql = "UPDATE setup_links SET used_ms = $2 WHERE hash = $1 AND used_ms IS NULL AND expires_ms > $2";
    if run(&writing.transaction, sql, &[&hash, &writing.step.at_ms]).await? == 0 {
        return Err(StoreError::Conflict.into());
    }
    insert(writing, sealer, account, identity, password_hash).await
}

fn read(row: &Row) -> Res<AccountRecord> {
    Ok(AccountRecord {
        name: get(row, 0)?,
        display_name: get(row, 1)?,
        email: get(row, 2)?,
        email_within: get(row, 9)?,
        groups: get(row, 3)?,
        scopes: get(row, 4)?,
        disabled: get(row, 5)?,
        deleted: get(row, 6)?,
        created_ms: get(row, 7)?,
        last_modified_ms: get(row, 8)?,
    })
}
