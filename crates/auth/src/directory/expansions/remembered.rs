//! What a node remembers of expansions: both forms, within one bound.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use falconer_scopes::{AppliedRoles, ScopeSet};

use super::cache::{Cache, ExpansionFigures};
use super::compact::{Assembled, Compact};
use super::generation::Generation;
use super::list::List;
use super::list_hasher::ListHasher;
use super::sets::{Expansion, Sets};

/// How many parts of four of the memory compact forms may take: an entry takes a tenth of its set or less. What they don't take is for sets.
const COMPACT_QUARTERS: usize = 3;

/// One place for so many bytes of the memory for sets: hardly any is much smaller.
const BYTES_A_SET: usize = 1024;
/// The same for compact forms, with so many places to spare that hardly any two push each other out.
const BYTES_A_FORM: usize = 256;

/// How many lists that sets were put together of are known back, about.
const RECENT: usize = 64;

/// In how many places one of them can be.
const RECENT_WAYS: usize = 4;

/// So many lists are known back, about, that were expanded although there was no room for their sets: one for so many bytes of the memory.
const BYTES_A_WANTED: usize = 512;

/// A verdict asks so many roles for a scope at most: beyond that a set is asked in less time, even where it has to be made.
const MOST_LOOKS: usize = 2048;

/// Expansions by the list that was expanded.
pub(crate) struct Expansions {
    hasher: ListHasher,
    sets: Cache<Sets>,
    /// Once sets don't all fit.
    compact: OnceLock<CompactForms>,
}

struct CompactForms {
    forms: Cache<Compact>,
    /// Lists that sets were put together of.
    assembled: Recent,
    /// Lists that were expanded.
    expanded: Recent,
}

/// Hashes of lists that something was done with last. Each can be in several places, else two that come in turn would make each other unknown.
struct Recent(Box<[[AtomicU32; RECENT_WAYS]]>);

impl Recent {
    fn new(lists: usize) -> Recent {
        Recent(std::iter::repeat_with(Default::default).take(lists.div_ceil(RECENT_WAYS)).collect())
    }

    /// Whether it is known of this list; from now on it is.
    fn is_repeated(&self, hash: u64) -> bool {
        let (group, mut rest) = ((hash >> 32) as usize % self.0.len().max(1), hash as u32);
        let Some(group) = self.0.get(group) else { return false };
        if group.iter().any(|place| place.load(Ordering::Relaxed) == rest) {
            return true;
        }
        // The latest one first, so that the one before the others goes.
        for place in group {
            rest = place.swap(rest, Ordering::Relaxed);
        }
        false
    }
}

impl Default for Expansions {
    fn default() -> Self {
        Expansions::new(0, 0)
    }
}

impl Expansions {
    /// Within so many bytes, with a seed for what lists are found by.
    pub(crate) fn new(most_bytes: usize, seed: u64) -> Expansions {
        let hasher = ListHasher::new(seed);
        Expansions { sets: Cache::new(most_bytes, BYTES_A_SET, hasher.clone()), hasher, compact: OnceLock::new() }
    }

    fn compact(&self) -> &CompactForms {
        self.compact.get_or_init(|| {
            let most_bytes = self.sets.most_bytes();
            CompactForms {
                // Both forms of one list have one hash.
                forms: Cache::new(most_bytes / 4 * COMPACT_QUARTERS, BYTES_A_FORM, self.hasher.clone()),
                assembled: Recent::new(RECENT),
                expanded: Recent::new(most_bytes / BYTES_A_WANTED),
            }
        })
    }

    /// How many bytes compact forms take.
    fn compact_bytes(&self) -> usize {
        self.compact.get().map_or(0, |compact| compact.forms.bytes())
    }

    /// The set that the list comes to. `given`: the list without what is reserved; `applied`: the roles that apply to it.
    ///
    /// Where sets do not all fit, it is put together of the roles that apply, if it was wanted before. The set is kept where it was wanted twice while a few dozen
    /// others were.
    pub(crate) fn set<'l>(
        &self,
        generation: &Generation,
        list: &impl List<'l>,
        given: impl Iterator<Item = &'l str> + Clone,
        applied: impl FnOnce() -> Option<AppliedRoles>,
        make: impl FnOnce() -> Sets,
    ) -> Expansion {
        let hash = self.sets.hash(list);
        let found = self.sets.hit(hash, generation, list, Sets::expansion);
        found.unwrap_or_else(|| self.absent_set(hash, generation, list, given, applied, make))
    }

    /// The same where the set is not there. By itself, so that what finds sets stays short.
    #[cold]
    #[inline(never)]
    fn absent_set<'l>(
        &self,
        hash: u64,
        generation: &Generation,
        list: &impl List<'l>,
        given: impl Iterator<Item = &'l str> + Clone,
        applied: impl FnOnce() -> Option<AppliedRoles>,
        make: impl FnOnce() -> Sets,
    ) -> Expansion {
        if self.has_room() {
            return self.sets.make(hash, self.compact_bytes(), generation, list, make, Sets::expansion);
        }
        let compact = self.compact();
        match compact.assembled(hash, generation, list, given, applied) {
            Some(scopes) if compact.assembled.is_repeated(hash) => {
                self.sets.put(hash, self.compact_bytes(), generation, list, Sets::of(scopes.to_keep()));
                Expansion { scopes, is_complete: true }
            }
            Some(scopes) => {
                self.sets.forget_beyond(self.compact_bytes());
                Expansion { scopes, is_complete: true }
            }
            None => self.sets.make(hash, self.compact_bytes(), generation, list, make, Sets::expansion),
        }
    }

    /// Whether there is room for more without anything being forgotten soon.
    fn has_room(&self) -> bool {
        self.sets.bytes() + self.compact_bytes() < self.sets.most_bytes() / 4 * 3
    }

    /// The roles that apply to the list, for a verdict about so many scopes; `None` where the set is the better way: there is room for it, there is much to be looked
    /// through, or the expansion is not complete. So where sets do not all fit, none is made for a verdict, nor looked for.
    pub(crate) fn applied<'l>(
        &self,
        generation: &Generation,
        list: &impl List<'l>,
        count: usize,
        make: impl FnOnce() -> Option<AppliedRoles>,
    ) -> Option<Arc<AppliedRoles>> {
        if self.has_room() {
            return None;
        }
        let hash = self.sets.hash(list);
        let forms = &self.compact().forms;
        let applied = forms
            .hit(hash, generation, list, Compact::applied)
            .unwrap_or_else(|| forms.make(hash, 0, generation, list, || Compact::new(list.scopes().count(), make), Compact::applied));
        self.sets.forget_beyond(forms.bytes());
        applied.filter(|applied| applied.len().saturating_mul(count) <= MOST_LOOKS)
    }

    pub(crate) fn figures(&self) -> ExpansionFigures {
        let (sets, compact) = (self.sets.figures(), self.compact.get().map(|compact| compact.forms.figures()).unwrap_or_default());
        ExpansionFigures {
            bytes: sets.bytes + compact.bytes,
            most_bytes: sets.most_bytes,
            hits: sets.hits.saturating_add(compact.hits),
            computed: sets.computed.saturating_add(compact.computed),
            evicted: sets.evicted.saturating_add(compact.evicted),
        }
    }
}

impl CompactForms {
    /// The set, put together of the roles that apply; `None` where it has to be expanded.
    fn assembled<'l>(
        &self,
        hash: u64,
        generation: &Generation,
        list: &impl List<'l>,
        given: impl Iterator<Item = &'l str> + Clone,
        applied: impl FnOnce() -> Option<AppliedRoles>,
    ) -> Option<ScopeSet> {
        match self.forms.hit(hash, generation, list, |compact| compact.set(given.clone())) {
            Some(Assembled::Set(set)) => return Some(set),
            Some(Assembled::Never) => return None,
            Some(Assembled::NotYet) => {}
            // What nobody wants twice is not worth what an outline takes.
            None if !self.expanded.is_repeated(hash) => return None,
            None => {}
        }
        let (compact, set) = Compact::outlined(given, applied());
        self.forms.make(hash, 0, generation, list, || compact, |_| ());
        set
    }
}

#[cfg(test)]
mod tests {
    use falconer_scopes::{Role, RoleSet};

    use super::super::list::Each;
    use super::*;

    /// Roles that give hundreds of scopes, and memory for a few sets of them.
    #[test]
    fn where_sets_do_not_fit_they_are_put_together_and_what_is_wanted_often_is_kept() {
        let role = |n: usize| Role { role_id: format!("r{n}"), scopes: (0..500).map(|m| format!("k:{m:03}:{n:03}")).collect() };
        let roles = RoleSet::new((0..200).map(role));
        let expansions = Expansions::new(256 << 10, 7);
        let generation = Generation::default();
        let mut expanded = 0;
        let mut get = |n: usize| {
            let list = [format!("assume:r{n}"), format!("own:{n}")];
            let given = || list.iter().map(String::as_str);
            let make = || {
                expanded += 1;
                Sets::of(roles.expand(given()))
            };
            let set = expansions.set(&generation, &Each(given().map(str::as_bytes)), given(), || roles.applied(given()), make);
            assert!(set.is_complete && set.scopes == roles.expand(given()), "{n}");
            assert!(expansions.figures().bytes <= 256 << 10);
        };
        // What is wanted between all others is a set. By and by all others are put together: each set that is forgotten is expanded once more before.
        for _ in 0..10 {
            (0..100).for_each(|n| [n, 7].into_iter().for_each(&mut get));
        }
        let computed = expansions.figures().computed;
        (0..100).for_each(|n| [n, 7].into_iter().for_each(&mut get));
        assert!(expansions.figures().computed - computed < 10, "{computed} and {:?}", expansions.figures());
        let list = Each(["assume:r7", "own:7"].iter().map(|scope| scope.as_bytes()));
        assert!(expansions.sets.find(expansions.sets.hash(&list), &generation, &list, |_| ()).is_some());
        // What was wanted once was only expanded.
        let compact = expansions.compact_bytes();
        (100..200).for_each(&mut get);
        assert!(expansions.compact_bytes() <= compact && compact > 0);
        assert!((200..400).contains(&expanded), "{expanded}");
    }
}
