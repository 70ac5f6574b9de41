//! Encoded forms of lists of scopes that are sent again and again, within a bound.
//!
//! What was sent once is the first to go: nearly all that is sent once never comes again.

use std::hash::{BuildHasher as _, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;
use falconer_scopes::ScopeSet;
use foldhash::quality::RandomState;

use super::encoding::Encoded;

/// How many places a list can be kept at: as many lists with the same beginning of their hash do not push each other out.
const WAYS: usize = 4;
/// How many times so many places there are. A power of two.
const GROUPS: usize = 256;
/// How many bytes the lists and their compressed forms may take, about.
const MOST_BYTES: usize = 32 << 20;

/// What is kept of lists of scopes, by the set: the sets are shared by all answers that are made of one expansion.
pub(crate) struct Encodings {
    hasher: RandomState,
    groups: Box<[[ArcSwapOption<Kept>; WAYS]]>,
    bytes: AtomicUsize,
    /// Where forgetting goes on.
    hand: AtomicUsize,
}

struct Kept {
    /// As long as it is here, its number is no other set's.
    scopes: ScopeSet,
    encoded: Arc<Encoded>,
    /// Sent again since it was kept, or since the hand last passed.
    used: AtomicBool,
}

impl Default for Encodings {
    fn default() -> Self {
        Encodings {
            hasher: RandomState::default(),
            groups: std::iter::repeat_with(Default::default).take(GROUPS).collect(),
            bytes: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
        }
    }
}

impl Encodings {
    /// What is kept of this set, or else what `make` makes, which is kept from then on.
    pub(crate) fn of(&self, scopes: &ScopeSet, make: impl FnOnce() -> Encoded) -> Arc<Encoded> {
        let number = scopes.identity();
        let Some(group) = self.groups.get(group_of(self.hasher.build_hasher(), number)) else { return Arc::new(make()) };
        for place in group {
            if let Some(kept) = place.load().as_ref()
                && kept.scopes.identity() == number
            {
                // Written only when it changes, so that many may read at the same time.
                if !kept.used.load(Ordering::Relaxed) {
                    kept.used.store(true, Ordering::Relaxed);
                }
                return Arc::clone(&kept.encoded);
            }
        }
        let encoded = Arc::new(make());
        let bytes = bytes_of(scopes);
        if number != 0 && bytes <= MOST_BYTES / 8 {
            let kept = Kept { scopes: scopes.clone(), encoded: Arc::clone(&encoded), used: AtomicBool::new(false) };
            self.keep(group, kept, bytes);
        }
        encoded
    }

    fn keep(&self, group: &[ArcSwapOption<Kept>; WAYS], kept: Kept, bytes: usize) {
        // Where nothing is, or in place of what was not sent since the hand passed.
        let unused = |place: &&ArcSwapOption<Kept>| place.load().as_ref().is_none_or(|old| !old.used.swap(false, Ordering::Relaxed));
        let empty = group.iter().find(|place| place.load().is_none());
        let Some(place) = empty.or_else(|| group.iter().find(unused)).or(group.first()) else { return };
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.count_out(place.swap(Some(Arc::new(kept))));
        // Twice around is enough: the first time may only take the marks away.
        for _ in 0..GROUPS * 2 {
            if self.bytes.load(Ordering::Relaxed) <= MOST_BYTES {
                return;
            }
            let hand = self.hand.fetch_add(1, Ordering::Relaxed) % GROUPS;
            for place in self.groups.get(hand).into_iter().flatten().filter(unused) {
                self.count_out(place.swap(None));
            }
        }
    }

    fn count_out(&self, kept: Option<Arc<Kept>>) {
        if let Some(kept) = kept {
            self.bytes.fetch_sub(bytes_of(&kept.scopes), Ordering::Relaxed);
        }
    }
}

/// Numbers of sets are addresses, often with one distance between them: only a hash whose every bit depends on all of them spreads these.
fn group_of(mut hasher: impl Hasher, number: usize) -> usize {
    hasher.write_usize(number);
    usize::try_from(hasher.finish()).unwrap_or_default() % GROUPS
}

/// The text, and a quarter of it for its compressed form, which is made later.
fn bytes_of(scopes: &ScopeSet) -> usize {
    scopes.text_bytes() + scopes.text_bytes() / 4
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use foldhash::SharedSeed;
    use foldhash::quality::FoldHasher;
    use http::HeaderValue;

    use super::*;

    fn encoded(length: usize) -> Encoded {
        Encoded { etag: HeaderValue::from_static("W/\"0\""), length, gzip: OnceLock::new() }
    }

    #[test]
    fn what_is_made_of_a_set_is_kept_for_all_its_clones_and_no_other() {
        let encodings = Encodings::default();
        let set = ScopeSet::new(["a", "b"]);
        assert_eq!(encodings.of(&set.clone(), || encoded(1)).length, 1);
        assert_eq!(encodings.of(&set, || encoded(2)).length, 1);
        // Equal, but made for itself.
        assert_eq!(encodings.of(&ScopeSet::new(["a", "b"]), || encoded(3)).length, 3);
        assert_eq!(encodings.of(&ScopeSet::default(), || encoded(4)).length, 4);
        assert_eq!(encodings.of(&ScopeSet::default(), || encoded(5)).length, 5);
    }

    /// Story: each list had one place, so that of sixteen that were sent in turn two often shared one, and each was compressed again and again
    /// because of the other. That cost ten times the rest of the answer.
    #[test]
    fn lists_that_are_sent_in_turn_do_not_push_each_other_out() {
        let sets: Vec<ScopeSet> = (0..200).map(|n| ScopeSet::new([format!("a:{n}"), "b".to_owned()])).collect();
        let encodings = Encodings::default();
        for round in 0..2 {
            sets.iter().for_each(|set| drop(encodings.of(set, || encoded(round))));
        }
        let made_again = sets.iter().filter(|set| encodings.of(set, || encoded(9)).length == 9).count();
        assert!(made_again <= 10, "{made_again} of 200");
    }

    /// Story: a hash for maps of the standard library has bits that hardly change from one address to the next with the seeds of some
    /// processes. Half of two hundred lists were in a few groups there, and each answer was made again.
    #[test]
    fn addresses_in_a_row_are_spread_whatever_the_seed_of_the_process() {
        for (seed, distance) in (0..2_000).zip([16, 32, 48, 64, 96, 112, 1_024, 4_096].into_iter().cycle()) {
            let shared = SharedSeed::from_u64(seed);
            let mut lists_of_group = [0_usize; GROUPS];
            for n in 0..200 {
                lists_of_group[group_of(FoldHasher::with_seed(seed, &shared), 0x7f00_0000_0000 + n * distance)] += 1;
            }
            let without_place: usize = lists_of_group.iter().map(|lists| lists.saturating_sub(WAYS)).sum();
            assert!(without_place <= 10, "seed {seed}, distance {distance}: {without_place} of 200 have no place");
        }
    }

    #[test]
    fn the_bound_holds_and_what_is_sent_often_stays() {
        let encodings = Encodings::default();
        let hot = ScopeSet::new(["hot"]);
        let mut repeats = 0;
        // All are there at once, so that each has a number of its own.
        let mut sets = Vec::new();
        for n in 0..1_000 {
            let set = ScopeSet::new((0..1_000).map(|m| format!("{n}/{m}/{}", "x".repeat(30))));
            assert_eq!(encodings.of(&set, || encoded(n)).length, n);
            assert!(encodings.bytes.load(Ordering::Relaxed) <= MOST_BYTES);
            encodings.of(&hot, || {
                repeats += 1;
                encoded(0)
            });
            sets.push(set);
        }
        assert!(encodings.bytes.load(Ordering::Relaxed) > MOST_BYTES / 2);
        assert!(repeats < 40, "the one that is always sent was forgotten {repeats} times");
    }
}
