//! Issuers of grant certificates.

use falconer_store::{ChangeKind, Damaged, IssuerRecord, KeyKind, Place, SealedKind, Sealer, Secret, StoreError};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, first, get, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

/// Where an issuer's token lives.
pub(crate) fn token_place(name: &str) -> Place<'_> {
    SealedKind::Issuer.place(name)
}

/// All issuers, oldest first, each with what is wrong with it.
pub(crate) async fn every(on: &impl Connection, sealer: &Sealer) -> Res<Vec<(IssuerRecord, Option<Damaged>)>> {
    let sql = "SELECT name, token, created_ms, retired_ms FROM issuers ORDER BY created_ms, name";
    all(on, sql, &[], |row| read(row, sealer)).await
}

pub(crate) async fn one(on: &impl Connection, sealer: &Sealer, name: &str) -> Res<Option<IssuerRecord>> {
    let sql = "SELECT name, token, created_ms, retired_ms FROM issuers WHERE name = $1";
    first(on, sql, &[&name], |row| Ok(read(row, sealer)?.0)).await
}

/// One that does not open has a token that nobody knows, and signs no more.
fn read(row: &Row, sealer: &Sealer) -> Res<(IssuerRecord, Option<Damaged>)> {
    let name: String = get(row, 0)?;
    let (created_ms, retired_ms): (i64, Option<i64>) = (get(row, 2)?, get(row, 3)?);
    Ok(match sealer.open_row(&sealer.keys(), SealedKind::Issuer, &name, get(row, 1)?) {
        Ok(token) => (IssuerRecord { name, token: Secret::new(token), created_ms, retired_ms }, None),
        Err(damage) => {
            let retired_ms = retired_ms.or(Some(created_ms));
            (IssuerRecord { name, token: sealer.token_of_nobody(), created_ms, retired_ms }, Some(damage))
        }
    })
}

pub(crate) async fn insert(writing: &mut Writing<'_>, sealer: &Sealer, issuer: &IssuerRecord) -> Res<()> {
    let sealed = sealer.seal(&token_place(&issuer.name), issuer.token.expose())?;
    let sql = "INSERT INTO issuers (name, token, created_ms, retired_ms) VALUES ($1, $2, $3, $4)";
    run(&writing.transaction, sql, &[&issuer.name, &sealed, &issuer.created_ms, &issuer.retired_ms]).await?;
    writing.changed_and_audited(KeyKind::Issuer, &issuer.name, ChangeKind::Created);
    Ok(())
}

pub(crate) async fn replace(writing: &mut Writing<'_>, sealer: &Sealer, issuer: &IssuerRecord) -> Res<()> {
    let sealed = sealer.seal(&token_place(&issuer.name), issuer.token.expose())?;
    let sql = "UPDATE issuers SET token = $2, retired_ms = $3 WHERE name = $1";
    if run(&writing.transaction, sql, &[&issuer.name, &sealed, &issuer.retired_ms]).await? == 0 {
        return Err(StoreError::Conflict.into());
    }
    writing.changed_and_audited(KeyKind::Issuer, &issuer.name, ChangeKind::Updated);
    Ok(())
}

pub(crate) async fn retire(writing: &mut Writing<'_>, name: &str) -> Res<()> {
    let sql = "UPDATE issuers SET retired_ms = $2 WHERE name = $1 AND retired_ms IS NULL";
    if run(&writing.transaction, sql, &[&name, &writing.step.at_ms]).await? == 0 {
        return Err(StoreError::Conflict.into());
    }
    writing.changed_and_audited(KeyKind::Issuer, name, ChangeKind::Updated);
    Ok(())
}
