//! What applications are told of people, by grant.

use falconer_store::GrantIdentityRecord;
use tokio_postgres::Row;

use crate::connection::columns::{Connection, first, get, run};
use crate::connection::fault::Res;

const COLUMNS: &str = "grant_id, subject, scopes, nonce, proved_ms, method, factors, kept_until_ms, sid";

pub(crate) async fn put(on: &impl Connection, identity: &GrantIdentityRecord) -> Res<()> {
    let sql = format!(
        "INSERT INTO grant_identities ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (grant_id) DO UPDATE SET subject = excluded.subject, scopes = excluded.scopes, nonce = excluded.nonce,
           proved_ms = excluded.proved_ms, method = excluded.method, factors = excluded.factors, kept_until_ms = excluded.kept_until_ms,
           sid = excluded.sid"
    );
    run(
        on,
        &sql,
        &[
            &identity.grant,
            &identity.subject,
            &identity.scopes,
            &identity.nonce,
            &identity.proved_ms,
            &identity.method,
            &identity.factors,
            &identity.kept_until_ms,
            &identity.sid,
        ],
    )
    .await?;
    Ok(())
}

pub(crate) async fn one(on: &impl Connection, grant: &str) -> Res<Option<GrantIdentityRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM grant_identities WHERE grant_id = $1"), &[&grant], read).await
}

fn read(row: &Row) -> Res<GrantIdentityRecord> {
    Ok(GrantIdentityRecord {
        grant: get(row, 0)?,
        subject: get(row, 1)?,
        scopes: get(row, 2)?,
        nonce: get(row, 3)?,
        proved_ms: get(row, 4)?,
        method: get(row, 5)?,
        factors: get(row, 6)?,
        kept_until_ms: get(row, 7)?,
        sid: get(row, 8)?,
    })
}
