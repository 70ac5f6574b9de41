//! What is said of something that is tried often and fails for a while: the first failure, once a minute how many there were, and that it is over.

/// So long nothing is said of more failures.
const QUIET_MS: i64 = 60_000;

/// Failures one after the other. The default is that there are none.
#[derive(Debug, Default)]
pub struct Outage {
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    failures: u64,
    began_ms: i64,
    reported_ms: i64,
}

/// What is due to be said.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    /// All failures since it began.
    pub failures: u64,
    /// Since the first one.
    pub seconds: i64,
}

impl Outage {
    /// It failed at this time of a clock that never goes back. Answers what is to be said, if anything.
    pub fn failed(&mut self, now_ms: i64) -> Option<Report> {
        let Some(current) = &mut self.current else {
            self.current = Some(Current { failures: 1, began_ms: now_ms, reported_ms: now_ms });
            return Some(Report { failures: 1, seconds: 0 });
        };
        current.failures = current.failures.saturating_add(1);
        if now_ms.saturating_sub(current.reported_ms) < QUIET_MS {
            return None;
        }
        current.reported_ms = now_ms;
        Some(current.report(now_ms))
    }

    /// It worked. Answers what is to be said where it had failed before.
    pub fn worked(&mut self, now_ms: i64) -> Option<Report> {
        self.current.take().map(|current| current.report(now_ms))
    }
}

impl Current {
    fn report(&self, now_ms: i64) -> Report {
        Report { failures: self.failures, seconds: now_ms.saturating_sub(self.began_ms) / 1000 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// While PostgreSQL was away a server warned twice a second, so that nobody found anything else in the log.
    #[test]
    fn a_long_outage_is_reported_once_a_minute() {
        let mut outage = Outage::default();
        assert_eq!(outage.worked(0), None);
        let reports: Vec<Report> = (0..241).filter_map(|half| outage.failed(half * 500)).collect();
        let report = |failures, seconds| Report { failures, seconds };
        assert_eq!(reports, [report(1, 0), report(121, 60), report(241, 120)]);
        assert_eq!(outage.worked(121_000), Some(report(241, 121)));
        assert_eq!(outage.worked(121_500), None);
        assert_eq!(outage.failed(122_000), Some(report(1, 0)), "the next outage is another one");
    }
}
