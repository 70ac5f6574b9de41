//! Links with which a local account gets its first password, or another one.

use falconer_store::{AccountLink, AccountLinkKind, AccountRecord, CredentialsChange, IdentityRecord, Sealer, StoreError};
use tokio_postgres::Row;

use crate::aggregates::{accounts, credentials};
use crate::connection::columns::{Connection, finds, first, get, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "hash, account, kind, made_by, within, password, created_ms, expires_ms, mailed";

pub(crate) async fn one(on: &impl Connection, hash: &str) -> Res<Option<AccountLink>> {
    first(on, &format!("SELECT {COLUMNS} FROM account_links WHERE hash = $1"), &[&hash], read).await.map(Option::flatten)
}

pub(crate) async fn of_account(on: &impl Connection, account: &str) -> Res<Option<AccountLink>> {
    first(on, &format!("SELECT {COLUMNS} FROM account_links WHERE account = $1"), &[&account], read).await.map(Option::flatten)
}

pub(crate) async fn invite(
    writing: &mut Writing<'_>,
    sealer: &Sealer,
    account: &AccountRecord,
    identity: &IdentityRecord,
    link: &AccountLink,
) -> Res<()> {
    accounts::insert(writing, sealer, account, identity, None).await?;
    write(writing, link).await
}

pub(crate) async fn put(writing: &mut Writing<'_>, link: &AccountLink) -> Res<()> {
    write(writing, link).await?;
    writing.audit("account", &link.account);
    Ok(())
}

pub(crate) async fn take(writing: &mut Writing<'_>, sealer: &Sealer, link: &str, account: &str, change: &CredentialsChange) -> Res<()> {
    let sql = "DELETE FROM account_links WHERE hash = $1 AND account = $2 AND expires_ms > $3";
    if run(&writing.transaction, sql, &[&link, &account, &writing.step.at_ms]).await? == 0 {
        return Err(StoreError::Conflict.into());
    }
    credentials::change(writing, sealer, account, change).await
}

async fn write(writing: &mut Writing<'_>, link: &AccountLink) -> Res<()> {
    if !finds(&writing.transaction, "SELECT 1 FROM accounts WHERE name = $1 AND NOT deleted", &[&link.account]).await? {
        return Err(StoreError::Conflict.into());
    }
    run(&writing.transaction, "DELETE FROM account_links WHERE account = $1", &[&link.account]).await?;
    let sql = format!("INSERT INTO account_links ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    run(
        &writing.transaction,
        &sql,
        &[
            &link.hash,
            &link.account,
            &link.kind.as_str(),
            &link.by,
            &link.within,
            &link.password,
            &link.created_ms,
            &link.expires_ms,
            &link.mailed,
        ],
    )
    .await?;
    Ok(())
}

/// Nothing where a newer version made one of a kind that this one does not know: it leads nowhere here.
fn read(row: &Row) -> Res<Option<AccountLink>> {
    let word: &str = get(row, 2)?;
    let Some(kind) = AccountLinkKind::of_word(word) else { return Ok(None) };
    Ok(Some(AccountLink {
        hash: get(row, 0)?,
        account: get(row, 1)?,
        kind,
        by: get(row, 3)?,
        within: get(row, 4)?,
        password: get(row, 5)?,
        created_ms: get(row, 6)?,
        expires_ms: get(row, 7)?,
        mailed: get(row, 8)?,
    }))
}
