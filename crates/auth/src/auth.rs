//! The public face of a node: opening it, and what it says about itself. The use cases are in the rooms.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use falconer_scopes::ScopeSet;
use falconer_store::{Revision, Store, StoreError};

use crate::administer::upkeep::statics;
use crate::directory::following::figures::FollowingFigures;
use crate::directory::snapshot::Snapshot;
use crate::error::{ApiError, AuthError};
use crate::node::{Auth, Node};
use crate::settings::AuthSettings;
use crate::time::{Clock, Random};

/// Changes that waited at the same time are committed together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitFigures {
    /// Groups, each made durable at once.
    pub groups: u64,
    /// Changes in them.
    pub steps: u64,
}

impl Auth {
    /// Loads everything, makes the stored static clients match the configuration, and makes the first internal issuer where there is none.
    /// Errors: bad settings, or a store that does not answer.
    pub async fn open(
        store: Arc<dyn Store>,
        settings: AuthSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Auth, AuthError> {
        statics::check(&settings.static_clients)?;
        let auth = Auth { node: Arc::new(Node::new(store, settings, clock, random)) };
        auth.node.load_first().await?;
        if !auth.node.settings.leave_static_clients {
            auth.synchronise_static_clients().await?;
        }
        auth.ensure_issuer().await?;
        Ok(auth)
    }

    /// Roles, clients, grants and people at one revision.
    pub fn directory(&self) -> Arc<Snapshot> {
        self.node.directory.load_full()
    }

    /// Which revision this node answers from.
    pub fn revision(&self) -> Revision {
        self.node.directory.load().revision()
    }

    /// What these scopes come to under the present roles; without anonymous, and without what is reserved.
    pub fn expand(&self, scopes: &[&str]) -> ScopeSet {
        self.node.directory.load().expand(scopes)
    }

    /// Milliseconds since the epoch, by this node's clock.
    pub fn now_ms(&self) -> i64 {
        self.node.clock.now_ms()
    }

    /// How many milliseconds this node's clock is behind the time of the last change, where that is more than a minute; it authenticates nobody then.
    pub fn clock_behind_ms(&self) -> Option<i64> {
        self.node.clock_behind_ms(&self.node.directory.load(), self.now_ms())
    }

    /// How many milliseconds ago the last look at the store began that came to an end: what the node answers from is as old at most.
    pub fn staleness_ms(&self) -> i64 {
        self.node.contact.age_ms(self.node.clock.steady_ms())
    }

    /// The same, where that is more than `max_staleness` and other nodes may have written meanwhile; it authenticates nobody then.
    pub fn cut_off_ms(&self) -> Option<i64> {
        self.node.cut_off_ms()
    }

    /// How many notifications of other nodes came since the start.
    pub fn notifications(&self) -> u64 {
        self.node.contact.notifications()
    }

    /// How far this node is behind what it knows of, what it took in, and who follows it.
    pub fn following_figures(&self) -> FollowingFigures {
        self.node.following.figures(self.revision())
    }

    /// How many milliseconds this node's clock is ahead of the time of the last change, where that is hard to believe; it changes nothing then.
    pub fn clock_ahead_ms(&self) -> Option<i64> {
        self.node.clock_ahead_ms(&self.node.directory.load(), self.now_ms())
    }

    /// Whether the last write found no room in the store, so that nothing can be changed.
    pub fn store_is_full(&self) -> bool {
        self.node.store_is_full.load(Ordering::Relaxed)
    }

    /// How changes were committed since the start.
    pub fn commit_figures(&self) -> CommitFigures {
        CommitFigures { groups: self.node.groups.load(Ordering::Relaxed), steps: self.node.steps.load(Ordering::Relaxed) }
    }

    /// Whether no node of this store was given this name within a time, which it is from now on. A node that has the store to itself is not asked: what it remembers
    /// is all that there is. Errors: the store does not answer; then nothing that depends on it has happened.
    pub async fn is_first_of_all_nodes(&self, name: &str, within_ms: i64) -> Result<bool, ApiError> {
        if !self.node.store.is_shared() {
            return Ok(true);
        }
        let noted = self.node.store.note_attempt(name, self.now_ms(), within_ms).await.map_err(|error| match error {
            // Of the name, not of what the caller wants.
            StoreError::Unknown(why) => StoreError::Unavailable(why),
            other => other,
        });
        Ok(noted.map_err(|error| self.store_error(error))? <= 1)
    }

    /// Whether this is an address that Falconer itself is reached at, under whichever name of this machine.
    pub fn is_own_address(&self, host: &str, port: u16) -> bool {
        self.node.settings.is_falconer_address(host, port)
    }

    /// What a failed call of the store means to whoever asked; a failure for good ends the process.
    pub fn store_error(&self, error: StoreError) -> ApiError {
        self.node.store_error(error)
    }
}
