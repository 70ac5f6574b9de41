//! The recent refusals: so many, the oldest goes first.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use falconer_credentials::RefusalSecret;

use crate::refusals::record::Refusal;

/// Of those that authenticateHawk answers so many are kept in a second. Keeping one takes as much as a quarter of letting somebody in, and of more than that nobody would find
/// their own any more.
const MOST_A_SECOND: u64 = 1000;

/// The recent refusals of a node.
pub(crate) struct Refusals {
    most: usize,
    /// The second of the clock, and in the lower half how many came in it.
    this_second: AtomicU64,
    /// Stands before what is kept in place of a MAC. Never leaves the process.
    secret: RefusalSecret,
    recent: Mutex<VecDeque<Arc<Refusal>>>,
}

impl Refusals {
    pub(crate) fn new(most: usize, secret: &[u8; 32]) -> Refusals {
        Refusals { most, this_second: AtomicU64::new(0), secret: RefusalSecret::new(secret), recent: Mutex::default() }
    }

    /// Whether one more is kept in this second, which it counts for then.
    pub(crate) fn takes_one_more(&self, now_ms: i64) -> bool {
        let second = u64::from(now_ms.div_euclid(1000) as u32) << 32;
        let with_one_more = |counted: u64| {
            let count = if counted >> 32 == second >> 32 { counted & u64::from(u32::MAX) } else { 0 };
            (count < MOST_A_SECOND).then(|| second | count.saturating_add(1))
        };
        self.this_second.fetch_update(Ordering::Relaxed, Ordering::Relaxed, with_one_more).is_ok()
    }

    pub(crate) fn secret(&self) -> &RefusalSecret {
        &self.secret
    }

    /// Keeps one, in place of the oldest where there are many.
    pub(crate) fn keep(&self, refusal: Refusal) {
        if self.most == 0 {
            return;
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent.len() >= self.most {
            recent.pop_front();
        }
        recent.push_back(Arc::new(refusal));
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<Refusal>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().rev().find(|refusal| refusal.id == id).map(Arc::clone)
    }
}

impl Refusals {
    /// The newest that are let through, newest first.
    pub(crate) fn newest(&self, most: usize, is_shown: impl Fn(&Refusal) -> bool) -> Vec<Arc<Refusal>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().rev().filter(|refusal| is_shown(refusal)).take(most).map(Arc::clone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusals::record::{NewRefusal, RefusedBy, RefusedFor};

    /// Strangers who were refused cost more than whoever was let in, and pushed out what somebody wanted to know.
    #[test]
    fn so_many_are_taken_in_a_second() {
        let ring = Refusals::new(3, &[0; 32]);
        for now_ms in [5_000, 5_999, 6_000, -1] {
            assert_eq!((0..5_000).filter(|_| ring.takes_one_more(now_ms)).count(), if now_ms == 5_999 { 0 } else { 1000 }, "{now_ms}");
        }
        // A clock that was set back begins anew.
        assert!(ring.takes_one_more(5_500));
    }

    #[test]
    fn the_oldest_goes_first() {
        let ring = Refusals::new(3, &[0; 32]);
        for id in ["a", "b", "c", "d"] {
            let why = RefusedFor::Scopes { client_id: None, missing: None, required: None };
            let new = NewRefusal { by: RefusedBy::Api, parts: None, why, payload_hash: None };
            ring.keep(Refusal::new(id.to_owned(), 0, new, ring.secret()));
        }
        let found: Vec<bool> = ["a", "b", "c", "d", "e"].into_iter().map(|id| ring.find(id).is_some()).collect();
        assert_eq!(found, [false, true, true, true, false]);
        let newest = |most| ring.newest(most, |refusal| refusal.id != "c").iter().map(|refusal| refusal.id.clone()).collect::<Vec<_>>();
        assert_eq!((newest(9), newest(1)), (vec!["d".to_owned(), "b".to_owned()], vec!["d".to_owned()]));
    }
}
