//! Whom a provider is asked about again, when, and with what.

use falconer_store::{Place, RefreshRecord, SealedKind, Sealer, Secret};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, first, get, run};
use crate::connection::fault::Res;

/// Where the handle of an identity lives.
pub(crate) fn handle_place(identity: &str) -> Place<'_> {
    SealedKind::Refresh.place(identity)
}

pub(crate) async fn put(on: &impl Connection, sealer: &Sealer, refresh: &RefreshRecord) -> Res<()> {
    let handle = refresh.handle.as_ref().map(|handle| sealer.seal_known(&handle_place(&refresh.identity), handle)).transpose()?;
    // One that did not open here stays: a node that has the key opens it.
    let stays = handle.as_ref().is_some_and(Option::is_none);
    let sql = "INSERT INTO refreshes (identity, handle, due_ms, claimed_until_ms) VALUES ($1, $2, $3, 0)
               ON CONFLICT (identity) DO UPDATE SET handle = CASE WHEN $4 THEN refreshes.handle ELSE excluded.handle END,
                 due_ms = excluded.due_ms, claimed_until_ms = 0";
    run(on, sql, &[&refresh.identity, &handle.flatten(), &refresh.due_ms, &stays]).await?;
    Ok(())
}

pub(crate) async fn keep_handle(on: &impl Connection, sealer: &Sealer, identity: &str, handle: &Secret) -> Res<()> {
    let handle = sealer.seal(&handle_place(identity), handle.expose())?;
    run(on, "UPDATE refreshes SET handle = $2 WHERE identity = $1", &[&identity, &handle]).await?;
    Ok(())
}

pub(crate) async fn delete(on: &impl Connection, identity: &str) -> Res<()> {
    run(on, "DELETE FROM refreshes WHERE identity = $1", &[&identity]).await?;
    Ok(())
}

pub(crate) async fn claim_due(on: &impl Connection, sealer: &Sealer, now_ms: i64, until_ms: i64, limit: u32) -> Res<Vec<RefreshRecord>> {
    // Rows that another node is claiming at this moment are its own.
    let sql = "UPDATE refreshes SET claimed_until_ms = $2 WHERE identity IN
                 (SELECT identity FROM refreshes WHERE due_ms <= $1 AND claimed_until_ms <= $1 ORDER BY due_ms, identity LIMIT $3
                  FOR UPDATE SKIP LOCKED)
               RETURNING identity, handle, due_ms";
    let mut due = all(on, sql, &[&now_ms, &until_ms, &i64::from(limit)], |row| read(row, sealer)).await?;
    due.sort_by(|a, b| (a.due_ms, &a.identity).cmp(&(b.due_ms, &b.identity)));
    Ok(due)
}

pub(crate) async fn claim(on: &impl Connection, sealer: &Sealer, identity: &str, now_ms: i64, until_ms: i64) -> Res<Option<RefreshRecord>> {
    let sql = "UPDATE refreshes SET claimed_until_ms = $3 WHERE identity = $1 AND claimed_until_ms <= $2
               RETURNING identity, handle, due_ms";
    first(on, sql, &[&identity, &now_ms, &until_ms], |row| read(row, sealer)).await
}

/// A handle that does not open is one of nobody.
fn read(row: &Row, sealer: &Sealer) -> Res<RefreshRecord> {
    let identity: String = get(row, 0)?;
    let sealed: Option<&[u8]> = get(row, 1)?;
    let handle = sealed.map(|sealed| {
        let opened = sealer.open_row(&sealer.keys(), SealedKind::Refresh, &identity, sealed);
        opened.map_or_else(|_| sealer.token_of_nobody(), Secret::new)
    });
    Ok(RefreshRecord { handle, due_ms: get(row, 2)?, identity })
}
