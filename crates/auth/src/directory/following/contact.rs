//! How old what a node answers from is at most: the time since its last look at the store began that came to an end.
//!
//! Several nodes write to one store. One that is cut off from it does not hear what the others revoke, so that it must not go on for long. A clock
//! that nobody sets measures it, and it is measured when somebody is authenticated: a process that was stopped for an hour goes on with the first request.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// When a node has last seen everything that was in the store.
pub(crate) struct Contact {
    /// `None`: nobody else writes to the store.
    most_ms: Option<i64>,
    last_ms: AtomicI64,
    notifications: AtomicU64,
}

impl Contact {
    /// At a moment of the steady clock.
    pub(crate) fn new(most_ms: Option<i64>, now_ms: i64) -> Contact {
        Contact { most_ms, last_ms: AtomicI64::new(now_ms), notifications: AtomicU64::new(0) }
    }

    /// Everything that was in the store at this moment is shown.
    pub(crate) fn note(&self, at_ms: i64) {
        self.last_ms.fetch_max(at_ms, Ordering::AcqRel);
    }

    /// So many notifications of other nodes have come.
    pub(crate) fn note_notifications(&self, count: u64) {
        self.notifications.store(count, Ordering::Relaxed);
    }

    pub(crate) fn notifications(&self) -> u64 {
        self.notifications.load(Ordering::Relaxed)
    }

    /// How old what is shown is at most, at this moment.
    pub(crate) fn age_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.last_ms.load(Ordering::Acquire)).max(0)
    }

    /// The same by what `now_ms` tells, where that is too old. Where it may be of any age, no clock is read.
    pub(crate) fn too_old_ms(&self, now_ms: impl FnOnce() -> i64) -> Option<i64> {
        let most_ms = self.most_ms?;
        Some(self.age_ms(now_ms())).filter(|age_ms| *age_ms > most_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_as_old_as_the_last_look() {
        let contact = Contact::new(Some(5000), 1000);
        assert_eq!((contact.too_old_ms(|| 6000), contact.too_old_ms(|| 6001)), (None, Some(5001)));
        contact.note(4000);
        contact.note(2000);
        assert_eq!((contact.age_ms(6000), contact.too_old_ms(|| 9000), contact.too_old_ms(|| 9001)), (2000, None, Some(5001)));
        assert_eq!(Contact::new(None, 0).too_old_ms(|| i64::MAX), None);
    }
}
