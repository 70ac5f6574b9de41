//! Warnings that strangers can cause: said once a minute, so that nobody fills the log.

use std::sync::atomic::{AtomicI64, Ordering};

const MINUTE_MS: i64 = 60_000;

/// When something was said last.
#[derive(Debug)]
pub(crate) struct OncePerMinute(AtomicI64);

impl Default for OncePerMinute {
    fn default() -> Self {
        OncePerMinute(AtomicI64::new(i64::MIN))
    }
}

impl OncePerMinute {
    /// Whether it is time to say it again; whoever is told so says it.
    pub(crate) fn may_speak(&self, now_ms: i64) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        let due = last == i64::MIN || now_ms.saturating_sub(last) >= MINUTE_MS || now_ms < last;
        due && self.0.compare_exchange(last, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute() {
        let warning = OncePerMinute::default();
        let said: Vec<bool> = [0, 1, 59_999, 60_000, 60_001, 10].into_iter().map(|now| warning.may_speak(now)).collect();
        assert_eq!(said, [true, false, false, true, false, true]);
    }
}
