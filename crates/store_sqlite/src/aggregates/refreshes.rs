//! Whom a provider is asked about again, when, and with what.

use falconer_store::{Place, RefreshRecord, SealedKind, Sealer, Secret};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, run};
use crate::connection::fault::Res;

/// Where the handle of an identity lives.
pub(crate) fn handle_place(identity: &str) -> Place<'_> {
    SealedKind::Refresh.place(identity)
}

pub(crate) fn put(connection: &Connection, sealer: &Sealer, refresh: &RefreshRecord) -> Res<()> {
    let handle = refresh.handle.as_ref().map(|handle| sealer.seal_known(&handle_place(&refresh.identity), handle)).transpose()?;
    // One that did not open here stays: a node that has the key opens it.
    let stays = handle.as_ref().is_some_and(Option::is_none);
    let sql = "INSERT INTO refreshes (identity, handle, due_ms, claimed_until_ms) VALUES (?1, ?2, ?3, 0)
               ON CONFLICT (identity) DO UPDATE SET handle = CASE WHEN ?4 THEN refreshes.handle ELSE excluded.handle END,
                 due_ms = excluded.due_ms, claimed_until_ms = 0";
    run(connection, sql, params![refresh.identity, handle.flatten(), refresh.due_ms, stays])?;
    Ok(())
}

pub(crate) fn keep_handle(connection: &Connection, sealer: &Sealer, identity: &str, handle: &Secret) -> Res<()> {
    let handle = sealer.seal(&handle_place(identity), handle.expose())?;
    run(connection, "UPDATE refreshes SET handle = ?2 WHERE identity = ?1", params![identity, handle])?;
    Ok(())
}

pub(crate) fn delete(connection: &Connection, identity: &str) -> Res<()> {
    run(connection, "DELETE FROM refreshes WHERE identity = ?1", params![identity])?;
    Ok(())
}

pub(crate) fn claim_due(connection: &Connection, sealer: &Sealer, now_ms: i64, until_ms: i64, limit: u32) -> Res<Vec<RefreshRecord>> {
    let sql =
        "SELECT identity, handle, due_ms FROM refreshes WHERE due_ms <= ?1 AND claimed_until_ms <= ?1 ORDER BY due_ms, identity LIMIT ?2";
    let due = all(connection, sql, params![now_ms, limit], |row| read(row, sealer))?;
    for refresh in &due {
        claimed(connection, &refresh.identity, until_ms)?;
    }
    Ok(due)
}

pub(crate) fn claim(connection: &Connection, sealer: &Sealer, identity: &str, now_ms: i64, until_ms: i64) -> Res<Option<RefreshRecord>> {
    let sql = "SELECT identity, handle, due_ms FROM refreshes WHERE identity = ?1 AND claimed_until_ms <= ?2";
    let found = all(connection, sql, params![identity, now_ms], |row| read(row, sealer))?.pop();
    if found.is_some() {
        claimed(connection, identity, until_ms)?;
    }
    Ok(found)
}

fn claimed(connection: &Connection, identity: &str, until_ms: i64) -> Res<()> {
    run(connection, "UPDATE refreshes SET claimed_until_ms = ?2 WHERE identity = ?1", params![identity, until_ms])?;
    Ok(())
}

/// A handle that does not open is one of nobody.
fn read(row: &Row<'_>, sealer: &Sealer) -> Res<RefreshRecord> {
    let identity: String = row.get(0)?;
    let sealed = row.get_ref(1)?.as_blob_or_null()?;
    let handle = sealed.map(|sealed| {
        let opened = sealer.open_row(&sealer.keys(), SealedKind::Refresh, &identity, sealed);
        opened.map_or_else(|_| sealer.token_of_nobody(), Secret::new)
    });
    Ok(RefreshRecord { handle, due_ms: row.get(2)?, identity })
}
