//! Whether anything can be changed, for those who watch this node. That it follows the store says nothing of that: following only reads.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use falconer_store::StoreError;

use crate::node::{Auth, Node};

/// For so long an answer of the store counts for all who ask.
const COUNTS_MS: i64 = 1000;
/// A store that takes longer takes no writes.
const LONGEST: Duration = Duration::from_secs(5);

impl Auth {
    /// Whether the store would take a change. Whoever asks often asks it once a second all the same, and no longer than some seconds.
    ///
    /// Errors: why not, such as [`StoreError::Unavailable`].
    pub async fn can_change(&self) -> Result<(), StoreError> {
        let node = Arc::clone(&self.node);
        // Where the node was opened, as following is: the caller may be one who does not go on.
        let asked = self.node.runtime.spawn(async move { node.can_change().await });
        asked.await.unwrap_or_else(|error| Err(StoreError::Unavailable(format!("the store was not asked: {error}"))))
    }
}

impl Node {
    async fn can_change(&self) -> Result<(), StoreError> {
        // The store answers, but a commit may wait for something else, such as a standby. All other changes wait behind it.
        let waits_ms = self.clock.steady_ms().saturating_sub(self.committing_since_ms.load(Ordering::Acquire));
        if Duration::from_millis(u64::try_from(waits_ms).unwrap_or_default()) > LONGEST {
            return Err(StoreError::Unavailable("a change waits for the store for some seconds".to_owned()));
        }
        let mut last = self.writable.lock().await;
        let now_ms = self.clock.steady_ms();
        if let Some((asked_ms, answer)) = last.as_ref()
            && (0..COUNTS_MS).contains(&now_ms.saturating_sub(*asked_ms))
        {
            return answer.clone().map_or(Ok(()), Err);
        }
        let asked = tokio::time::timeout(LONGEST, self.store.ping()).await;
        let answer = asked.unwrap_or_else(|_| Err(StoreError::Unavailable("the store takes no change within some seconds".to_owned())));
        *last = Some((now_ms, answer.clone().err()));
        answer
    }
}
