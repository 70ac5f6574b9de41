//! Follows the key file, and says which keys this server has.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use falconer_auth::Clock as _;
use falconer_store::{Refreshed, Store};

use crate::system::SystemClock;

/// How often it is read again, however long anything else takes.
const READ: Duration = Duration::from_millis(500);
/// For how long others take it that this server has these keys. Of one that was killed they take it as long.
const NOTED_FOR_MS: i64 = 30_000;
/// How often it is said again.
const NOTED_AGAIN_MS: i64 = 10_000;

/// Takes the keys that the file has, says it where something is wrong with them, and asks for `reads_again` where some have come that were missing.
pub async fn follow(store: Arc<dyn Store>, reads_again: Arc<AtomicBool>) {
    let mut tick = tokio::time::interval(READ);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut missing, mut refused) = (Vec::new(), None);
    loop {
        tick.tick().await;
        let refreshed = store.refresh_keys();
        let still_missing = if let Refreshed::Missing(keys) = &refreshed { keys.clone() } else { Vec::new() };
        if still_missing != missing && !still_missing.is_empty() {
            tracing::error!(
                keys = still_missing.join(", "),
                "other servers seal with keys that the key file of this server does not have: what they have sealed counts for nothing here until it has them"
            );
        }
        missing = still_missing;
        let refused_now = match refreshed {
            Refreshed::Same | Refreshed::Missing(_) => None,
            Refreshed::Come(keys) => {
                tracing::info!(keys = keys.join(", "), "the key file has keys that were missing: everything is read again");
                reads_again.store(true, Ordering::Release);
                None
            }
            Refreshed::NewCurrent(key_id) => {
                tracing::info!(key_id, "the key file has a new current key: it seals from now on");
                None
            }
            Refreshed::Refused(why) => Some(why),
        };
        if refused_now != refused {
            match &refused_now {
                Some(why) => {
                    tracing::error!(why, "the key file is not taken: this server goes on with the keys of before, so remove none of them")
                }
                None => tracing::info!("the key file is taken again"),
            }
            refused = refused_now;
        }
    }
}

/// Says to whoever changes keys which ones this server has: at once where they have changed, and again before it holds no more.
pub async fn note(store: Arc<dyn Store>) {
    let mut tick = tokio::time::interval(READ);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut noted: Option<(Vec<String>, i64)> = None;
    loop {
        tick.tick().await;
        let (keys, now_ms) = (store.key_prints(), SystemClock.steady_ms());
        if noted.as_ref().is_some_and(|(before, at_ms)| *before == keys && now_ms < at_ms.saturating_add(NOTED_AGAIN_MS)) {
            continue;
        }
        match store.note_keys(&keys, NOTED_FOR_MS).await {
            Ok(()) => noted = Some((keys, now_ms)),
            Err(error) => tracing::debug!(%error, "can't say which keys this server has; trying again"),
        }
    }
}
