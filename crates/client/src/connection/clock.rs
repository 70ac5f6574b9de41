use std::sync::atomic::{AtomicI64, Ordering};

use crate::system;

/// A smaller difference can't be why a call was refused, because signatures may be 15 minutes off.
const STEP_MS: i64 = 60 * 1000;

/// Falconer's time, as far as it is known.
#[derive(Debug)]
pub(crate) struct Clock {
    /// What Falconer's clock is ahead of this computer's.
    ahead_ms: AtomicI64,
    asked_at_ms: AtomicI64,
}

impl Default for Clock {
    fn default() -> Self {
        Clock { ahead_ms: AtomicI64::new(0), asked_at_ms: AtomicI64::new(i64::MIN) }
    }
}

impl Clock {
    pub(crate) fn now_ms(&self) -> i64 {
        system::now_ms().saturating_add(self.ahead_ms.load(Ordering::Relaxed))
    }

    /// Whether Falconer may be asked for its time, which it may once a minute. Else each call that is refused for another reason would become two.
    pub(crate) fn may_ask(&self) -> bool {
        let now = system::now_ms();
        let before = self.asked_at_ms.swap(now, Ordering::Relaxed);
        now.checked_sub(before).is_none_or(|since| since.abs() >= STEP_MS)
    }

    /// From a `Date` header. `true` if it is another time than was thought.
    pub(crate) fn learn(&self, date: &str) -> bool {
        let Some(there_ms) = httpdate::parse_http_date(date).ok().and_then(system::since_1970_ms) else { return false };
        let ahead = there_ms.saturating_sub(system::now_ms());
        let before = self.ahead_ms.load(Ordering::Relaxed);
        let other = ahead.saturating_sub(before).saturating_abs() >= STEP_MS;
        if other {
            self.ahead_ms.store(ahead, Ordering::Relaxed);
        }
        other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_time_is_learned() {
        let clock = Clock::default();
        for nonsense in ["", "yesterday", "2026-01-01T00:00:00Z"] {
            assert!(!clock.learn(nonsense), "{nonsense}");
        }
        assert!(clock.learn("Thu, 01 Jan 2015 00:00:00 GMT"));
        assert!(!clock.learn("Thu, 01 Jan 2015 00:00:00 GMT"));
        let year_2015_ms = 1_420_070_400_000;
        assert!((clock.now_ms() - year_2015_ms).abs() < STEP_MS, "{}", clock.now_ms());
    }

    #[test]
    fn falconer_is_asked_once_a_minute() {
        let clock = Clock::default();
        assert!(clock.may_ask());
        assert!(!clock.may_ask());
    }
}
