//! The node: one directory, one queue of mutations, one store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use falconer_scopes::ScopeSet;
use falconer_store::{Revision, Store, StoreError};

use crate::change::turn::Turn;
use crate::directory::snapshot::{Clients, Snapshot};
use crate::directory::uses::UseQueue;
use crate::error::{ApiError, AuthError};
use crate::settings::AuthSettings;
use crate::time::{Clock, MINUTE_MS, Random};

/// The use cases of the auth API on one node. Cheap to clone; all clones are the same node.
#[derive(Clone)]
pub struct Auth {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) settings: AuthSettings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) directory: ArcSwap<Snapshot>,
    /// The revision of the directory, for those who wait for it to move.
    pub(crate) moved: tokio::sync::watch::Sender<Revision>,
    /// Mutations of this node take turns; waiting is first come, first served.
    pub(crate) queue: Arc<tokio::sync::Mutex<Turn>>,
    /// How many groups of steps were committed, and how many steps in them.
    pub(crate) groups: AtomicU64,
    pub(crate) steps: AtomicU64,
    pub(crate) uses: Mutex<UseQueue>,
}

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
        crate::administer::statics::check(&settings.static_clients)?;
        let directory = ArcSwap::from_pointee(Snapshot::empty(settings.cache_mib.saturating_mul(1 << 20)));
        let inner = Inner {
            store,
            settings,
            clock,
            random,
            directory,
            moved: tokio::sync::watch::Sender::default(),
            queue: Arc::default(),
            groups: AtomicU64::new(0),
            steps: AtomicU64::new(0),
            uses: Mutex::default(),
        };
        let auth = Auth { inner: Arc::new(inner) };
        auth.inner.reload().await?;
        if !auth.inner.settings.leave_static_clients {
            auth.synchronise_static_clients().await?;
        }
        auth.ensure_issuer().await?;
        Ok(auth)
    }

    /// Roles, clients, grants and people at one revision.
    pub fn directory(&self) -> Arc<Snapshot> {
        self.inner.directory.load_full()
    }

    /// Which revision this node answers from.
    pub fn revision(&self) -> Revision {
        self.inner.directory.load().revision()
    }

    /// What these scopes come to under the present roles; without anonymous, and without what is reserved.
    pub fn expand(&self, scopes: &[&str]) -> ScopeSet {
        self.inner.directory.load().expand(scopes)
    }

    /// Milliseconds since the epoch, by this node's clock.
    pub fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    /// Whether this node's clock is more than a minute behind the highest time that was ever stored; it authenticates nobody then.
    pub fn clock_is_behind(&self) -> bool {
        self.inner.clock_is_behind(&self.inner.directory.load(), self.now_ms())
    }

    /// How changes were committed since the start.
    pub fn commit_figures(&self) -> CommitFigures {
        CommitFigures { groups: self.inner.groups.load(Ordering::Relaxed), steps: self.inner.steps.load(Ordering::Relaxed) }
    }

    /// What a failed call of the store means to whoever asked; a failure for good ends the process.
    pub fn store_error(&self, error: StoreError) -> ApiError {
        self.inner.store_error(error)
    }

    /// Takes in what other processes have written to the store since. Answers whether there was anything. A failure for good ends the process.
    pub async fn catch_up(&self) -> Result<bool, StoreError> {
        let caught_up = self.take_in().await;
        caught_up.inspect_err(|error| self.inner.heed(error))
    }

    async fn take_in(&self) -> Result<bool, StoreError> {
        if self.inner.store.revision().await? <= self.revision() {
            return Ok(false);
        }
        let _turn = Arc::clone(&self.inner.queue).lock_owned().await;
        self.inner.reload().await?;
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

impl Inner {
    /// Reads everything again. The caller holds the turn, or is the only one.
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

    /// Answers from this snapshot from now on, and wakes who waits for it.
    pub(crate) fn show(&self, next: Snapshot) {
        let revision = next.revision();
        self.directory.store(Arc::new(next));
        self.moved.send_if_modified(|shown| std::mem::replace(shown, revision) != revision);
    }

    pub(crate) fn clock_is_behind(&self, snapshot: &Snapshot, now_ms: i64) -> bool {
        now_ms.saturating_add(MINUTE_MS) < snapshot.highest_ms()
    }

    pub(crate) fn draw<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    pub(crate) fn slugid(&self) -> String {
        falconer_credentials::slugid(self.draw::<16>())
    }
}
