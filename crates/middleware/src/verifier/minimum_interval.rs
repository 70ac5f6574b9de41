use std::sync::atomic::{AtomicI64, Ordering};

/// Something that is not to be done again soon.
#[derive(Debug)]
pub(crate) struct MinimumInterval {
    every_ms: i64,
    last_ms: AtomicI64,
}

impl MinimumInterval {
    pub(crate) fn every_ms(every_ms: i64) -> MinimumInterval {
        MinimumInterval { every_ms, last_ms: AtomicI64::new(i64::MIN) }
    }

    /// Whether it was done a short time ago. A clock that was set back counts as a long time.
    pub(crate) fn is_recent(&self, now_ms: i64) -> bool {
        let last_ms = self.last_ms.load(Ordering::Relaxed);
        last_ms != i64::MIN && (0..self.every_ms).contains(&now_ms.saturating_sub(last_ms))
    }

    /// It is done now.
    pub(crate) fn note(&self, now_ms: i64) {
        self.last_ms.store(now_ms, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_done_again_after_a_while() {
        let seldom = MinimumInterval::every_ms(10);
        assert!(!seldom.is_recent(0));
        seldom.note(5);
        assert_eq!([5, 14, 15, 4].map(|now| seldom.is_recent(now)), [true, true, false, false]);
    }
}
