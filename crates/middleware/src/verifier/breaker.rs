use std::sync::{Mutex, PoisonError};

/// Failures in a row, after which nothing is asked for a pause.
const FAILURES: u32 = 5;
const PAUSE_MS: i64 = 1000;

/// When Falconer is away, callers are told at once instead of after a time limit each. It never lets anybody in.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    until_ms: i64,
}

impl State {
    /// A clock that was set back waits no longer than a pause.
    fn is_paused(&self, now_ms: i64) -> bool {
        self.failures >= FAILURES && now_ms < self.until_ms && self.until_ms - now_ms <= PAUSE_MS
    }
}

impl Breaker {
    /// Whether this question goes out. Whoever gets `true` reports how it went. Where nothing is reported, another question goes out after the same pause.
    pub(super) fn may_ask(&self, now_ms: i64) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failures < FAILURES {
            return true;
        }
        if state.is_paused(now_ms) {
            return false;
        }
        state.until_ms = now_ms.saturating_add(PAUSE_MS);
        true
    }

    /// Whether no question goes out at the moment.
    pub(super) fn is_paused(&self, now_ms: i64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_paused(now_ms)
    }

    /// How a question went.
    pub(super) fn report(&self, answered: bool, now_ms: i64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if answered {
            state.failures = 0;
        } else {
            state.failures = state.failures.saturating_add(1);
            state.until_ms = now_ms.saturating_add(PAUSE_MS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tries_after_each_pause_and_whoever_reports_nothing_blocks_nobody() {
        let breaker = Breaker::default();
        for _ in 0..FAILURES {
            assert!(breaker.may_ask(0));
            breaker.report(false, 0);
        }
        assert_eq!([0, 999, 1000, 1001, 1999, 2000].map(|now| breaker.may_ask(now)), [false, false, true, false, false, true]);
        breaker.report(false, 2500);
        assert_eq!([3499, 3500, -1_000_000].map(|now| breaker.may_ask(now)), [false, true, true]);
        breaker.report(true, 0);
        assert!((0..20).all(|_| breaker.may_ask(0)));
    }
}
