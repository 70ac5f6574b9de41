//! Authorization codes, access tokens and refresh tokens, by their hashes.

use falconer_store::{GrantSecretKind, GrantSecretRecord};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, first, get, run};
use crate::connection::fault::Res;

const COLUMNS: &str = "hash, kind, grant_id, application, redirect_uri, challenge, expires_ms, kept_until_ms, used_ms, resources, jkt";

pub(crate) async fn insert(on: &impl Connection, secret: &GrantSecretRecord) -> Res<()> {
    let sql = format!("INSERT INTO grant_secrets ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)");
    run(
        on,
        &sql,
        &[
            &secret.hash,
            &secret.kind.as_str(),
            &secret.grant,
            &secret.application,
            &secret.redirect_uri,
            &secret.challenge,
            &secret.expires_ms,
            &secret.kept_until_ms,
            &secret.used_ms,
            &secret.resources,
            &secret.jkt,
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn one(on: &impl Connection, hash: &str) -> Res<Option<GrantSecretRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM grant_secrets WHERE hash = $1"), &[&hash], read).await.map(Option::flatten)
}

/// To which application something of a grant was given.
pub(crate) async fn application_of(on: &impl Connection, grant: &str) -> Res<Option<String>> {
    let sql = "SELECT application FROM grant_secrets WHERE grant_id = $1 AND application <> '' LIMIT 1";
    first(on, sql, &[&grant], |row| get(row, 0)).await
}

/// Whether this is the first use; or, where it is asked `again`, this call's own. Of two at once the second waits for the row and then finds it used.
pub(crate) async fn note_use(on: &impl Connection, hash: &str, at_ms: i64, by: &str, again: bool) -> Res<bool> {
    let sql = "UPDATE grant_secrets SET used_ms = $2, used_by = $3 WHERE hash = $1 AND (used_ms IS NULL OR ($4 AND used_by = $3))";
    Ok(run(on, sql, &[&hash, &at_ms, &by, &again]).await? == 1)
}

/// Nothing where a newer version gave one of a kind that this one does not know: it stands for nothing here.
fn read(row: &Row) -> Res<Option<GrantSecretRecord>> {
    let word: &str = get(row, 1)?;
    let Some(kind) = GrantSecretKind::of_word(word) else { return Ok(None) };
    Ok(Some(GrantSecretRecord {
        hash: get(row, 0)?,
        kind,
        grant: get(row, 2)?,
        application: get(row, 3)?,
        redirect_uri: get(row, 4)?,
        challenge: get(row, 5)?,
        expires_ms: get(row, 6)?,
        kept_until_ms: get(row, 7)?,
        used_ms: get(row, 8)?,
        resources: get(row, 9)?,
        jkt: get(row, 10)?,
    }))
}
