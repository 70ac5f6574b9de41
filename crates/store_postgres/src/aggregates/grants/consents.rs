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

/// Those of the person of a grant, by whichever identity they are named, whose answers went to where the grant went.
pub(crate) async fn forget_beside(on: &impl Connection, grant: &str) -> Res<()> {
    let sql =
        "DELETE FROM consents WHERE target_origin = (SELECT target_origin FROM grants WHERE id = $1 AND parent IS NULL) AND identity IN (
                 SELECT identity FROM grants WHERE id = $1
                 UNION SELECT other.identity FROM grants JOIN identities own ON own.identity = grants.identity
                   JOIN identities other ON other.person = own.person WHERE grants.id = $1)";
    run(on, sql, &[&grant]).await?;
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
