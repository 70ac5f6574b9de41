//! Grants that have ended, without their records: whoever goes on using what one gave is told why it does not count, and costs no look at the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many are remembered at least, and twice as many at most. Others are looked for in the store, and remembered then.
const HALF: usize = 4096;

/// How a grant ended. It stays so: neither is a grant given back, nor longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndOfGrant {
    /// Somebody ended it.
    pub(crate) is_revoked: bool,
    /// From then on it counts for nothing in any case; milliseconds since the epoch. A clock that was wrong may have been behind it, or not.
    pub(crate) expires_ms: i64,
}

/// What is remembered. It is shared by all snapshots of a node, also by one that comes to nothing: a grant that a snapshot holds is not looked for here.
#[derive(Default)]
pub(crate) struct EndedGrants(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    recent: HashMap<Arc<str>, EndOfGrant>,
    older: HashMap<Arc<str>, EndOfGrant>,
}

impl Halves {
    fn put(&mut self, id: Arc<str>, end: EndOfGrant) {
        if self.recent.len() >= HALF {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(id, end);
    }
}

impl EndedGrants {
    /// This one has ended, or will.
    pub(crate) fn note(&self, id: &str, end: EndOfGrant) {
        self.halves().put(Arc::from(id), end);
    }

    /// How a grant ended, where that is remembered.
    pub(crate) fn get(&self, id: &str) -> Option<EndOfGrant> {
        let mut halves = self.halves();
        if let Some(end) = halves.recent.get(id) {
            return Some(*end);
        }
        // Whoever still uses it goes on being remembered.
        let (id, end) = halves.older.remove_entry(id)?;
        halves.put(id, end);
        Some(end)
    }

    /// How this one has ended is to be looked for.
    pub(crate) fn forget(&self, id: &str) {
        let mut halves = self.halves();
        halves.recent.remove(id);
        halves.older.remove(id);
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_and_those_that_are_used_are_remembered_within_the_bound() {
        let ended = EndedGrants::default();
        let (revoked, over) = (EndOfGrant { is_revoked: true, expires_ms: 7 }, EndOfGrant { is_revoked: false, expires_ms: 8 });
        ended.note("used", revoked);
        ended.note("unused", over);
        assert_eq!(ended.get("unused"), Some(over));
        for n in 0..10 * HALF {
            ended.note(&n.to_string(), over);
            assert_eq!(ended.get("used"), Some(revoked), "{n}");
            let halves = ended.halves();
            assert!(halves.recent.len() + halves.older.len() <= 2 * HALF);
        }
        assert_eq!(ended.get("unused"), None);
        assert!((9 * HALF..10 * HALF).all(|n| ended.get(&n.to_string()).is_some()), "as many as are promised");
    }
}
