//! Which roles something was made with, and which have changed since.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many changes of roles are known back. What was remembered before is made again.
pub(super) const CHANGES: usize = 256;

/// Which roles an expansion was made with. Every change makes another generation, with a number that no other has: there may be several after the same
/// one, because what is decided on may not come to be.
#[derive(Clone, Default)]
pub(crate) struct Generation {
    number: u64,
    /// The generations that led to this one, oldest first: of each its number, and the id whose change ended it.
    before: Arc<VecDeque<(u64, Arc<str>)>>,
    /// The highest number that was given out, shared by all generations of a node.
    last: Arc<AtomicU64>,
}

impl Generation {
    /// The generation after a change of this role.
    pub(crate) fn after(&self, role_id: &str) -> Generation {
        let mut before = VecDeque::clone(&self.before);
        if before.len() >= CHANGES {
            before.pop_front();
        }
        before.push_back((self.number, Arc::from(role_id)));
        self.next(before)
    }

    /// The generation after changes of all these roles.
    pub(crate) fn after_all(&self, role_ids: &[Arc<str>]) -> Generation {
        if role_ids.len() > CHANGES {
            return self.after_anything();
        }
        role_ids.iter().fold(self.clone(), |generation, role_id| generation.after(role_id))
    }

    /// The generation after a change that nothing is known of.
    pub(crate) fn after_anything(&self) -> Generation {
        self.next(VecDeque::new())
    }

    fn next(&self, before: VecDeque<(u64, Arc<str>)>) -> Generation {
        let number = self.last.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        Generation { number, before: Arc::new(before), last: Arc::clone(&self.last) }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Whether what was made in `earlier` is what would be made now: this generation descends from that one, and no change on the way reaches it.
    pub(super) fn is_unaffected(&self, earlier: u64, is_reached_by: impl Fn(&str) -> bool) -> bool {
        let Some(at) = self.before.iter().rposition(|(number, _)| *number == earlier) else { return false };
        !self.before.iter().skip(at).any(|(_, role_id)| is_reached_by(role_id))
    }
}
