//! Counts that were found full a moment ago: a flood of attempts that will be refused asks the store for as little as possible.
//!
//! Another node may clear a count: what is remembered here holds for a second.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So long the store is not asked about a full count.
const HOLDS_MS: i64 = 1000;
/// So many are remembered.
const MOST: usize = 4096;

#[derive(Default)]
pub(crate) struct FullCounts(Mutex<HashMap<String, Full>>);

#[derive(Clone, Copy)]
struct Full {
    found_ms: i64,
    /// When one more attempt is let in.
    open_ms: i64,
}

impl FullCounts {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Full>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long this count stays full, if that was found within the last second.
    pub(crate) fn wait_seconds(&self, key: &str, now_ms: i64) -> Option<u64> {
        let full = self.lock().get(key).copied().filter(|full| full.holds(now_ms))?;
        let wait_ms = u64::try_from(full.open_ms.saturating_sub(now_ms)).ok()?;
        Some(wait_ms.div_ceil(1000))
    }

    /// Remembers that the count is full for so long.
    pub(crate) fn note(&self, key: &str, now_ms: i64, wait_seconds: i64) {
        let mut full = self.lock();
        if full.len() >= MOST {
            full.retain(|_, full| full.holds(now_ms));
            if full.len() >= MOST {
                return;
            }
        }
        let open_ms = now_ms.saturating_add(wait_seconds.saturating_mul(1000));
        full.insert(key.to_owned(), Full { found_ms: now_ms, open_ms });
    }

    pub(crate) fn forget(&self, key: &str) {
        self.lock().remove(key);
    }
}

impl Full {
    fn holds(self, now_ms: i64) -> bool {
        (self.found_ms..self.found_ms.saturating_add(HOLDS_MS)).contains(&now_ms) && now_ms < self.open_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_count_is_remembered_for_a_second_and_never_beyond_its_end() {
        let full = FullCounts::default();
        full.note("long", 10_000, 900);
        full.note("short", 10_500, 0);
        assert_eq!(full.wait_seconds("long", 10_000), Some(900));
        assert_eq!(full.wait_seconds("long", 10_999), Some(900));
        assert_eq!(full.wait_seconds("long", 11_000), None, "the store is asked");
        assert_eq!(full.wait_seconds("long", 9_999), None, "the clock was set back");
        assert_eq!(full.wait_seconds("short", 10_500), None);
        full.forget("long");
        assert_eq!(full.wait_seconds("long", 10_000), None);
    }

    #[test]
    fn a_bounded_number_is_remembered() {
        let full = FullCounts::default();
        for number in 0..MOST + 10 {
            full.note(&number.to_string(), 0, 900);
        }
        assert_eq!(full.lock().len(), MOST);
        full.note("later", 5_000, 900);
        assert_eq!(full.lock().len(), 1);
    }
}
