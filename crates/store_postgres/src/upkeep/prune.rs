//! Removing what has ended.

use falconer_store::DEVICE_AFTERLIFE_MS;

use crate::connection::columns::{Connection, run};
use crate::connection::fault::Res;

/// How much of the change feed is kept. A decision or a follower that is older reads everything again.
const FEED_MS: i64 = 7 * 24 * 60 * 60 * 1000;

pub(crate) async fn prune(on: &impl Connection, now_ms: i64) -> Res<()> {
    run(on, "DELETE FROM sessions WHERE expires_ms <= $1", &[&now_ms]).await?;
    run(on, "DELETE FROM session_applications WHERE kept_until_ms <= $1", &[&now_ms]).await?;
    run(on, "DELETE FROM pending_links WHERE expires_ms <= $1", &[&now_ms]).await?;
    run(on, "DELETE FROM setup_links WHERE used_ms IS NOT NULL OR expires_ms <= $1", &[&now_ms]).await?;
    run(on, "DELETE FROM account_links WHERE expires_ms <= $1", &[&now_ms]).await?;
    run(on, "DELETE FROM grant_secrets WHERE kept_until_ms <= $1 OR (kind = 'refresh-token' AND used_ms <= $1)", &[&now_ms]).await?;
    run(on, "DELETE FROM grant_identities WHERE kept_until_ms <= $1", &[&now_ms]).await?;
    run(on, "DELETE FROM device_requests WHERE expires_ms <= $1", &[&now_ms.saturating_sub(DEVICE_AFTERLIFE_MS)]).await?;
    run(on, "DELETE FROM consents WHERE expires_ms <= $1", &[&now_ms]).await?;
    run(on, "DELETE FROM initial_tokens WHERE expires_ms <= $1", &[&now_ms]).await?;
    run(on, "DELETE FROM attempts WHERE until_ms <= $1", &[&now_ms]).await?;
    // Up to the first row that is young enough, so that the rest of the feed has no holes.
    let sql = "UPDATE meta SET feed_floor = greatest(feed_floor,
                 coalesce((SELECT min(revision) - 1 FROM changes WHERE at_ms > $1), revision))";
    run(on, sql, &[&now_ms.saturating_sub(FEED_MS)]).await?;
    run(on, "DELETE FROM changes WHERE revision <= (SELECT feed_floor FROM meta)", &[]).await?;
    Ok(())
}
