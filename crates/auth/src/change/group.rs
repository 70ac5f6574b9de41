//! The group of changes that are committed together, because making them durable takes as long for many as for one.
//!
//! Whoever has the turn decides on the **tip**: the shown snapshot with the steps of the open group. Nothing outside of the turn sees a tip.

use std::sync::Arc;

use falconer_store::{Revision, StoreError};
use tokio::sync::oneshot;

use crate::change::apply::Change;
use crate::directory::snapshot::Snapshot;

/// What the turn guards.
#[derive(Default)]
pub(crate) struct Queue {
    /// The open group; none, or one with somebody in it.
    pub(crate) group: Option<Group>,
}

pub(crate) struct Group {
    /// What was shown when it began. Its first member decided on that.
    pub(crate) base: Revision,
    pub(crate) tip: Arc<Snapshot>,
    pub(crate) members: Vec<Member>,
    /// Nobody joins any more: what the last one comes to, only the store knows, and nobody decides on a tip without it.
    pub(crate) is_closed: bool,
}

pub(crate) struct Member {
    /// None for somebody who writes nothing.
    pub(crate) change: Option<Change>,
    pub(crate) answer: oneshot::Sender<Result<Revision, Failed>>,
}

/// Why a group was not committed.
pub(crate) struct Failed {
    pub(crate) error: StoreError,
    /// Whether it may have been the fault of somebody else in the group.
    pub(crate) shared: bool,
}

/// Ready when the group was committed, or was not.
pub(crate) type Outcome = oneshot::Receiver<Result<Revision, Failed>>;

impl Queue {
    /// What to decide on; with `None` there is nothing but what is shown.
    pub(crate) fn tip(&self) -> Option<Arc<Snapshot>> {
        self.group.as_ref().map(|group| Arc::clone(&group.tip))
    }

    /// Adds a member, and applies its change to the tip.
    pub(crate) fn join(&mut self, shown: &Arc<Snapshot>, change: Option<Change>) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let group = self.group.get_or_insert_with(|| Group {
            base: shown.revision(),
            tip: Arc::clone(shown),
            members: Vec::new(),
            is_closed: false,
        });
        if let Some(change) = &change {
            let revision = group.tip.revision().0.saturating_add(i64::from(change.makes_a_revision(&group.tip)));
            group.is_closed = change.is_known_to_store_only();
            let mut tip = Snapshot::clone(&group.tip);
            change.apply(&mut tip);
            group.tip = Arc::new(tip.at_revision(Revision(revision), change.step.at_ms));
        }
        group.members.push(Member { change, answer });
        outcome
    }
}
