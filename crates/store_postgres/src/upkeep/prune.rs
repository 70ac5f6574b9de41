//! Removing what has ended, a part at a time: whoever removes has the lock of all changes.

use falconer_store::{DEVICE_AFTERLIFE_MS, PRUNED_AT_ONCE};

use crate::connection::columns::{Connection, run};
use crate::connection::fault::Res;

/// How much of the change feed is kept. A decision or a follower that is older reads everything again.
const FEED_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// One thing to remove.
pub(crate) enum Ended {
    /// Rows of a table that ended at a time.
    Rows { of: &'static str, which: &'static str, at_ms: i64 },
    /// The beginning of the change feed: what reads it knows that it begins later, and then the rows go.
    BeginningOfFeed { at_ms: i64 },
    /// The rows before the beginning of the change feed.
    RowsOfFeed,
}

/// All of them, in the order in which they go.
pub(crate) fn all(now_ms: i64) -> Vec<Ended> {
    let rows = |of, which| Ended::Rows { of, which, at_ms: now_ms };
    vec![
        rows("sessions", "expires_ms <= $1"),
        rows("session_applications", "kept_until_ms <= $1"),
        rows("pending_links", "expires_ms <= $1"),
        rows("setup_links", "used_ms IS NOT NULL OR expires_ms <= $1"),
        rows("account_links", "expires_ms <= $1"),
        rows("grant_secrets", "kept_until_ms <= $1 OR (kind = 'refresh-token' AND used_ms <= $1)"),
        rows("grant_identities", "kept_until_ms <= $1"),
        Ended::Rows { of: "device_requests", which: "expires_ms <= $1", at_ms: now_ms.saturating_sub(DEVICE_AFTERLIFE_MS) },
        rows("consents", "expires_ms <= $1"),
        rows("initial_tokens", "expires_ms <= $1"),
        rows("attempts", "until_ms <= $1"),
        Ended::BeginningOfFeed { at_ms: now_ms.saturating_sub(FEED_MS) },
        Ended::RowsOfFeed,
    ]
}

impl Ended {
    /// Removes a part of it; whether there is no more.
    pub(crate) async fn remove(&self, on: &impl Connection) -> Res<bool> {
        let part =
            |of, which| format!("DELETE FROM {of} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {of} WHERE {which} LIMIT {PRUNED_AT_ONCE}))");
        let removed = match self {
            Ended::Rows { of, which, at_ms } => run(on, &part(*of, *which), &[at_ms]).await?,
            // Up to the first row that is young enough, so that the rest of the feed has no holes.
            Ended::BeginningOfFeed { at_ms } => {
                let sql = "UPDATE meta SET feed_floor = greatest(feed_floor,
                             coalesce((SELECT min(revision) - 1 FROM changes WHERE at_ms > $1), revision))";
                run(on, sql, &[at_ms]).await?;
                0
            }
            Ended::RowsOfFeed => run(on, &part("changes", "revision <= (SELECT feed_floor FROM meta)"), &[]).await?,
        };
        Ok(removed < u64::from(PRUNED_AT_ONCE))
    }
}
