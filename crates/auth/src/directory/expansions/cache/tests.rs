//! What is remembered of expansions stays right and within its bound.

use super::super::generation::CHANGES;
use super::super::list::Each;
use super::super::sets::{Expansion, Sets};
use super::*;
use falconer_scopes::ScopeSet;

fn set(scopes: &[&str]) -> Sets {
    Sets { expanded: ScopeSet::new(scopes), allowed: ScopeSet::new(scopes), is_complete: true }
}

fn get<'l>(
    cache: &Cache<Sets>,
    generation: &Generation,
    list: impl Iterator<Item = &'l [u8]> + Clone,
    make: impl FnOnce() -> Sets,
) -> Expansion {
    let list = Each(list);
    let hash = cache.hash(&list);
    let known = cache.hit(hash, generation, &list, Sets::expansion);
    known.unwrap_or_else(|| cache.make(hash, 0, generation, &list, make, Sets::expansion))
}

#[test]
fn what_was_cut_is_made_again_after_every_change() {
    let cache = Cache::new(1 << 20, 1024, ListHasher::new(7));
    let first = Generation::default();
    let list = || [&b"assume:a"[..]].into_iter();
    let cut = || Sets { is_complete: false, ..set(&["assume:a"]) };
    assert!(!get(&cache, &first, list(), cut).is_complete);
    assert!(!get(&cache, &first, list(), || panic!("it was made again")).is_complete);
    assert!(get(&cache, &first.after("other"), list(), || set(&["assume:a", "x"])).is_complete);
}

#[test]
fn what_a_change_does_not_reach_is_kept() {
    let cache = Cache::new(1 << 20, 1024, ListHasher::new(7));
    let first = Generation::default();
    let list = || [&b"assume:a"[..], b"b"].into_iter();
    get(&cache, &first, list(), || set(&["assume:a", "b", "x"]));
    let later = first.after("other").after("c*");
    assert_eq!(get(&cache, &later, list(), || panic!("it was made again")).scopes.len(), 3);
    let reached = later.after("a");
    assert_eq!(get(&cache, &reached, list(), || set(&["assume:a", "b"])).scopes.len(), 2);
    // Whoever still has the older roles does not get what holds for the newer ones.
    assert_eq!(get(&cache, &later, list(), || set(&["assume:a", "b", "x"])).scopes.len(), 3);
    let unknown = reached.after_anything();
    assert_eq!(get(&cache, &unknown, list(), || set(&["b"])).scopes.len(), 1);
    let long_ago = (0..=CHANGES).fold(unknown, |generation, _| generation.after("other"));
    assert_eq!(get(&cache, &long_ago, list(), || set(&["b", "y"])).scopes.len(), 2);
}

/// Two changes of the same roles, of which one did not come to be.
#[test]
fn what_was_made_with_roles_that_never_were_is_made_again() {
    let cache = Cache::new(1 << 20, 1024, ListHasher::new(7));
    let first = Generation::default();
    let list = || [&b"assume:a"[..]].into_iter();
    let never = first.after("a");
    get(&cache, &never, list(), || set(&["assume:a", "secret"]));
    for next in [first.after("b"), first.after("a"), first.after_anything(), first.after("b").after("c"), first.clone()] {
        get(&cache, &never, list(), || set(&["assume:a", "secret"]));
        assert_eq!(get(&cache, &next, list(), || set(&["assume:a"])).scopes.len(), 1);
    }
    // What neither reaches is made again too, because who found it right last may be the one that never was; then it stays.
    let other = || [&b"other"[..]].into_iter();
    get(&cache, &first, other(), || set(&["other"]));
    get(&cache, &never, other(), || panic!("it was made again"));
    let next = first.after("b");
    get(&cache, &next, other(), || set(&["other"]));
    get(&cache, &next.after("c"), other(), || panic!("it was made again"));
}

#[test]
fn lists_are_told_apart() {
    let cache = Cache::new(1 << 20, 1024, ListHasher::new(7));
    let generation = Generation::default();
    for list in [vec!["ab", "c"], vec!["a", "bc"], vec!["abc"], vec!["ab", "c", ""], vec![]] {
        let entry = get(&cache, &generation, list.iter().map(|text| text.as_bytes()), || set(&list));
        assert_eq!(entry.scopes, ScopeSet::new(&list));
    }
}

#[test]
fn the_bound_holds_and_what_is_used_stays() {
    let most = 256 << 10;
    let cache = Cache::new(most, 1024, ListHasher::new(7));
    let generation = Generation::default();
    let hot = || [&b"hot"[..]].into_iter();
    get(&cache, &generation, hot(), || set(&["hot"]));
    let mut recomputed = 0;
    for n in 0..10_000 {
        let text = format!("cold-{n}");
        get(&cache, &generation, [text.as_bytes()].into_iter(), || set(&[&text, &"x".repeat(n % 2000)]));
        assert!(cache.figures().bytes <= most);
        get(&cache, &generation, hot(), || {
            recomputed += 1;
            set(&["hot"])
        });
    }
    let figures = cache.figures();
    assert!(figures.bytes > most / 4 && figures.evicted > 1000, "{figures:?}");
    assert!(recomputed < 100, "the one that is always used was forgotten {recomputed} times");
    let none = Cache::new(0, 1024, ListHasher::new(7));
    get(&none, &generation, hot(), || set(&["hot"]));
    assert_eq!(none.figures(), ExpansionFigures { computed: 1, ..ExpansionFigures::default() });
}
