//! A node: one directory, one queue of changes, one store. All rooms of this crate work on it. It knows none of their rules.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use falconer_store::{Change, Epoch, History, Revision, Store, StoreError};

use crate::audit::recent::RecentRows;
use crate::change::group::Queue;
use crate::directory::absent_grants::unknown::UnknownGrants;
use crate::directory::following::contact::Contact;
use crate::directory::following::figures::FollowingCounts;
use crate::directory::following::writable::Writable;
use crate::directory::last_uses::LastUses;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::refusals::ring::Refusals;
use crate::settings::AuthSettings;
use crate::time::{Clock, DAY_MS, MINUTE_MS, Random};
use crate::verify::tokens::seen_proofs::SeenProofs;

/// After so long without a change, an operator has to confirm the time of the next one. A change that is stored under a date in the future shuts everybody out until that
/// date.
const MOST_AHEAD_MS: i64 = 90 * DAY_MS;

/// How many may wait for a revision at once. Each takes a little memory and no time.
const MOST_WAITING: usize = 256;

/// The use cases of the auth API on one node. Cheap to clone; all clones are the same node.
#[derive(Clone)]
pub struct Auth {
    pub(crate) node: Arc<Node>,
}

/// What all clones of an [`Auth`] share.
pub(crate) struct Node {
    pub(crate) store: Arc<dyn Store>,
    /// What the node was opened on. Catching up with the store runs there.
    pub(crate) runtime: tokio::runtime::Handle,
    pub(crate) settings: AuthSettings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) directory: ArcSwap<Snapshot>,
    /// History and revision of the directory, for those who wait for it to move.
    pub(crate) moved: tokio::sync::watch::Sender<(History, Revision)>,
    /// Reads from the store what others have written.
    pub(crate) catch_ups: CatchUps,
    /// How old that is at most.
    pub(crate) contact: Contact,
    /// What was taken in of others, and who follows this node.
    pub(crate) following: FollowingCounts,
    /// Places for those who wait for a revision.
    pub(crate) waiting: tokio::sync::Semaphore,
    /// Changes of this node are decided one after the other; waiting is first come, first served.
    pub(crate) queue: Arc<tokio::sync::Mutex<Queue>>,
    /// How many groups of steps were committed, and how many steps in them.
    pub(crate) groups: AtomicU64,
    pub(crate) steps: AtomicU64,
    pub(crate) last_uses: LastUses,
    pub(crate) unknown_grants: UnknownGrants,
    /// Proofs that have counted.
    pub(crate) seen_proofs: SeenProofs,
    /// Why not, for those who may ask.
    pub(crate) refusals: Refusals,
    /// What those who follow changes have in common.
    pub(crate) recent_rows: RecentRows,
    /// Whether the last write found no room.
    pub(crate) store_is_full: AtomicBool,
    /// What the store has said of whether it takes changes.
    pub(crate) writable: Writable,
    /// When the commit that is under way began, by the steady clock; the end of time where none is.
    pub(crate) committing_since_ms: AtomicI64,
    /// Whoever writes uses has it.
    pub(crate) flushing: tokio::sync::Mutex<()>,
    /// Rows whose sealed value did not open, when everything was read last.
    pub(crate) damaged: AtomicUsize,
}

/// The times that this node has caught up with the store, one after the other.
#[derive(Default)]
pub(crate) struct CatchUps {
    /// How many have begun.
    pub(crate) begun: AtomicU64,
    /// The last one that came to its end, by its number, and what came of it.
    pub(crate) last: tokio::sync::Mutex<(u64, Option<StoreError>)>,
    /// What the last one saw as the newest revision.
    pub(crate) newest: Mutex<Option<Newest>>,
}

/// The newest revision at some time, and what it changed.
#[derive(Clone, PartialEq)]
pub(crate) struct Newest {
    pub(crate) epoch: Epoch,
    pub(crate) revision: Revision,
    pub(crate) rows: Vec<Change>,
}

impl Node {
    /// With nothing in the directory yet. Called on a runtime that lives as long as the node.
    pub(crate) fn new(store: Arc<dyn Store>, settings: AuthSettings, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Node {
        let (mut secret, mut seed) = ([0; 32], [0; 8]);
        random.fill(&mut secret);
        random.fill(&mut seed);
        let expansion_bytes = settings.cache_mib.saturating_mul(1 << 20);
        let directory = ArcSwap::from_pointee(Snapshot::empty(expansion_bytes, u64::from_ne_bytes(seed)));
        let refusals = Refusals::new(settings.remembered_refusals, &secret);
        let contact = Contact::new(settings.max_staleness_ms.filter(|_| store.is_shared()), clock.steady_ms());
        Node {
            store,
            runtime: tokio::runtime::Handle::current(),
            settings,
            clock,
            random,
            directory,
            moved: tokio::sync::watch::Sender::default(),
            catch_ups: CatchUps::default(),
            contact,
            following: FollowingCounts::default(),
            waiting: tokio::sync::Semaphore::new(MOST_WAITING),
            queue: Arc::default(),
            groups: AtomicU64::new(0),
            steps: AtomicU64::new(0),
            last_uses: LastUses::default(),
            unknown_grants: UnknownGrants::default(),
            seen_proofs: SeenProofs::default(),
            refusals,
            recent_rows: RecentRows::default(),
            store_is_full: AtomicBool::new(false),
            writable: Writable::default(),
            committing_since_ms: AtomicI64::new(i64::MAX),
            flushing: tokio::sync::Mutex::default(),
            damaged: AtomicUsize::new(0),
        }
    }

    /// Answers from this snapshot from now on, and wakes who waits for it.
    pub(crate) fn show(&self, next: Snapshot) {
        let position = (next.history(), next.revision());
        self.directory.store(Arc::new(next));
        self.moved.send_if_modified(|shown| std::mem::replace(shown, position) != position);
    }

    /// How far the clock is behind the time of the last change, where that is more than a minute.
    pub(crate) fn clock_behind_ms(&self, snapshot: &Snapshot, now_ms: i64) -> Option<i64> {
        let behind_ms = snapshot.highest_ms().saturating_sub(now_ms);
        (behind_ms > MINUTE_MS).then_some(behind_ms)
    }

    /// For how long the node has not seen what is in the store, where that is too long to authenticate anybody.
    pub(crate) fn cut_off_ms(&self) -> Option<i64> {
        self.contact.too_old_ms(|| self.clock.steady_ms())
    }

    /// How far the clock is ahead of the time of the last change, where that is hard to believe.
    pub(crate) fn clock_ahead_ms(&self, snapshot: &Snapshot, now_ms: i64) -> Option<i64> {
        let ahead_ms = now_ms.saturating_sub(snapshot.highest_ms());
        (snapshot.highest_ms() != 0 && ahead_ms > MOST_AHEAD_MS).then_some(ahead_ms)
    }

    /// The time of a change that waits for no operator. Where the clock is hard to believe, that is the time of the last change, so that no wrong time is confirmed.
    pub(crate) fn believed_ms(&self, snapshot: &Snapshot) -> i64 {
        let now_ms = self.clock.now_ms();
        if self.clock_ahead_ms(snapshot, now_ms).is_some() { snapshot.highest_ms() } else { now_ms }
    }

    pub(crate) fn draw<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// An id that nobody has.
    pub(crate) fn new_id(&self) -> String {
        falconer_credentials::nice_slugid(self.draw::<16>())
    }

    pub(crate) fn slugid(&self) -> String {
        falconer_credentials::slugid(self.draw::<16>())
    }

    /// Ends the process where the store has failed for good.
    pub(crate) fn end_if_fatal(&self, error: &StoreError) {
        if let StoreError::Fatal(text) = error {
            tracing::error!(reason = %text, "the store failed for good, so this process ends: look at its disk or its database, then start it again");
            (self.settings.on_fatal)(text);
        }
    }

    /// What the error of a commit means to whoever wanted the change: done, not done, and not known are three answers.
    pub(crate) fn commit_error(&self, error: StoreError) -> ApiError {
        match &error {
            // The write itself may have failed, or what came after it.
            StoreError::Fatal(text) => {
                self.end_if_fatal(&error);
                ApiError::OutcomeUnknown(text.clone())
            }
            _ => self.store_error(error),
        }
    }

    /// What a store's error means to whoever asked; a fatal one ends the process.
    pub(crate) fn store_error(&self, error: StoreError) -> ApiError {
        self.end_if_fatal(&error);
        if matches!(error, StoreError::Full(_)) {
            self.note_room(false);
        }
        ApiError::of_store(error)
    }

    /// Whether the last write found room.
    pub(crate) fn note_room(&self, is_there: bool) {
        self.store_is_full.store(!is_there, Ordering::Relaxed);
    }
}
