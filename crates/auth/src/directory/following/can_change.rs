//! Whether anything can be changed, for those who watch this node. That it follows the store says nothing of that: following only reads.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use falconer_store::StoreError;
use tokio::sync::watch;

use super::writable::Answer;
use crate::node::{Auth, Node};

/// For so long an answer of the store counts for all who ask.
const COUNTS_MS: i64 = 1000;
/// A store that takes longer takes no writes.
const LONGEST: Duration = Duration::from_secs(5);

impl Auth {
    /// Whether the store would take a change. However many ask, the store is asked one question at a time, and once a second at most; nobody waits longer than for
    /// that one, which takes some seconds at most.
    ///
    /// Errors: why not, such as [`StoreError::Unavailable`].
    pub async fn can_change(&self) -> Result<(), StoreError> {
        // The store answers, but a commit may wait for something else, such as a standby. All other changes wait behind it.
        let waits_ms = self.node.clock.steady_ms().saturating_sub(self.node.committing_since_ms.load(Ordering::Acquire));
        if Duration::from_millis(u64::try_from(waits_ms).unwrap_or_default()) > LONGEST {
            return Err(StoreError::Unavailable("a change waits for the store for some seconds".to_owned()));
        }
        let mut answer = {
            let mut asked = self.node.writable.0.lock().await;
            let now_ms = self.node.clock.steady_ms();
            if let Some((answered_ms, answer)) = &asked.last
                && (0..COUNTS_MS).contains(&now_ms.saturating_sub(*answered_ms))
            {
                return answer.clone();
            }
            // One that has gone without an answer has closed.
            match asked.running.as_ref().filter(|running| running.has_changed().is_ok()) {
                Some(running) => running.clone(),
                None => {
                    let (sender, receiver) = watch::channel(None);
                    // Where the node was opened, as following is: the caller may be one who does not go on.
                    self.node.runtime.spawn(Arc::clone(&self.node).ask_whether_it_takes_changes(sender));
                    asked.running = Some(receiver.clone());
                    receiver
                }
            }
        };
        let answered = answer.wait_for(Option::is_some).await.ok().and_then(|answer| answer.clone());
        answered.unwrap_or_else(|| Err(StoreError::Unavailable("the store was not asked: this node ends".to_owned())))
    }
}

impl Node {
    async fn ask_whether_it_takes_changes(self: Arc<Self>, sender: watch::Sender<Option<Answer>>) {
        let asked = tokio::time::timeout(LONGEST, self.store.ping()).await;
        let answer = asked.unwrap_or_else(|_| Err(StoreError::Unavailable("the store takes no change within some seconds".to_owned())));
        let mut state = self.writable.0.lock().await;
        state.last = Some((self.clock.steady_ms(), answer.clone()));
        state.running = None;
        sender.send_replace(Some(answer));
    }
}
