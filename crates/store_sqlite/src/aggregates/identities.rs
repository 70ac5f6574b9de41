//! Identities, as identity providers describe them.

use falconer_store::{Addition, ChangeKind, IdentityRecord, KeyKind, PersonRecord, ProviderPeople, StoreError};
use rusqlite::{Connection, Row, params};

use crate::aggregates::people;
use crate::connection::columns::{all, first, list, read_list, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str =
    "identity, provider, subject, display_name, email, email_verified, groups, scopes, refreshed_ms, disabled, person, username,
    gone, additions";

pub(crate) fn one(connection: &Connection, identity: &str) -> Res<Option<IdentityRecord>> {
    first(connection, &format!("SELECT {COLUMNS} FROM identities WHERE identity = ?1"), params![identity], read)
}

/// All identities, ascending.
pub(crate) fn every(connection: &Connection) -> Res<Vec<IdentityRecord>> {
    all(connection, &format!("SELECT {COLUMNS} FROM identities ORDER BY identity"), [], read)
}

/// Writes the record and its row of the change feed, and the person of one that is new; the audit row is the caller's.
pub(crate) fn put(writing: &mut Writing<'_>, identity: &IdentityRecord) -> Res<()> {
    let sql = format!(
        "INSERT INTO identities ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
         ON CONFLICT (identity) DO UPDATE SET provider = excluded.provider, subject = excluded.subject,
           display_name = excluded.display_name, email = excluded.email, email_verified = excluded.email_verified,
           groups = excluded.groups, scopes = excluded.scopes, refreshed_ms = excluded.refreshed_ms, disabled = excluded.disabled,
           username = excluded.username, gone = excluded.gone, additions = excluded.additions"
    );
    let values = params![
        identity.identity,
        identity.provider,
        identity.subject,
        identity.display_name,
        identity.email,
        identity.email_verified,
        list(&identity.groups)?,
        list(&identity.scopes)?,
        identity.refreshed_ms,
        identity.disabled,
        identity.person,
        identity.username,
        identity.gone,
        additions(&identity.additions)?,
    ];
    let known = "SELECT 1 FROM identities WHERE identity = ?1";
    let known = first(writing.connection, known, params![identity.identity], |_| Ok(()))?.is_some();
    run(writing.connection, &sql, values)?;
    if !known {
        people::insert(writing, &PersonRecord::of_one(identity, writing.step.at_ms))?;
    }
    writing.changed(KeyKind::Identity, &identity.identity, if known { ChangeKind::Updated } else { ChangeKind::Created })
}

fn read(row: &Row<'_>) -> Res<IdentityRecord> {
    Ok(IdentityRecord {
        identity: row.get(0)?,
        provider: row.get(1)?,
        subject: row.get(2)?,
        display_name: row.get(3)?,
        email: row.get(4)?,
        email_verified: row.get(5)?,
        groups: read_list(row, 6)?,
        scopes: read_list(row, 7)?,
        refreshed_ms: row.get(8)?,
        disabled: row.get(9)?,
        person: row.get(10)?,
        username: row.get(11)?,
        gone: row.get(12)?,
        additions: read_additions(row, 13)?,
    })
}

fn additions(additions: &[Addition]) -> Res<String> {
    serde_json::to_string(additions).map_err(|error| StoreError::Corrupt(format!("additions can't be written: {error}")).into())
}

fn read_additions(row: &Row<'_>, column: usize) -> Res<Vec<Addition>> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("additions can't be read: {error}")).into())
}

/// How many there are of each provider; nothing of it is changed, also where the schema is an older one.
pub(crate) fn people_of_providers(connection: &Connection) -> Res<Vec<ProviderPeople>> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'provider_subjects'";
    let kept = first(connection, sql, [], |_| Ok(()))?.is_some();
    let known_by = if kept { "(SELECT known_by FROM provider_subjects s WHERE s.provider = i.provider)" } else { "NULL" };
    let sql = format!("SELECT provider, {known_by}, count(*) FROM identities i GROUP BY provider ORDER BY provider");
    all(connection, &sql, [], |row| {
        let identities: i64 = row.get(2)?;
        Ok(ProviderPeople { provider: row.get(0)?, known_by: row.get(1)?, identities: identities.unsigned_abs() })
    })
}

/// By what the people of a provider are known. What was kept first stays.
pub(crate) fn note_known_by(connection: &Connection, provider: &str, known_by: &str, before: &str) -> Res<String> {
    if let Some(kept) = self::known_by(connection, provider)? {
        return Ok(kept);
    }
    let sql = "INSERT INTO provider_subjects (provider, known_by)
               VALUES (?1, CASE WHEN EXISTS (SELECT 1 FROM identities WHERE provider = ?1) THEN ?3 ELSE ?2 END)
               ON CONFLICT (provider) DO NOTHING";
    run(connection, sql, params![provider, known_by, before])?;
    // INVARIANT: the row is there, in this transaction.
    Ok(self::known_by(connection, provider)?.unwrap_or_default())
}

pub(crate) fn known_by(connection: &Connection, provider: &str) -> Res<Option<String>> {
    first(connection, "SELECT known_by FROM provider_subjects WHERE provider = ?1", params![provider], |row| Ok(row.get(0)?))
}
