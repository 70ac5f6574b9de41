//! Catching up with the store: what other processes have written comes into the directory.

use std::sync::{Arc, Mutex, PoisonError};

use falconer_store::{Revision, StoreError};

use crate::directory::snapshot::{Clients, Snapshot};
use crate::node::{Auth, Node};

impl Auth {
    /// Takes in what other processes have written to the store since. Answers whether there was anything. A failure for good ends the process.
    pub async fn catch_up(&self) -> Result<bool, StoreError> {
        let caught_up = self.take_in().await;
        caught_up.inspect_err(|error| self.node.end_if_fatal(error))
    }

    async fn take_in(&self) -> Result<bool, StoreError> {
        if self.node.store.revision().await? <= self.revision() {
            return Ok(false);
        }
        let _turn = Arc::clone(&self.node.queue).lock_owned().await;
        self.node.reload().await?;
        Ok(true)
    }

    /// Whether this node answers from `wanted` or later, after a look at the store if need be (`Falconer-At-Least`).
    pub async fn is_at_least(&self, wanted: Revision) -> Result<bool, StoreError> {
        if self.revision() < wanted {
            self.catch_up().await?;
        }
        Ok(self.revision() >= wanted)
    }
}

impl Node {
    /// Reads everything again. The caller has the turn, or is the only one.
    pub(crate) async fn reload(&self) -> Result<(), StoreError> {
        let before = self.directory.load_full();
        // Made as they come, so that a million clients are never in memory in two forms at once.
        let clients = Arc::new(Mutex::new(Clients::after(&before)));
        let found = Arc::clone(&clients);
        let each = move |client| found.lock().unwrap_or_else(PoisonError::into_inner).put(&client);
        let loaded = self.store.load_each(Box::new(each)).await?;
        let clients = std::mem::take(&mut *clients.lock().unwrap_or_else(PoisonError::into_inner));
        let next = Snapshot::from_loaded(loaded, clients, &before);
        // The first change of a role asks whether all others are valid together. That is found out beside the first answers, not in them.
        let roles = next.roles().clone();
        tokio::task::spawn_blocking(move || roles.is_valid());
        self.show(next);
        Ok(())
    }
}
