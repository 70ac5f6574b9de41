//! Issuers of grant certificates.

use falconer_store::{ChangeKind, IssuerRecord, KeyKind, Place, Sealer, Secret, StoreError};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, first, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

/// Where an issuer's token lives.
pub(crate) fn token_place(name: &str) -> Place<'_> {
    Place { table: "issuers", column: "token", row: name }
}

/// All issuers, oldest first.
pub(crate) fn every(connection: &Connection, sealer: &Sealer) -> Res<Vec<IssuerRecord>> {
    let sql = "SELECT name, token, created_ms, retired_ms FROM issuers ORDER BY created_ms, name";
    all(connection, sql, [], |row| read(row, sealer))
}

pub(crate) fn one(connection: &Connection, sealer: &Sealer, name: &str) -> Res<Option<IssuerRecord>> {
    first(connection, "SELECT name, token, created_ms, retired_ms FROM issuers WHERE name = ?1", params![name], |row| read(row, sealer))
}

fn read(row: &Row<'_>, sealer: &Sealer) -> Res<IssuerRecord> {
    let name: String = row.get(0)?;
    let token = Secret::new(sealer.open(&token_place(&name), row.get_ref(1)?.as_blob()?)?);
    Ok(IssuerRecord { name, token, created_ms: row.get(2)?, retired_ms: row.get(3)? })
}

pub(crate) fn insert(writing: &mut Writing<'_>, sealer: &Sealer, issuer: &IssuerRecord) -> Res<()> {
    let sealed = sealer.seal(&token_place(&issuer.name), issuer.token.expose())?;
    let sql = "INSERT INTO issuers (name, token, created_ms, retired_ms) VALUES (?1, ?2, ?3, ?4)";
    run(writing.connection, sql, params![issuer.name, sealed, issuer.created_ms, issuer.retired_ms])?;
    writing.changed_and_audited(KeyKind::Issuer, &issuer.name, ChangeKind::Created)
}

pub(crate) fn retire(writing: &mut Writing<'_>, name: &str) -> Res<()> {
    let sql = "UPDATE issuers SET retired_ms = ?2 WHERE name = ?1 AND retired_ms IS NULL";
    if run(writing.connection, sql, params![name, writing.step.at_ms])? == 0 {
        return Err(StoreError::Conflict.into());
    }
    writing.changed_and_audited(KeyKind::Issuer, name, ChangeKind::Updated)
}
