//! Identities, as identity providers describe them.

use falconer_store::{Addition, ChangeKind, IdentityRecord, KeyKind, PersonRecord, ProviderPeople, StoreError};
use tokio_postgres::Row;

use crate::aggregates::people;
use crate::connection::columns::{Connection, all, finds, first, get, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str =
    "identity, provider, subject, display_name, email, email_verified, groups, scopes, refreshed_ms, disabled, person, username,
    gone, additions";

pub(crate) async fn one(on: &impl Connection, identity: &str) -> Res<Option<IdentityRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM identities WHERE identity = $1"), &[&identity], read).await
}

/// Those of these identities that there are.
pub(crate) async fn among(on: &impl Connection, ids: &[&str]) -> Res<Vec<IdentityRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM identities WHERE identity = ANY($1)"), &[&ids], read).await
}

/// All identities, ascending.
pub(crate) async fn every(on: &impl Connection) -> Res<Vec<IdentityRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM identities ORDER BY identity"), &[], read).await
}

/// Writes the record and its row of the change feed, and the person of one that is new; the audit row is the caller's.
pub(crate) async fn put(writing: &mut Writing<'_>, identity: &IdentityRecord) -> Res<()> {
    let known = finds(&writing.transaction, "SELECT 1 FROM identities WHERE identity = $1", &[&identity.identity]).await?;
    let additions =
        serde_json::to_string(&identity.additions).map_err(|error| StoreError::Corrupt(format!("additions can't be written: {error}")))?;
    let sql = format!(
        "INSERT INTO identities ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT (identity) DO UPDATE SET provider = excluded.provider, subject = excluded.subject,
           display_name = excluded.display_name, email = excluded.email, email_verified = excluded.email_verified,
           groups = excluded.groups, scopes = excluded.scopes, refreshed_ms = excluded.refreshed_ms, disabled = excluded.disabled,
           username = excluded.username, gone = excluded.gone, additions = excluded.additions"
    );
    run(
        &writing.transaction,
        &sql,
        &[
            &identity.identity,
            &identity.provider,
            &identity.subject,
            &identity.display_name,
            &identity.email,
            &identity.email_verified,
            &identity.groups,
            &identity.scopes,
            &identity.refreshed_ms,
            &identity.disabled,
            &identity.person,
            &identity.username,
            &identity.gone,
            &additions,
        ],
    )
    .await?;
    if !known {
        people::insert(writing, &PersonRecord::of_one(identity, writing.step.at_ms)).await?;
    }
    writing.changed(KeyKind::Identity, &identity.identity, if known { ChangeKind::Updated } else { ChangeKind::Created });
    Ok(())
}

fn read(row: &Row) -> Res<IdentityRecord> {
    Ok(IdentityRecord {
        identity: get(row, 0)?,
        provider: get(row, 1)?,
        subject: get(row, 2)?,
        display_name: get(row, 3)?,
        email: get(row, 4)?,
        email_verified: get(row, 5)?,
        groups: get(row, 6)?,
        scopes: get(row, 7)?,
        refreshed_ms: get(row, 8)?,
        disabled: get(row, 9)?,
        person: get(row, 10)?,
        username: get(row, 11)?,
        gone: get(row, 12)?,
        additions: read_additions(get(row, 13)?)?,
    })
}

fn read_additions(text: &str) -> Res<Vec<Addition>> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt(format!("additions can't be read: {error}")).into())
}

/// How many there are of each provider; nothing of it is changed, also where the schema is an older one.
pub(crate) async fn people_of_providers(on: &impl Connection) -> Res<Vec<ProviderPeople>> {
    let kept = finds(on, "SELECT 1 WHERE to_regclass('provider_subjects') IS NOT NULL", &[]).await?;
    let known_by = if kept { "(SELECT known_by FROM provider_subjects s WHERE s.provider = i.provider)" } else { "NULL::text" };
    let sql = format!("SELECT provider, {known_by}, count(*) FROM identities i GROUP BY provider ORDER BY provider");
    all(on, &sql, &[], |row| {
        let identities: i64 = get(row, 2)?;
        Ok(ProviderPeople { provider: get(row, 0)?, known_by: get(row, 1)?, identities: identities.unsigned_abs() })
    })
    .await
}

/// By what the people of a provider are known. What was kept first stays, so that no transaction is needed around both.
pub(crate) async fn note_known_by(on: &impl Connection, provider: &str, known_by: &str, before: &str) -> Res<String> {
    if let Some(kept) = self::known_by(on, provider).await? {
        return Ok(kept);
    }
    let sql = "INSERT INTO provider_subjects (provider, known_by)
               VALUES ($1, CASE WHEN EXISTS (SELECT 1 FROM identities WHERE provider = $1) THEN $3 ELSE $2 END)
               ON CONFLICT (provider) DO NOTHING";
    run(on, sql, &[&provider, &known_by, &before]).await?;
    Ok(self::known_by(on, provider).await?.unwrap_or_default())
}

pub(crate) async fn known_by(on: &impl Connection, provider: &str) -> Res<Option<String>> {
    first(on, "SELECT known_by FROM provider_subjects WHERE provider = $1", &[&provider], |row| get(row, 0)).await
}
