//! What people have let applications do without being asked once more.

use falconer_store::ConsentRecord;
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, list, read_list, run};
use crate::connection::fault::Res;

const COLUMNS: &str =
    "identity, application, redirect_uri, scopes, life_ms, at_ms, expires_ms, person, target_origin, identity_scopes, basis";

pub(crate) fn put(connection: &Connection, consent: &ConsentRecord) -> Res<()> {
    let sql = format!(
        "INSERT INTO consents ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (identity, application) DO UPDATE SET redirect_uri = excluded.redirect_uri, scopes = excluded.scopes,
           life_ms = excluded.life_ms, at_ms = excluded.at_ms, expires_ms = excluded.expires_ms, person = excluded.person,
           target_origin = excluded.target_origin, identity_scopes = excluded.identity_scopes, basis = excluded.basis"
    );
    let values = params![
        consent.identity,
        consent.application,
        consent.redirect_uri,
        list(&consent.scopes)?,
        consent.life_ms,
        consent.at_ms,
        consent.expires_ms,
        consent.person,
        consent.target_origin,
        list(&consent.identity_scopes)?,
        consent.basis,
    ];
    run(connection, &sql, values)?;
    Ok(())
}

pub(crate) fn forget(connection: &Connection, identity: &str, application: &str) -> Res<()> {
    run(connection, "DELETE FROM consents WHERE identity = ?1 AND application = ?2", params![identity, application])?;
    Ok(())
}

/// All of an identity.
pub(crate) fn forget_of(connection: &Connection, identity: &str) -> Res<()> {
    run(connection, "DELETE FROM consents WHERE identity = ?1", params![identity])?;
    Ok(())
}

/// Those of the person of a grant, by whichever identity they are named, whose answers went to where the grant went.
pub(crate) fn forget_beside(connection: &Connection, grant: &str) -> Res<()> {
    let sql =
        "DELETE FROM consents WHERE target_origin = (SELECT target_origin FROM grants WHERE id = ?1 AND parent IS NULL) AND identity IN (
                 SELECT identity FROM grants WHERE id = ?1
                 UNION SELECT other.identity FROM grants JOIN identities own ON own.identity = grants.identity
                   JOIN identities other ON other.person = own.person WHERE grants.id = ?1)";
    run(connection, sql, params![grant])?;
    Ok(())
}

pub(crate) fn of(connection: &Connection, identity: &str) -> Res<Vec<ConsentRecord>> {
    all(connection, &format!("SELECT {COLUMNS} FROM consents WHERE identity = ?1 ORDER BY application"), params![identity], read)
}

fn read(row: &Row<'_>) -> Res<ConsentRecord> {
    Ok(ConsentRecord {
        identity: row.get(0)?,
        application: row.get(1)?,
        redirect_uri: row.get(2)?,
        scopes: read_list(row, 3)?,
        life_ms: row.get(4)?,
        at_ms: row.get(5)?,
        expires_ms: row.get(6)?,
        person: row.get(7)?,
        target_origin: row.get(8)?,
        identity_scopes: read_list(row, 9)?,
        basis: row.get(10)?,
    })
}
