//! Operations on raw lists of scopes, exactly as the protocol has them, order and repetitions included.
//!
//! [`crate::ScopeSet`] is the type for everyday use; these are for the few places on the wire where the order that a caller gave shows.

use crate::scope::{compare, covers, split_star};
use std::cmp::Ordering;

/// Sorts by [`compare`]. Nothing is dropped.
pub fn sort<S: AsRef<str>>(scopes: &mut [S]) {
    // Equal under `compare` means equal text, so stability could not be observed.
    scopes.sort_unstable_by(|a, b| compare(a.as_ref(), b.as_ref()));
}

/// The normal form of a **sorted** list: keeps a scope unless the last kept one covers it. The result is sorted, without duplicates, and no
/// member covers another. On an unsorted list it does the same walk, which then promises nothing.
pub fn normalize<S: AsRef<str>>(mut sorted: Vec<S>) -> Vec<S> {
    sorted.dedup_by(|scope, kept| covers(kept.as_ref(), scope.as_ref()));
    sorted
}

/// The union of two sorted normalized lists, sorted and normalized. Two pointers: the smaller head is taken, and kept unless the last
/// kept scope covers it. With other input the order depends on that input; `testAuthenticate` shows such an order.
pub fn merge_normalized<A: AsRef<str>, B: AsRef<str>>(a: &[A], b: &[B]) -> Vec<String> {
    let mut a = a.iter().map(AsRef::as_ref).peekable();
    let mut b = b.iter().map(AsRef::as_ref).peekable();
    let mut merged: Vec<String> = Vec::new();
    loop {
        let next = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if compare(x, y) == Ordering::Greater => b.next(),
            (Some(_), _) => a.next(),
            (None, _) => b.next(),
        };
        let Some(next) = next else { return merged };
        if !merged.last().is_some_and(|kept| covers(kept, next)) {
            merged.push(next.to_owned());
        }
    }
}

/// What both lists give. First come the members of `a` that a member of `b` covers, in the order of `a`. Then come the members of `b` that a member of `a`
/// covers, in the order of `b`, without duplicates. The list is neither sorted nor normalized: `["a*", "ab"]` and `["a*"]` give `["a*", "ab"]`.
pub fn intersection(a: &[String], b: &[String]) -> Vec<String> {
    // A normal form satisfies what the list does that it was made of, and finds it without a walk.
    let (held_a, held_b) = (normal_form(a), normal_form(b));
    let mut seen = std::collections::HashSet::new();
    a.iter()
        .filter(|scope| satisfies(&held_b, scope))
        .chain(b.iter().filter(|scope| satisfies(&held_a, scope)))
        .filter(|scope| seen.insert(scope.as_str()))
        .cloned()
        .collect()
}

fn normal_form(scopes: &[String]) -> Vec<&str> {
    let mut scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    sort(&mut scopes);
    normalize(scopes)
}

/// Whether a member of a normal form covers `scope`: only the last one whose stem is not after it can.
fn satisfies(normal: &[&str], scope: &str) -> bool {
    let after = normal.partition_point(|member| split_star(member).0 <= scope);
    after.checked_sub(1).and_then(|last| normal.get(last)).is_some_and(|member| covers(member, scope))
}
