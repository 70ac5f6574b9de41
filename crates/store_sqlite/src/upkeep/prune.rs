//! Removing what has ended.

use falconer_store::DEVICE_AFTERLIFE_MS;
use rusqlite::{Connection, params};

use crate::connection::columns::run;
use crate::connection::fault::Res;

/// How much of the change feed is kept. A decision or a follower that is older reads everything again.
const FEED_MS: i64 = 7 * 24 * 60 * 60 * 1000;

pub(crate) fn prune(connection: &Connection, now_ms: i64) -> Res<()> {
    run(connection, "DELETE FROM sessions WHERE expires_ms <= ?1", params![now_ms])?;
    run(connection, "DELETE FROM session_applications WHERE kept_until_ms <= ?1", params![now_ms])?;
    run(connection, "DELETE FROM pending_links WHERE expires_ms <= ?1", params![now_ms])?;
    run(connection, "DELETE FROM setup_links WHERE used_ms IS NOT NULL OR expires_ms <= ?1", params![now_ms])?;
    run(connection, "DELETE FROM account_links WHERE expires_ms <= ?1", params![now_ms])?;
    run(connection, "DELETE FROM grant_secrets WHERE kept_until_ms <= ?1 OR (kind = 'refresh-token' AND used_ms <= ?1)", params![now_ms])?;
    run(connection, "DELETE FROM grant_identities WHERE kept_until_ms <= ?1", params![now_ms])?;
    run(connection, "DELETE FROM device_requests WHERE expires_ms <= ?1", params![now_ms.saturating_sub(DEVICE_AFTERLIFE_MS)])?;
    run(connection, "DELETE FROM consents WHERE expires_ms <= ?1", params![now_ms])?;
    run(connection, "DELETE FROM initial_tokens WHERE expires_ms <= ?1", params![now_ms])?;
    run(connection, "DELETE FROM attempts WHERE until_ms <= ?1", params![now_ms])?;
    // Up to the first row that is young enough, so that the rest of the feed has no holes.
    let sql = "UPDATE meta SET feed_floor = max(feed_floor,
                 coalesce((SELECT min(revision) - 1 FROM changes WHERE at_ms > ?1), revision))";
    run(connection, sql, params![now_ms.saturating_sub(FEED_MS)])?;
    run(connection, "DELETE FROM changes WHERE revision <= (SELECT feed_floor FROM meta)", [])?;
    Ok(())
}
