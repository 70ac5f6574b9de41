//! What is counted of following: how far behind this node is, what it took in, and who follows it.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use falconer_store::Revision;

/// Following since the start, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FollowingFigures {
    /// Revisions that this node knows of and does not answer from yet.
    pub revisions_behind: i64,
    /// Records that others have written and that this node took in.
    pub records: u64,
    /// How often everything was loaded, the start included.
    pub full_loads: u64,
    /// Who follows the changes at present.
    pub followers: u64,
    /// How often one of them was told to list everything again.
    pub resets: u64,
}

/// The same, as it is counted.
#[derive(Default)]
pub(crate) struct FollowingCounts {
    newest: AtomicI64,
    records: AtomicU64,
    full_loads: AtomicU64,
    followers: AtomicU64,
    resets: AtomicU64,
}

impl FollowingCounts {
    /// A look at the store saw this as its newest revision. It may be less than before, where a backup was restored.
    pub(crate) fn note_newest(&self, revision: Revision) {
        self.newest.store(revision.0, Ordering::Relaxed);
    }

    /// Another node says that there is this revision.
    pub(crate) fn note_notified(&self, revision: Revision) {
        self.newest.fetch_max(revision.0, Ordering::Relaxed);
    }

    pub(crate) fn note_records(&self, count: usize) {
        self.records.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn note_full_load(&self, revision: Revision) {
        self.note_newest(revision);
        self.full_loads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn note_follower(&self) {
        self.followers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn note_follower_gone(&self) {
        self.followers.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn note_reset(&self) {
        self.resets.fetch_add(1, Ordering::Relaxed);
    }

    /// For a node that answers from `shown`.
    pub(crate) fn figures(&self, shown: Revision) -> FollowingFigures {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        FollowingFigures {
            revisions_behind: self.newest.load(Ordering::Relaxed).saturating_sub(shown.0).max(0),
            records: of(&self.records),
            full_loads: of(&self.full_loads),
            followers: of(&self.followers),
            resets: of(&self.resets),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_behind_is_told_by_the_newest_revision_that_is_known() {
        let counts = FollowingCounts::default();
        let behind = |shown| counts.figures(Revision(shown)).revisions_behind;
        counts.note_full_load(Revision(10));
        counts.note_notified(Revision(14));
        counts.note_notified(Revision(12));
        assert_eq!((behind(10), behind(14), behind(15)), (4, 0, 0));
        // A backup was restored: what there was before is not waited for.
        counts.note_newest(Revision(9));
        assert_eq!((behind(9), counts.figures(Revision(9)).full_loads), (0, 1));
    }
}
