//! Removing what has ended, a part at a time: nobody else writes meanwhile.

use falconer_store::{DEVICE_AFTERLIFE_MS, PRUNED_AT_ONCE};
use rusqlite::{Connection, params};

use crate::connection::columns::run;
use crate::connection::fault::Res;

/// How much of the change feed is kept. A decision or a follower that is older reads everything again.
const FEED_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// One thing to remove.
#[derive(Clone, Copy)]
pub(crate) enum Ended {
    /// Rows of a table, which has this key, that ended at a time.
    Rows { of: &'static str, key: &'static str, which: &'static str, at_ms: i64 },
    /// The beginning of the change feed: what reads it knows that it begins later, and then the rows go.
    BeginningOfFeed { at_ms: i64 },
    /// The rows before the beginning of the change feed.
    RowsOfFeed,
}

/// All of them, in the order in which they go.
pub(crate) fn all(now_ms: i64) -> Vec<Ended> {
    let rows = |of, key, which| Ended::Rows { of, key, which, at_ms: now_ms };
    vec![
        rows("sessions", "rowid", "expires_ms <= ?1"),
        rows("session_applications", "session, application", "kept_until_ms <= ?1"),
        rows("pending_links", "rowid", "expires_ms <= ?1"),
        rows("setup_links", "rowid", "used_ms IS NOT NULL OR expires_ms <= ?1"),
        rows("account_links", "rowid", "expires_ms <= ?1"),
        rows("grant_secrets", "rowid", "kept_until_ms <= ?1 OR (kind = 'refresh-token' AND used_ms <= ?1)"),
        rows("grant_identities", "rowid", "kept_until_ms <= ?1"),
        Ended::Rows { of: "device_requests", key: "rowid", which: "expires_ms <= ?1", at_ms: now_ms.saturating_sub(DEVICE_AFTERLIFE_MS) },
        rows("consents", "identity, application", "expires_ms <= ?1"),
        rows("initial_tokens", "id", "expires_ms <= ?1"),
        rows("attempts", "key, at_ms", "until_ms <= ?1"),
        Ended::BeginningOfFeed { at_ms: now_ms.saturating_sub(FEED_MS) },
        Ended::RowsOfFeed,
    ]
}

impl Ended {
    /// Removes a part of it; whether there is no more.
    pub(crate) fn remove(self, connection: &Connection) -> Res<bool> {
        let part = |of: &str, key: &str, which: &str| {
            format!("DELETE FROM {of} WHERE ({key}) IN (SELECT {key} FROM {of} WHERE {which} LIMIT {PRUNED_AT_ONCE})")
        };
        let removed = match self {
            Ended::Rows { of, key, which, at_ms } => run(connection, &part(of, key, which), params![at_ms])?,
            // Up to the first row that is young enough, so that the rest of the feed has no holes.
            Ended::BeginningOfFeed { at_ms } => {
                let sql = "UPDATE meta SET feed_floor = max(feed_floor,
                             coalesce((SELECT min(revision) - 1 FROM changes WHERE at_ms > ?1), revision))";
                run(connection, sql, params![at_ms])?;
                0
            }
            Ended::RowsOfFeed => run(connection, &part("changes", "revision, kind, key", "revision <= (SELECT feed_floor FROM meta)"), [])?,
        };
        Ok(u32::try_from(removed).is_ok_and(|removed| removed < PRUNED_AT_ONCE))
    }
}
