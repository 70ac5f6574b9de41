//! What a node remembers of expansions: both forms, within one bound.

use std::sync::Arc;

use falconer_scopes::AppliedRoles;

use super::cache::{Cache, ExpansionFigures};
use super::compact::Compact;
use super::generation::Generation;
use super::sets::{Expansion, Sets};

/// The part of the memory that the roles that apply may take: an entry takes about a kilobyte, where a set may take a hundred. What they don't take is for sets.
const COMPACT_PART: usize = 8;

/// Expansions by the list that was expanded.
pub(crate) struct Expansions {
    sets: Cache<Sets>,
    compact: Cache<Compact>,
}

impl Default for Expansions {
    fn default() -> Self {
        Expansions::new(0)
    }
}

impl Expansions {
    pub(crate) fn new(most_bytes: usize) -> Expansions {
        Expansions { sets: Cache::new(most_bytes), compact: Cache::new(most_bytes / COMPACT_PART) }
    }

    /// The set that the list comes to.
    pub(crate) fn set<'l>(
        &self,
        generation: &Generation,
        list: impl Iterator<Item = &'l [u8]> + Clone,
        make: impl FnOnce() -> Sets,
    ) -> Expansion {
        self.sets.get(self.compact.bytes(), generation, list, make, Sets::expansion)
    }

    /// The roles that apply to the list, for a verdict; `None` where the set is the better way: it is there already, or there is room for it, or the roles are many, or
    /// their expansion is not complete. So where sets do not all fit, none is made for a verdict.
    pub(crate) fn applied<'l>(
        &self,
        generation: &Generation,
        list: impl Iterator<Item = &'l [u8]> + Clone,
        make: impl FnOnce() -> Option<AppliedRoles>,
    ) -> Option<Arc<AppliedRoles>> {
        if self.sets.has_room() || self.sets.find(generation, list.clone(), |_| ()).is_some() {
            return None;
        }
        let applied = self.compact.get(0, generation, list.clone(), || Compact::new(list.count(), make), Compact::applied);
        self.sets.forget_beyond(self.compact.bytes());
        applied
    }

    pub(crate) fn figures(&self) -> ExpansionFigures {
        let (sets, compact) = (self.sets.figures(), self.compact.figures());
        ExpansionFigures {
            bytes: sets.bytes + compact.bytes,
            most_bytes: sets.most_bytes,
            hits: sets.hits.saturating_add(compact.hits),
            computed: sets.computed.saturating_add(compact.computed),
            evicted: sets.evicted.saturating_add(compact.evicted),
        }
    }
}
