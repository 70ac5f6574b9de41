//! Issuers of grant certificates.

use deadpool_postgres::GenericClient;
use falconer_store::{ChangeKind, IssuerRecord, KeyKind, Place, Sealer, Secret, StoreError};
use tokio_postgres::Row;

use crate::connection::columns::{all, first, get, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

/// Where an issuer's token lives.
pub(crate) fn token_place(name: &str) -> Place<'_> {
    Place { table: "issuers", column: "token", row: name }
}

/// All issuers, oldest first.
pub(crate) async fn every(on: &impl GenericClient, sealer: &Sealer) -> Res<Vec<IssuerRecord>> {
    let sql = "SELECT name, token, created_ms, retired_ms FROM issuers ORDER BY created_ms, name";
    all(on, sql, &[], |row| read(row, sealer)).await
}

pub(crate) async fn one(on: &impl GenericClient, sealer: &Sealer, name: &str) -> Res<Option<IssuerRecord>> {
    first(on, "SELECT name, token, created_ms, retired_ms FROM issuers WHERE name = $1", &[&name], |row| read(row, sealer)).await
}

fn read(row: &Row, sealer: &Sealer) -> Res<IssuerRecord> {
    let name: String = get(row, 0)?;
    let token = Secret::new(sealer.open(&token_place(&name), get(row, 1)?)?);
    Ok(IssuerRecord { name, token, created_ms: get(row, 2)?, retired_ms: get(row, 3)? })
}

pub(crate) async fn insert(writing: &mut Writing<'_>, sealer: &Sealer, issuer: &IssuerRecord) -> Res<()> {
    let sealed = sealer.seal(&token_place(&issuer.name), issuer.token.expose())?;
    let sql = "INSERT INTO issuers (name, token, created_ms, retired_ms) VALUES ($1, $2, $3, $4)";
    run(&writing.transaction, sql, &[&issuer.name, &sealed, &issuer.created_ms, &issuer.retired_ms]).await?;
    writing.changed_and_audited(KeyKind::Issuer, &issuer.name, ChangeKind::Created).await
}

pub(crate) async fn retire(writing: &mut Writing<'_>, name: &str) -> Res<()> {
    let sql = "UPDATE issuers SET retired_ms = $2 WHERE name = $1 AND retired_ms IS NULL";
    if run(&writing.transaction, sql, &[&name, &writing.step.at_ms]).await? == 0 {
        return Err(StoreError::Conflict.into());
    }
    writing.changed_and_audited(KeyKind::Issuer, name, ChangeKind::Updated).await
}
