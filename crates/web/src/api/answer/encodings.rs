//! Encoded forms of lists of scopes that are sent again and again, within a bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;
use falconer_scopes::ScopeSet;

use super::encoding::Encoded;

/// How many lists can be kept. A power of two.
const PLACES: usize = 1024;
/// How many bytes the lists and their compressed forms may take, about.
const MOST_BYTES: usize = 32 << 20;

/// What is kept of lists of scopes, by the set: the sets are shared by all answers that are made of one expansion.
pub(crate) struct Encodings {
    places: Box<[ArcSwapOption<Kept>]>,
    bytes: AtomicUsize,
}

struct Kept {
    /// As long as it is here, its number is no other set's.
    scopes: ScopeSet,
    encoded: Arc<Encoded>,
}

impl Default for Encodings {
    fn default() -> Self {
        let places = std::iter::repeat_with(ArcSwapOption::empty).take(PLACES).collect();
        Encodings { places, bytes: AtomicUsize::new(0) }
    }
}

impl Encodings {
    /// What is kept of this set, or else what `make` makes, which is kept from then on.
    pub(crate) fn of(&self, scopes: &ScopeSet, make: impl FnOnce() -> Encoded) -> Arc<Encoded> {
        let number = scopes.identity();
        // Sets lie at multiples of a power of two: the upper half of the product depends on all bits of the number.
        let hash = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let Some(place) = usize::try_from(hash).ok().and_then(|hash| self.places.get(hash % PLACES)) else { return Arc::new(make()) };
        if let Some(kept) = place.load().as_ref()
            && kept.scopes.identity() == number
        {
            return Arc::clone(&kept.encoded);
        }
        let encoded = Arc::new(make());
        let bytes = bytes_of(scopes);
        if number != 0 && bytes <= MOST_BYTES / 8 {
            self.keep(place, Kept { scopes: scopes.clone(), encoded: Arc::clone(&encoded) }, bytes);
        }
        encoded
    }

    fn keep(&self, place: &ArcSwapOption<Kept>, kept: Kept, bytes: usize) {
        if self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > MOST_BYTES {
            self.places.iter().for_each(|place| self.count_out(place.swap(None)));
        }
        self.count_out(place.swap(Some(Arc::new(kept))));
    }

    fn count_out(&self, kept: Option<Arc<Kept>>) {
        if let Some(kept) = kept {
            self.bytes.fetch_sub(bytes_of(&kept.scopes), Ordering::Relaxed);
        }
    }
}

/// The text, and a quarter of it for its compressed form, which is made later.
fn bytes_of(scopes: &ScopeSet) -> usize {
    scopes.text_bytes() + scopes.text_bytes() / 4
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

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

    #[test]
    fn the_bound_holds() {
        let encodings = Encodings::default();
        for n in 0..2_000 {
            let set = ScopeSet::new((0..1_000).map(|m| format!("{n}/{m}/{}", "x".repeat(30))));
            assert_eq!(encodings.of(&set, || encoded(n)).length, n);
            assert!(encodings.bytes.load(Ordering::Relaxed) <= MOST_BYTES);
        }
    }
}
