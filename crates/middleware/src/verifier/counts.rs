use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use falconer_wire::Code;

use crate::{Refusal, Verified};

/// How requests were decided since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// The credentials held, or there were none, and the scopes sufficed.
    pub allowed: u64,
    /// The same, and the scopes did not suffice.
    pub denied: u64,
    /// The credentials did not hold, or Falconer could not be asked about such a request.
    pub failed: u64,
    /// Falconer did not answer, or was not asked because it had not answered before.
    pub unavailable: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counted {
    allowed: AtomicU64,
    denied: AtomicU64,
    failed: AtomicU64,
    unavailable: AtomicU64,
}

impl Counted {
    pub(super) fn count(&self, decision: Result<Verified, Refusal>) -> Result<Verified, Refusal> {
        let counter = match &decision {
            Ok(_) => &self.allowed,
            Err(refusal) => match refusal.code() {
                Code::InsufficientScopes => &self.denied,
                Code::ServiceUnavailable => &self.unavailable,
                _ => &self.failed,
            },
        };
        counter.fetch_add(1, Relaxed);
        decision
    }

    pub(super) fn read(&self) -> Counts {
        let [allowed, denied, failed, unavailable] =
            [&self.allowed, &self.denied, &self.failed, &self.unavailable].map(|counter| counter.load(Relaxed));
        Counts { allowed, denied, failed, unavailable }
    }
}
