//! Applications of the store.

use falconer_store::{ApplicationRecord, ChangeKind, KeyKind, RegistrationRecord, SigningAlgorithm, StoreError};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, first, get, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "id, name, description, owner, redirect_uris, scopes, max_life_ms, confidential, secret_hash, secret_made_ms, old_secret_hash, old_secret_ends_ms, remember_ms, skip_consent, created_ms, last_modified_ms, registration_hash, initial_token, granted_ms, pushed_only, id_token_alg, dpop_bound_access_tokens, backchannel_logout_uri, registered_from, keys, agent";

/// All applications, ascending.
pub(crate) async fn every(on: &impl Connection) -> Res<Vec<ApplicationRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM applications ORDER BY id"), &[], read).await.map(|found| found.into_iter().flatten().collect())
}

pub(crate) async fn one(on: &impl Connection, id: &str) -> Res<Option<ApplicationRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM applications WHERE id = $1"), &[&id], read).await.map(Option::flatten)
}

pub(crate) async fn insert(writing: &mut Writing<'_>, application: &ApplicationRecord) -> Res<()> {
    let sql = format!(
        "INSERT INTO applications ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)"
    );
    write(&writing.transaction, &sql, application).await?;
    writing.changed_and_audited(KeyKind::Application, &application.id, ChangeKind::Created);
    Ok(())
}

pub(crate) async fn update(writing: &mut Writing<'_>, application: &ApplicationRecord) -> Res<()> {
    let sql = "UPDATE applications SET name = $2, description = $3, owner = $4, redirect_uris = $5, scopes = $6, max_life_ms = $7, confidential = $8,
               secret_hash = $9, secret_made_ms = $10, old_secret_hash = $11, old_secret_ends_ms = $12, remember_ms = $13,
               skip_consent = $14, created_ms = $15, last_modified_ms = $16, registration_hash = $17, initial_token = $18, granted_ms = $19,
               pushed_only = $20, id_token_alg = $21, dpop_bound_access_tokens = $22, backchannel_logout_uri = $23, registered_from = $24,
               keys = $25, agent = $26
               WHERE id = $1";
    if write(&writing.transaction, sql, application).await? == 0 {
        return Err(StoreError::Conflict.into());
    }
    writing.changed_and_audited(KeyKind::Application, &application.id, ChangeKind::Updated);
    Ok(())
}

pub(crate) async fn delete(writing: &mut Writing<'_>, id: &str) -> Res<()> {
    run(&writing.transaction, "DELETE FROM consents WHERE application = $1", &[&id]).await?;
    if run(&writing.transaction, "DELETE FROM applications WHERE id = $1", &[&id]).await? > 0 {
        writing.changed(KeyKind::Application, id, ChangeKind::Deleted);
    }
    writing.audit(KeyKind::Application.as_str(), id);
    Ok(())
}

async fn write(on: &impl Connection, sql: &str, application: &ApplicationRecord) -> Res<u64> {
    let registration = application.registration.as_ref();
    run(
        on,
        sql,
        &[
            &application.id,
            &application.name,
            &application.description,
            &application.owner,
            &application.redirect_uris,
            &application.scopes,
            &application.max_life_ms,
            &application.confidential,
            &application.secret_hash,
            &application.secret_made_ms,
            &application.old_secret_hash,
            &application.old_secret_ends_ms,
            &application.remember_ms,
            &application.skip_consent,
            &application.created_ms,
            &application.last_modified_ms,
            &registration.map(|registration| &registration.access_hash),
            &registration.and_then(|registration| registration.initial_token.as_ref()),
            &registration.and_then(|registration| registration.granted_ms),
            &application.pushed_only,
            &application.id_token_alg.as_str(),
            &application.dpop_bound_access_tokens,
            &application.backchannel_logout_uri,
            &registration.and_then(|registration| registration.registered_from.as_ref()),
            &application.keys,
            &application.agent,
        ],
    )
    .await
}

/// Nothing where a newer version signs for it in a way that this one does not know: there is no such application here.
fn read(row: &Row) -> Res<Option<ApplicationRecord>> {
    let access_hash: Option<String> = get(row, 16)?;
    let (initial_token, granted_ms, registered_from) = (get(row, 17)?, get(row, 18)?, get(row, 23)?);
    let word: String = get(row, 20)?;
    let Some(id_token_alg) = SigningAlgorithm::of_word(&word) else { return Ok(None) };
    Ok(Some(ApplicationRecord {
        id: get(row, 0)?,
        name: get(row, 1)?,
        description: get(row, 2)?,
        owner: get(row, 3)?,
        redirect_uris: get(row, 4)?,
        scopes: get(row, 5)?,
        max_life_ms: get(row, 6)?,
        confidential: get(row, 7)?,
        secret_hash: get(row, 8)?,
        secret_made_ms: get(row, 9)?,
        old_secret_hash: get(row, 10)?,
        old_secret_ends_ms: get(row, 11)?,
        remember_ms: get(row, 12)?,
        skip_consent: get(row, 13)?,
        created_ms: get(row, 14)?,
        last_modified_ms: get(row, 15)?,
        pushed_only: get(row, 19)?,
        id_token_alg,
        backchannel_logout_uri: get(row, 22)?,
        registration: access_hash.map(|access_hash| RegistrationRecord { access_hash, initial_token, granted_ms, registered_from }),
        dpop_bound_access_tokens: get(row, 21)?,
        keys: get(row, 24)?,
        agent: get(row, 25)?,
    }))
}
