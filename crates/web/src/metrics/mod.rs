//! What is counted for operators, and how it is told (`docs/metrics.md`).
//!
//! Counting one request is a few additions on memory that no other core writes at the same moment: each thread has a shard of its own, and whoever asks
//! adds them up. That is why the library's own counters and histograms are not used on the way of a request: of the former all cores write the
//! same word, and the latter take a lock.

mod exposition;
mod people;
pub(crate) mod spans;
mod verdicts;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use falconer_auth::Verdict;
use falconer_wire::{Call, Method};
use http::StatusCode;

pub use exposition::{ProcessFigures, routes};
pub(crate) use people::{LOCAL, People, SignIn};
pub(crate) use verdicts::Label;

/// What answered a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    Call(Call),
    /// A path of the API that is no method, or what describes the API.
    Api,
    /// A page, or what a page loads.
    Page,
    /// Nobody: it was refused for its size or its time, or the handler panicked.
    Nobody,
}

/// Upper bounds of the latencies, in microseconds; beyond the last there is one more.
pub(crate) const BOUNDS_US: [u64; 14] = [25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000];
/// The kinds of requests whose latencies are told apart.
pub(crate) const KINDS: [&str; 3] = ["verify", "api", "page"];
/// Status classes from 2xx to 5xx; 1xx is never the answer.
pub(crate) const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// How many shards there are; more threads than that share them.
const SHARDS: usize = 16;
/// Buckets of one kind, the last without a bound, and the sum of microseconds behind them.
const LATENCY: usize = BOUNDS_US.len() + 2;

/// Counts of one node since its start.
pub struct Metrics {
    shards: Box<[Shard]>,
    /// The names of what answers, in the order of the counts: service and method.
    names: Vec<(&'static str, &'static str)>,
    pub(crate) accepted: AtomicU64,
    pub(crate) closed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) too_slow: AtomicU64,
    pub(crate) people: People,
}

/// The counts of one thread: answers by name and class, latencies by kind, verdicts, checks. Alone on its cache lines.
#[repr(align(128))]
struct Shard(Box<[AtomicU64]>);

impl Default for Metrics {
    fn default() -> Metrics {
        let calls = Method::all().map(|method| method.call as usize).max().map_or(0, |most| most + 1);
        let mut names = vec![("", ""); calls];
        for method in Method::all() {
            if let Some(name) = names.get_mut(method.call as usize) {
                *name = (method.service.name(), method.name);
            }
        }
        names.extend([("", "api"), ("", "page"), ("", "none")]);
        let counts = names.len() * CLASSES.len() + KINDS.len() * LATENCY + 2 * Label::ALL.len();
        let shard = || Shard(std::iter::repeat_with(AtomicU64::default).take(counts).collect());
        Metrics {
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            names,
            accepted: AtomicU64::default(),
            closed: AtomicU64::default(),
            refused: AtomicU64::default(),
            too_slow: AtomicU64::default(),
            people: People::default(),
        }
    }
}

impl Metrics {
    pub(crate) fn answered(&self, by: Answered, status: StatusCode, took: Duration) {
        let Some(shard) = self.mine() else { return };
        let class = usize::from(status.as_u16() / 100).saturating_sub(2).min(CLASSES.len() - 1);
        shard.add(self.place(by) * CLASSES.len() + class, 1);
        let kind = match by {
            Answered::Call(Call::AuthenticateHawk | Call::Check | Call::Checks) => 0,
            Answered::Call(_) | Answered::Api => 1,
            Answered::Page | Answered::Nobody => 2,
        };
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let latencies = self.latencies(kind);
        shard.add(latencies + BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(BOUNDS_US.len()), 1);
        shard.add(latencies + BOUNDS_US.len() + 1, us);
    }

    pub(crate) fn verified(&self, verdict: &Verdict) {
        if let Some(shard) = self.mine() {
            shard.add(self.verdicts() + Label::of(verdict) as usize, 1);
        }
    }

    /// The same for one check.
    pub(crate) fn checked(&self, label: Label) {
        if let Some(shard) = self.mine() {
            shard.add(self.checks() + label as usize, 1);
        }
    }

    fn place(&self, by: Answered) -> usize {
        let calls = self.names.len() - 3;
        match by {
            Answered::Call(call) => call as usize,
            Answered::Api => calls,
            Answered::Page => calls + 1,
            Answered::Nobody => calls + 2,
        }
    }

    fn latencies(&self, kind: usize) -> usize {
        self.names.len() * CLASSES.len() + kind * LATENCY
    }

    fn verdicts(&self) -> usize {
        self.latencies(KINDS.len())
    }

    fn checks(&self) -> usize {
        self.verdicts() + Label::ALL.len()
    }

    /// The shard of this thread; there is always one.
    fn mine(&self) -> Option<&Shard> {
        self.shards.get(falconer_auth::thread_number() % SHARDS)
    }

    /// The sum over all threads.
    fn sum(&self, at: usize) -> u64 {
        self.shards.iter().filter_map(|shard| shard.0.get(at)).map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

impl Shard {
    fn add(&self, at: usize, more: u64) {
        if let Some(count) = self.0.get(at) {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use falconer_auth::Reason;
    use falconer_scopes::ScopeSet;

    use super::*;

    #[test]
    fn counts_of_all_threads_add_up() {
        let metrics = Metrics::default();
        let verify = Answered::Call(Call::AuthenticateHawk);
        let failed = Verdict::Failed(Reason::TwoSchemes);
        let nobody = Verdict::NoAuth { expires_ms: 0, scopes: ScopeSet::default() };
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| {
                    for n in 0..100 {
                        metrics.answered(verify, StatusCode::OK, Duration::from_micros(30));
                        metrics.answered(Answered::Page, StatusCode::NOT_FOUND, Duration::from_secs(n));
                        metrics.verified(if n < 10 { &failed } else { &nobody });
                    }
                });
            }
        });
        assert_eq!(metrics.sum(metrics.place(verify) * CLASSES.len()), 4000);
        assert_eq!(metrics.sum(metrics.place(Answered::Page) * CLASSES.len() + 2), 4000);
        assert_eq!(metrics.sum(metrics.latencies(0) + 1), 4000, "in the bucket up to 50 us");
        assert_eq!(metrics.sum(metrics.latencies(0) + BOUNDS_US.len() + 1), 4000 * 30);
        assert_eq!(metrics.sum(metrics.latencies(2) + BOUNDS_US.len()), 40 * 97, "3 s and more");
        let said = |label: Label| metrics.sum(metrics.verdicts() + label as usize);
        assert_eq!((said(Label::NoAuth), said(Label::Malformed), said(Label::Success)), (3600, 400, 0));
    }

    #[test]
    fn every_method_has_a_name_and_a_place_of_its_own() {
        let metrics = Metrics::default();
        let mut named: Vec<_> = metrics.names.clone();
        assert!(Method::all().all(|method| metrics.names[method.call as usize] == (method.service.name(), method.name)));
        named.sort();
        named.dedup();
        assert_eq!(named.len(), metrics.names.len());
    }
}
