//! A change that other nodes have overtaken again and again: they are kept out until it is decided and committed.

use std::sync::Arc;

use falconer_store::{Committed, Epoch, Step, StoreError, Write};
use falconer_traces::carry;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::ApiError;
use crate::node::Node;

/// Steps and the history in which they were decided.
type Decided = (Epoch, Vec<(Step, Write)>);

/// The store waits for what is to be committed, and takes nothing of others meanwhile. Dropped, nothing is committed.
pub(crate) struct Locked {
    decided: oneshot::Sender<Decided>,
    committing: JoinHandle<Result<Committed, StoreError>>,
}

impl Locked {
    pub(crate) async fn commit(self, decided_in: Epoch, steps: Vec<(Step, Write)>) -> Result<Committed, StoreError> {
        // Where nobody takes them any more, the task says why.
        let _ = self.decided.send((decided_in, steps));
        committed(self.committing).await
    }
}

impl Node {
    /// Keeps other nodes from committing, and takes in what they have committed by then. The caller has the turn.
    pub(crate) async fn lock_and_catch_up(self: &Arc<Self>) -> Result<Locked, ApiError> {
        let locked = self.lock().await.map_err(|error| self.store_error(error))?;
        // Another history can't begin while the store is locked: where one has to, the database gives up the lock, and says so.
        self.catch_up_in_turn().await.map_err(|error| self.store_error(error))?;
        Ok(locked)
    }

    async fn lock(&self) -> Result<Locked, StoreError> {
        let store = Arc::clone(&self.store);
        let ((begin, begun), (decided, deciding)) = (oneshot::channel(), oneshot::channel());
        let deciding = async move {
            let _ = begin.send(());
            deciding.await.ok()
        };
        // A task, because it goes on when the caller does not.
        let committing = tokio::spawn(carry(async move { store.commit_locked(Box::pin(deciding)).await }));
        match begun.await {
            Ok(()) => Ok(Locked { decided, committing }),
            Err(_) => Err(committed(committing).await.err().unwrap_or_else(|| StoreError::Unavailable("this node ends".to_owned()))),
        }
    }
}

/// What came of it. Where the task did not end by itself, nobody knows.
async fn committed(committing: JoinHandle<Result<Committed, StoreError>>) -> Result<Committed, StoreError> {
    match committing.await {
        Ok(outcome) => outcome,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(StoreError::Unknown("this node ends".to_owned())),
        },
    }
}
