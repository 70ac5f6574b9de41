//! Which expansions a node remembers: the most useful ones, within a bound in bytes.
//!
//! What a list of scopes comes to is remembered by the list itself, so that clients with the same scopes, certificates and `expandScopes` share it.
//! It outlives changes of roles: each entry is checked against the roles that have changed since (`falconer_scopes::takes_part`), and only what a
//! change reaches is made again. Nothing here takes a lock; two requests may make the same expansion at the same time.

use std::collections::VecDeque;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;
use falconer_scopes::{ScopeSet, takes_part};
use foldhash::fast::RandomState;

/// How many places a list can be remembered at.
const WAYS: usize = 4;
/// One place for so many bytes of the bound: hardly any entry is much smaller.
const BYTES_A_PLACE: usize = 1024;
/// How many changes of roles are known back. What was remembered before is made again.
const CHANGES: usize = 256;
/// No single expansion may take more than this part of all memory.
const LARGEST_PART: usize = 8;

/// What expansions take, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpansionFigures {
    /// Bytes that the remembered expansions take at present.
    pub bytes: usize,
    /// The bound that `cache_mib` sets.
    pub most_bytes: usize,
    /// How many expansions were worked out, because nothing was remembered or a role had changed.
    pub computed: u64,
    /// How many were forgotten to stay within the bound.
    pub evicted: u64,
}

/// Which roles an expansion was made with. Every change makes another generation, with a number that no other has: there may be several after the same
/// one, because what is decided on may not come to be.
#[derive(Clone, Default)]
pub(crate) struct Generation {
    number: u64,
    /// The generations that led to this one, oldest first: of each its number, and the id whose change ended it.
    before: Arc<VecDeque<(u64, Arc<str>)>>,
    /// The highest number that was given out, shared by all generations of a node.
    last: Arc<AtomicU64>,
}

impl Generation {
    /// The generation after a change of this role.
    pub(crate) fn after(&self, role_id: &str) -> Generation {
        let mut before = VecDeque::clone(&self.before);
        if before.len() >= CHANGES {
            before.pop_front();
        }
        before.push_back((self.number, Arc::from(role_id)));
        self.next(before)
    }

    /// The generation after changes of all these roles.
    pub(crate) fn after_all(&self, role_ids: &[Arc<str>]) -> Generation {
        if role_ids.len() > CHANGES {
            return self.after_anything();
        }
        role_ids.iter().fold(self.clone(), |generation, role_id| generation.after(role_id))
    }

    /// The generation after a change that nothing is known of.
    pub(crate) fn after_anything(&self) -> Generation {
        self.next(VecDeque::new())
    }

    fn next(&self, before: VecDeque<(u64, Arc<str>)>) -> Generation {
        let number = self.last.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        Generation { number, before: Arc::new(before), last: Arc::clone(&self.last) }
    }

    /// Whether what an expansion came to in `earlier` is what it comes to now: this generation descends from that one, and no change on the way
    /// reaches it.
    fn left_alone(&self, earlier: u64, expanded: &ScopeSet) -> bool {
        let Some(at) = self.before.iter().rposition(|(number, _)| *number == earlier) else { return false };
        !self.before.iter().skip(at).any(|(_, role_id)| takes_part(role_id, expanded))
    }
}

/// What a list of scopes comes to, as it is remembered and handed out.
#[derive(Clone)]
pub(crate) struct Expansion {
    /// All that the roles give, without what is reserved.
    pub(crate) scopes: ScopeSet,
    /// Whether that is all: the work of one expansion is bounded.
    pub(crate) is_complete: bool,
}

/// An expansion that has just been made.
pub(crate) struct Made {
    /// All that the roles give.
    pub(crate) expanded: ScopeSet,
    /// What is left of it without what is reserved.
    pub(crate) allowed: ScopeSet,
    pub(crate) is_complete: bool,
}

/// Expansions by the list that was expanded.
pub(crate) struct ExpansionCache {
    hasher: RandomState,
    /// A power of two of them.
    sets: Box<[[ArcSwapOption<Entry>; WAYS]]>,
    most_bytes: usize,
    bytes: AtomicUsize,
    /// Where forgetting goes on.
    hand: AtomicUsize,
    computed: AtomicU64,
    evicted: AtomicU64,
}

struct Entry {
    hash: u64,
    /// The scopes of the list one behind the other, and where each ends.
    text: Box<[u8]>,
    ends: Box<[usize]>,
    /// The latest generation in which this was found right.
    generation: AtomicU64,
    /// Asked for since the hand last passed.
    used: AtomicBool,
    /// All that the roles gave.
    expanded: ScopeSet,
    /// What is left of it without what is reserved.
    allowed: ScopeSet,
    is_complete: bool,
}

impl Default for ExpansionCache {
    fn default() -> Self {
        ExpansionCache::new(0)
    }
}

impl ExpansionCache {
    pub(crate) fn new(most_bytes: usize) -> ExpansionCache {
        let sets = (most_bytes / BYTES_A_PLACE / WAYS).next_power_of_two();
        ExpansionCache {
            hasher: RandomState::default(),
            sets: std::iter::repeat_with(Default::default).take(sets).collect(),
            most_bytes,
            bytes: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
            computed: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        }
    }

    pub(crate) fn figures(&self) -> ExpansionFigures {
        ExpansionFigures {
            bytes: self.bytes.load(Ordering::Relaxed),
            most_bytes: self.most_bytes,
            computed: self.computed.load(Ordering::Relaxed),
            evicted: self.evicted.load(Ordering::Relaxed),
        }
    }

    /// What is remembered of the list in this generation, or else what `make` makes.
    pub(crate) fn get<'l>(
        &self,
        generation: &Generation,
        list: impl Iterator<Item = &'l [u8]> + Clone,
        make: impl FnOnce() -> Made,
    ) -> Expansion {
        let hash = self.hash(list.clone());
        let set = usize::try_from(hash).ok().and_then(|hash| self.sets.get(hash & self.sets.len().saturating_sub(1)));
        for place in set.into_iter().flatten() {
            if let Some(entry) = place.load().as_ref()
                && entry.is_of(hash, list.clone())
                && entry.holds_in(generation)
            {
                return Expansion { scopes: entry.allowed.clone(), is_complete: entry.is_complete };
            }
        }
        let made = make();
        self.computed.fetch_add(1, Ordering::Relaxed);
        let expansion = Expansion { scopes: made.allowed.clone(), is_complete: made.is_complete };
        if let Some(set) = set {
            self.keep(set, Entry::new(hash, list, generation.number, made));
        }
        expansion
    }

    fn hash<'l>(&self, list: impl Iterator<Item = &'l [u8]>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        for scope in list {
            hasher.write(scope);
            hasher.write_u8(0xff);
        }
        hasher.finish()
    }

    fn keep(&self, set: &[ArcSwapOption<Entry>; WAYS], entry: Entry) {
        let bytes = entry.bytes();
        if bytes > self.most_bytes / LARGEST_PART {
            return;
        }
        // In place of the same list, or where nothing is, or of what nobody has asked for since the hand passed.
        let fits = |place: &&ArcSwapOption<Entry>, used_too: bool| {
            place.load().as_ref().is_none_or(|old| old.hash == entry.hash || (used_too && !old.used.swap(false, Ordering::Relaxed)))
        };
        let place = set.iter().find(|place| fits(place, false)).or_else(|| set.iter().find(|place| fits(place, true)));
        let Some(place) = place.or(set.first()) else { return };
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.count_out(place.swap(Some(Arc::new(entry))));
        // Twice around is enough: the first time may only take the marks away.
        for _ in 0..self.sets.len().saturating_mul(2) {
            if self.bytes.load(Ordering::Relaxed) <= self.most_bytes {
                return;
            }
            self.forget_some();
        }
    }

    fn forget_some(&self) {
        let hand = self.hand.fetch_add(1, Ordering::Relaxed) & self.sets.len().saturating_sub(1);
        for place in self.sets.get(hand).into_iter().flatten() {
            if place.load().as_ref().is_some_and(|entry| !entry.used.swap(false, Ordering::Relaxed)) {
                self.count_out(place.swap(None));
            }
        }
    }

    fn count_out(&self, entry: Option<Arc<Entry>>) {
        if let Some(entry) = entry {
            self.bytes.fetch_sub(entry.bytes(), Ordering::Relaxed);
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Entry {
    fn new<'l>(hash: u64, list: impl Iterator<Item = &'l [u8]>, generation: u64, made: Made) -> Entry {
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        for scope in list {
            text.extend_from_slice(scope);
            ends.push(text.len());
        }
        Entry {
            hash,
            text: text.into(),
            ends: ends.into(),
            generation: AtomicU64::new(generation),
            used: AtomicBool::new(true),
            expanded: made.expanded,
            allowed: made.allowed,
            is_complete: made.is_complete,
        }
    }

    fn is_of<'l>(&self, hash: u64, mut list: impl Iterator<Item = &'l [u8]>) -> bool {
        let mut start = 0;
        self.hash == hash
            && self.ends.iter().all(|end| {
                let known = self.text.get(start..*end);
                start = *end;
                known.is_some() && known == list.next()
            })
            && list.next().is_none()
    }

    fn holds_in(&self, generation: &Generation) -> bool {
        let known = self.generation.load(Ordering::Relaxed);
        if known != generation.number {
            // Whether a change reaches what was cut off can't be seen in what is there.
            if !self.is_complete || !generation.left_alone(known, &self.expanded) {
                return false;
            }
            self.generation.fetch_max(generation.number, Ordering::Relaxed);
        }
        // Written only when it changes, so that many may read at the same time.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        true
    }

    /// Never changes, so that what was counted in is counted out. What answers make of a set, they keep
    /// themselves.
    fn bytes(&self) -> usize {
        let sets = self.expanded.text_bytes() + if self.expanded == self.allowed { 0 } else { self.allowed.text_bytes() };
        size_of::<Entry>() + self.text.len() + size_of_val(&*self.ends) + sets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(scopes: &[&str]) -> Made {
        Made { expanded: ScopeSet::new(scopes), allowed: ScopeSet::new(scopes), is_complete: true }
    }

    #[test]
    fn what_was_cut_is_made_again_after_every_change() {
        let cache = ExpansionCache::new(1 << 20);
        let first = Generation::default();
        let list = || [&b"assume:a"[..]].into_iter();
        let cut = || Made { is_complete: false, ..set(&["assume:a"]) };
        assert!(!cache.get(&first, list(), cut).is_complete);
        assert!(!cache.get(&first, list(), || panic!("it was made again")).is_complete);
        assert!(cache.get(&first.after("other"), list(), || set(&["assume:a", "x"])).is_complete);
    }

    #[test]
    fn what_a_change_does_not_reach_is_kept() {
        let cache = ExpansionCache::new(1 << 20);
        let first = Generation::default();
        let list = || [&b"assume:a"[..], b"b"].into_iter();
        cache.get(&first, list(), || set(&["assume:a", "b", "x"]));
        let later = first.after("other").after("c*");
        assert_eq!(cache.get(&later, list(), || panic!("it was made again")).scopes.len(), 3);
        let reached = later.after("a");
        assert_eq!(cache.get(&reached, list(), || set(&["assume:a", "b"])).scopes.len(), 2);
        // Whoever still has the older roles does not get what holds for the newer ones.
        assert_eq!(cache.get(&later, list(), || set(&["assume:a", "b", "x"])).scopes.len(), 3);
        let unknown = reached.after_anything();
        assert_eq!(cache.get(&unknown, list(), || set(&["b"])).scopes.len(), 1);
        let long_ago = (0..=CHANGES).fold(unknown, |generation, _| generation.after("other"));
        assert_eq!(cache.get(&long_ago, list(), || set(&["b", "y"])).scopes.len(), 2);
    }

    /// Two changes of the same roles, of which one did not come to be.
    #[test]
    fn what_was_made_with_roles_that_never_were_is_made_again() {
        let cache = ExpansionCache::new(1 << 20);
        let first = Generation::default();
        let list = || [&b"assume:a"[..]].into_iter();
        let never = first.after("a");
        cache.get(&never, list(), || set(&["assume:a", "secret"]));
        for next in [first.after("b"), first.after("a"), first.after_anything(), first.after("b").after("c"), first.clone()] {
            cache.get(&never, list(), || set(&["assume:a", "secret"]));
            assert_eq!(cache.get(&next, list(), || set(&["assume:a"])).scopes.len(), 1);
        }
        // What neither reaches is made again too, because who found it right last may be the one that never was; then it stays.
        let other = || [&b"other"[..]].into_iter();
        cache.get(&first, other(), || set(&["other"]));
        cache.get(&never, other(), || panic!("it was made again"));
        let next = first.after("b");
        cache.get(&next, other(), || set(&["other"]));
        cache.get(&next.after("c"), other(), || panic!("it was made again"));
    }

    #[test]
    fn lists_are_told_apart() {
        let cache = ExpansionCache::new(1 << 20);
        let generation = Generation::default();
        for list in [vec!["ab", "c"], vec!["a", "bc"], vec!["abc"], vec!["ab", "c", ""], vec![]] {
            let made = cache.get(&generation, list.iter().map(|text| text.as_bytes()), || set(&list));
            assert_eq!(made.scopes, ScopeSet::new(&list));
        }
    }

    #[test]
    fn the_bound_holds_and_what_is_used_stays() {
        let most = 256 << 10;
        let cache = ExpansionCache::new(most);
        let generation = Generation::default();
        let hot = || [&b"hot"[..]].into_iter();
        cache.get(&generation, hot(), || set(&["hot"]));
        let mut again = 0;
        for n in 0..10_000 {
            let text = format!("cold-{n}");
            cache.get(&generation, [text.as_bytes()].into_iter(), || set(&[&text, &"x".repeat(n % 2000)]));
            assert!(cache.figures().bytes <= most);
            cache.get(&generation, hot(), || {
                again += 1;
                set(&["hot"])
            });
        }
        let figures = cache.figures();
        assert!(figures.bytes > most / 4 && figures.evicted > 1000, "{figures:?}");
        assert!(again < 100, "the one that is always used was forgotten {again} times");
        let none = ExpansionCache::new(0);
        none.get(&generation, hot(), || set(&["hot"]));
        assert_eq!(none.figures(), ExpansionFigures { bytes: 0, most_bytes: 0, computed: 1, evicted: 0 });
    }
}
