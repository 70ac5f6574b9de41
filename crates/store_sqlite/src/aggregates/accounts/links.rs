//! Links with which a local account gets its first password, or another one.

use falconer_store::{AccountLink, AccountLinkKind, AccountRecord, CredentialsChange, IdentityRecord, Sealer, StoreError};
use rusqlite::{Connection, Row, params};

use crate::aggregates::{accounts, credentials};
use crate::connection::columns::{first, list, read_list, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "hash, account, kind, made_by, within, password, created_ms, expires_ms, mailed";

pub(crate) fn one(connection: &Connection, hash: &str) -> Res<Option<AccountLink>> {
    first(connection, &format!("SELECT {COLUMNS} FROM account_links WHERE hash = ?1"), params![hash], read).map(Option::flatten)
}

pub(crate) fn of_account(connection: &Connection, account: &str) -> Res<Option<AccountLink>> {
    first(connection, &format!("SELECT {COLUMNS} FROM account_links WHERE account = ?1"), params![account], read).map(Option::flatten)
}

pub(crate) fn invite(
    writing: &mut Writing<'_>,
    sealer: &Sealer,
    account: &AccountRecord,
    identity: &IdentityRecord,
    link: &AccountLink,
) -> Res<()> {
    accounts::insert(writing, sealer, account, identity, None)?;
    write(writing, link)
}

pub(crate) fn put(writing: &mut Writing<'_>, link: &AccountLink) -> Res<()> {
    write(writing, link)?;
    writing.audit("account", &link.account)
}

pub(crate) fn take(writing: &mut Writing<'_>, sealer: &Sealer, link: &str, account: &str, change: &CredentialsChange) -> Res<()> {
    let sql = "DELETE FROM account_links WHERE hash = ?1 AND account = ?2 AND expires_ms > ?3";
    if run(writing.connection, sql, params![link, account, writing.step.at_ms])? == 0 {
        return Err(StoreError::Conflict.into());
    }
    credentials::change(writing, sealer, account, change)
}

fn write(writing: &mut Writing<'_>, link: &AccountLink) -> Res<()> {
    let there = first(writing.connection, "SELECT 1 FROM accounts WHERE name = ?1 AND deleted = 0", params![link.account], |_| Ok(()))?;
    if there.is_none() {
        return Err(StoreError::Conflict.into());
    }
    run(writing.connection, "DELETE FROM account_links WHERE account = ?1", params![link.account])?;
    let sql = format!("INSERT INTO account_links ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    let within = link.within.as_deref().map(list).transpose()?;
    let values =
        params![link.hash, link.account, link.kind.as_str(), link.by, within, link.password, link.created_ms, link.expires_ms, link.mailed];
    run(writing.connection, &sql, values)?;
    Ok(())
}

/// Nothing where a newer version made one of a kind that this one does not know: it leads nowhere here.
fn read(row: &Row<'_>) -> Res<Option<AccountLink>> {
    let word = row.get_ref(2)?.as_str()?;
    let Some(kind) = AccountLinkKind::of_word(word) else { return Ok(None) };
    let bounded = row.get_ref(4)?.as_str_or_null()?.is_some();
    Ok(Some(AccountLink {
        hash: row.get(0)?,
        account: row.get(1)?,
        kind,
        by: row.get(3)?,
        within: bounded.then(|| read_list(row, 4)).transpose()?,
        password: row.get(5)?,
        created_ms: row.get(6)?,
        expires_ms: row.get(7)?,
        mailed: row.get(8)?,
    }))
}
