//! What applications are told of people, by grant.

use falconer_store::GrantIdentityRecord;
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{first, list, read_list, run};
use crate::connection::fault::Res;

const COLUMNS: &str = "grant_id, subject, scopes, nonce, proved_ms, method, factors, kept_until_ms, sid";

pub(crate) fn put(connection: &Connection, identity: &GrantIdentityRecord) -> Res<()> {
    let sql = format!("INSERT OR REPLACE INTO grant_identities ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    let values = params![
        identity.grant,
        identity.subject,
        list(&identity.scopes)?,
        identity.nonce,
        identity.proved_ms,
        identity.method,
        identity.factors,
        identity.kept_until_ms,
        identity.sid,
    ];
    run(connection, &sql, values)?;
    Ok(())
}

pub(crate) fn one(connection: &Connection, grant: &str) -> Res<Option<GrantIdentityRecord>> {
    first(connection, &format!("SELECT {COLUMNS} FROM grant_identities WHERE grant_id = ?1"), params![grant], read)
}

fn read(row: &Row<'_>) -> Res<GrantIdentityRecord> {
    Ok(GrantIdentityRecord {
        grant: row.get(0)?,
        subject: row.get(1)?,
        scopes: read_list(row, 2)?,
        nonce: row.get(3)?,
        proved_ms: row.get(4)?,
        method: row.get(5)?,
        factors: row.get(6)?,
        kept_until_ms: row.get(7)?,
        sid: row.get(8)?,
    })
}
