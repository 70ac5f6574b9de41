//! What people have let applications do without being asked once more.

use falconer_store::ConsentRecord;
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, get, run};
use crate::connection::fault::Res;

const COLUMNS: &str =
    "identity, application, redirect_uri, scopes, life_ms, at_ms, expires_ms, person, target_origin, identity_scopes, basis";

pub(crate) async fn put(on: &impl Connection, consent: &ConsentRecord) -> Res<()> {
    let sql = format!(
        "INSERT INTO consents ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (identity, application) DO UPDATE SET redirect_uri = excluded.redirect_uri, scopes = excluded.scopes,
           life_ms = excluded.life_ms, at_ms = excluded.at_ms, expires_ms = excluded.expires_ms, person = excluded.person,
           target_origin = excluded.target_origin, identity_scopes = excluded.identity_scopes, basis = excluded.basis"
    );
    run(
        on,
        &sql,
        &[
            &consent.identity,
            &consent.application,
            &consent.redirect_uri,
            &consent.scopes,
            &consent.life_ms,
            &consent.at_ms,
            &consent.expires_ms,
            &consent.person,
            &consent.target_origin,
            &consent.identity_scopes,
            &consent.basis,
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn forget(on: &impl Connection, identity: &str, application: &str) -> Res<()> {
    run(on, "DELETE FROM consents WHERE identity = $1 AND application = $2", &[&identity, &application]).await?;
    Ok(())
}

/// Those of the persons of grants, by whichever identity they are named, whose answers went to where the grant went.
pub(crate) async fn forget_beside(on: &impl Connection, grants: &[String]) -> Res<()> {
    let sql = "WITH given AS (SELECT identity, target_origin FROM grants WHERE id = ANY($1) AND parent IS NULL),
                 by_whom AS (SELECT identity, target_origin FROM given
                   UNION SELECT other.identity, given.target_origin FROM given JOIN identities own ON own.identity = given.identity
                     JOIN identities other ON other.person = own.person)
               DELETE FROM consents USING by_whom
               WHERE consents.identity = by_whom.identity AND consents.target_origin = by_whom.target_origin";
    run(on, sql, &[&grants]).await?;
    Ok(())
}

pub(crate) async fn of(on: &impl Connection, identity: &str) -> Res<Vec<ConsentRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM consents WHERE identity = $1 ORDER BY application"), &[&identity], read).await
}

fn read(row: &Row) -> Res<ConsentRecord> {
    Ok(ConsentRecord {
        identity: get(row, 0)?,
        application: get(row, 1)?,
        redirect_uri: get(row, 2)?,
        scopes: get(row, 3)?,
        life_ms: get(row, 4)?,
        at_ms: get(row, 5)?,
        expires_ms: get(row, 6)?,
        person: get(row, 7)?,
        target_origin: get(row, 8)?,
        identity_scopes: get(row, 9)?,
        basis: get(row, 10)?,
    })
}
