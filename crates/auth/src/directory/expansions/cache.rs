//! What is remembered by the list of scopes that it was made of: the most useful, within a bound in bytes.
//!
//! It is remembered by the list itself, so that clients with the same scopes, certificates and `expandScopes` share it.
//! It outlives changes of roles: each entry is checked against the roles that have changed since (`falconer_scopes::takes_part`), and only what a
//! change reaches is made again. Nothing here takes a lock; two requests may make the same thing at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;

use super::generation::Generation;
use super::list::List;
use super::list_hasher::ListHasher;
use super::striped::Striped;

/// How many places a list can be remembered at.
const WAYS: usize = 4;
/// No single entry may take more than this part of all memory.
const LARGEST_PART: usize = 8;

/// What expansions take, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpansionFigures {
    /// Bytes that the remembered expansions take at present.
    pub bytes: usize,
    /// The bound that `cache_mib` sets.
    pub most_bytes: usize,
    /// How often what was remembered was the answer.
    pub hits: u64,
    /// How many expansions were worked out, because nothing was remembered or a role had changed.
    pub computed: u64,
    /// How many were forgotten to stay within the bound.
    pub evicted: u64,
}

/// What can be remembered.
pub(crate) trait Remembered {
    /// Whether it is all that there is of it. Whether a change reaches what was cut off can't be seen in what is there.
    fn is_complete(&self) -> bool;

    /// Whether a change of this role may make it another.
    fn is_reached_by<'l>(&self, role_id: &str, list: impl Iterator<Item = &'l str> + Clone) -> bool;

    /// What it takes. Never changes, so that what was counted in is counted out.
    fn bytes(&self) -> usize;
}

/// What is remembered, by the list that it was made of.
pub(crate) struct Cache<V> {
    hasher: ListHasher,
    /// A power of two of them.
    sets: Box<[[ArcSwapOption<Entry<V>>; WAYS]]>,
    most_bytes: usize,
    bytes: AtomicUsize,
    /// Where forgetting goes on.
    hand: AtomicUsize,
    /// Where looking for what a change has reached goes on.
    broom: AtomicUsize,
    hits: Striped,
    computed: AtomicU64,
    evicted: AtomicU64,
}

struct Entry<V> {
    hash: u64,
    /// The scopes of the list one behind the other, and where each ends.
    text: Box<[u8]>,
    ends: Box<[u32]>,
    /// The latest generation in which this was found right.
    generation: AtomicU64,
    /// Asked for since the hand last passed.
    used: AtomicBool,
    value: V,
}

impl<V: Remembered> Cache<V> {
    /// `place_bytes`: there is a place for each of so many bytes of the bound. Both forms of one list have one hash where they have one hasher.
    pub(crate) fn new(most_bytes: usize, place_bytes: usize, hasher: ListHasher) -> Cache<V> {
        let sets = (most_bytes / place_bytes.max(1) / WAYS).next_power_of_two();
        Cache {
            hasher,
            sets: std::iter::repeat_with(|| std::array::from_fn(|_| ArcSwapOption::empty())).take(sets).collect(),
            most_bytes,
            bytes: AtomicUsize::new(0),
            hand: AtomicUsize::new(0),
            broom: AtomicUsize::new(0),
            hits: Striped::default(),
            computed: AtomicU64::new(0),
            evicted: AtomicU64::new(0),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The bound.
    pub(crate) fn most_bytes(&self) -> usize {
        self.most_bytes
    }

    pub(crate) fn figures(&self) -> ExpansionFigures {
        ExpansionFigures {
            bytes: self.bytes.load(Ordering::Relaxed),
            most_bytes: self.most_bytes,
            hits: self.hits.sum(),
            computed: self.computed.load(Ordering::Relaxed),
            evicted: self.evicted.load(Ordering::Relaxed),
        }
    }

    /// By what a list is looked for.
    pub(crate) fn hash<'l>(&self, list: &impl List<'l>) -> u64 {
        list.hash(&self.hasher)
    }

    /// `read` of what `make` makes of the list of this hash, which is remembered. `beside`: how many bytes of the bound something else takes.
    pub(crate) fn make<'l, R>(
        &self,
        hash: u64,
        beside: usize,
        generation: &Generation,
        list: &impl List<'l>,
        make: impl FnOnce() -> V,
        read: impl Fn(&V) -> R,
    ) -> R {
        let computed = make();
        self.computed.fetch_add(1, Ordering::Relaxed);
        let result = read(&computed);
        self.put(hash, beside, generation, list, computed);
        result
    }

    /// [`Cache::find`], counted as an answer.
    pub(crate) fn hit<'l, R>(&self, hash: u64, generation: &Generation, list: &impl List<'l>, read: impl Fn(&V) -> R) -> Option<R> {
        self.find(hash, generation, list, read).inspect(|_| self.hits.add_one())
    }

    /// Remembers this of the list of this hash, and forgets what has to go for that.
    pub(crate) fn put<'l>(&self, hash: u64, beside: usize, generation: &Generation, list: &impl List<'l>, value: V) {
        if let Some(set) = self.set_of(hash) {
            self.keep(set, Entry::new(hash, list.scopes(), generation.number(), value));
            self.forget_beyond(beside);
            self.forget_reached(generation);
        }
    }

    /// `read` of what is remembered of the list of this hash in this generation.
    pub(crate) fn find<'l, R>(&self, hash: u64, generation: &Generation, list: &impl List<'l>, read: impl Fn(&V) -> R) -> Option<R> {
        for place in self.set_of(hash).into_iter().flatten() {
            if let Some(entry) = place.load().as_ref()
                && entry.hash == hash
                && list.is(&entry.text, &entry.ends)
                && entry.holds_in(generation)
            {
                return Some(read(&entry.value));
            }
        }
        None
    }

    fn set_of(&self, hash: u64) -> Option<&[ArcSwapOption<Entry<V>>; WAYS]> {
        usize::try_from(hash).ok().and_then(|hash| self.sets.get(hash & self.sets.len().saturating_sub(1)))
    }

    fn keep(&self, set: &[ArcSwapOption<Entry<V>>; WAYS], entry: Entry<V>) {
        let bytes = entry.bytes();
        if bytes > self.most_bytes / LARGEST_PART {
            return;
        }
        // In place of the same list, or where nothing is, or of what nobody has asked for since the hand passed.
        let fits = |place: &&ArcSwapOption<Entry<V>>, used_too: bool| {
            place.load().as_ref().is_none_or(|old| old.hash == entry.hash || (used_too && !old.used.swap(false, Ordering::Relaxed)))
        };
        let place = set.iter().find(|place| fits(place, false)).or_else(|| set.iter().find(|place| fits(place, true)));
        let Some(place) = place.or(set.first()) else { return };
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.count_out(place.swap(Some(Arc::new(entry))));
    }

    /// Forgets until what is left fits into the bound together with what something else takes of it.
    pub(crate) fn forget_beyond(&self, beside: usize) {
        // Twice around is enough: the first time may only take the marks away.
        for _ in 0..self.sets.len().saturating_mul(2) {
            if self.bytes.load(Ordering::Relaxed).saturating_add(beside) <= self.most_bytes {
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

    /// What a change has reached and nobody has asked for since goes by and by, because it may keep roles in memory that there are no more.
    fn forget_reached(&self, generation: &Generation) {
        let broom = self.broom.fetch_add(1, Ordering::Relaxed) & self.sets.len().saturating_sub(1);
        for place in self.sets.get(broom).into_iter().flatten() {
            let was_reached =
                |entry: &Arc<Entry<V>>| entry.generation.load(Ordering::Relaxed) < generation.number() && !entry.is_right_in(generation);
            if place.load().as_ref().is_some_and(was_reached) {
                self.count_out(place.swap(None));
            }
        }
    }

    fn count_out(&self, entry: Option<Arc<Entry<V>>>) {
        if let Some(entry) = entry {
            self.bytes.fetch_sub(entry.bytes(), Ordering::Relaxed);
            self.evicted.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<V: Remembered> Entry<V> {
    fn new<'l>(hash: u64, list: impl Iterator<Item = &'l [u8]>, generation: u64, value: V) -> Entry<V> {
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        for scope in list {
            text.extend_from_slice(scope);
            // No list has four gigabytes of text: what a request may hold is bounded far below. Such a one would be no list's.
            ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        Entry { hash, text: text.into(), ends: ends.into(), generation: AtomicU64::new(generation), used: AtomicBool::new(true), value }
    }

    fn list(&self) -> impl Iterator<Item = &[u8]> + Clone {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let scope = self.text.get(start..*end as usize).unwrap_or_default();
            start = *end as usize;
            scope
        })
    }

    fn holds_in(&self, generation: &Generation) -> bool {
        if !self.is_right_in(generation) {
            return false;
        }
        if self.generation.load(Ordering::Relaxed) != generation.number() {
            self.generation.fetch_max(generation.number(), Ordering::Relaxed);
        }
        // Written only when it changes, so that many may read at the same time.
        if !self.used.load(Ordering::Relaxed) {
            self.used.store(true, Ordering::Relaxed);
        }
        true
    }

    fn is_right_in(&self, generation: &Generation) -> bool {
        let known = self.generation.load(Ordering::Relaxed);
        let texts = || self.list().map(|scope| std::str::from_utf8(scope).unwrap_or_default());
        known == generation.number()
            || (self.value.is_complete() && generation.is_unaffected(known, |role_id| self.value.is_reached_by(role_id, texts())))
    }

    fn bytes(&self) -> usize {
        size_of::<Self>() + self.text.len() + size_of_val(&*self.ends) + self.value.bytes()
    }
}

#[cfg(test)]
mod tests;
