//! A sorted and normalized set of scopes.

use crate::list;
use crate::scope::{compare, covers, split_star};
use serde::{Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// Sorted and normalized scopes (scopes.md 3): no member covers another, so every scope that the set satisfies is covered by exactly one
/// member. Immutable, cheap to clone. Serializes as a JSON array of strings: `["a*","b"]`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ScopeSet {
    /// `None` is the empty set, and only that, so that equality can be derived.
    members: Option<Arc<Members>>,
}

/// All texts in one buffer: a set of a thousand scopes is two allocations, not a thousand.
#[derive(PartialEq, Eq)]
struct Members {
    text: String,
    /// Where each member begins, and the end of the last one: `len + 1` numbers.
    bounds: Vec<usize>,
}

impl ScopeSet {
    /// The set of these scopes in any order; sorts and normalizes. Whether the texts are legal scopes is not checked.
    pub fn new<I, S>(scopes: I) -> ScopeSet
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let scopes: Vec<S> = scopes.into_iter().collect();
        ScopeSet::from_texts(scopes.iter().map(AsRef::as_ref).collect())
    }

    /// The members in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator + Clone {
        (0..self.len()).map(|index| self.member(index))
    }

    /// How many members.
    pub fn len(&self) -> usize {
        self.members.as_ref().map_or(0, |members| members.bounds.len().saturating_sub(1))
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.members.is_none()
    }

    /// The members in order, as owned texts.
    pub fn to_vec(&self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }

    /// Whether some member covers `scope`. O(log n).
    pub fn satisfies(&self, scope: &str) -> bool {
        self.covering(scope).is_some()
    }

    /// Whether every one of `scopes` is satisfied; true for none.
    pub fn satisfies_all<'a>(&self, scopes: impl IntoIterator<Item = &'a str>) -> bool {
        scopes.into_iter().all(|scope| self.satisfies(scope))
    }

    /// Everything that either set satisfies, and nothing else.
    pub fn union(&self, other: &ScopeSet) -> ScopeSet {
        if self.is_empty() || self == other {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        let mut merged: Vec<&str> = Vec::with_capacity(self.len() + other.len());
        let (mut a, mut b) = (self.iter().peekable(), other.iter().peekable());
        loop {
            let next = match (a.peek(), b.peek()) {
                (Some(x), Some(y)) if compare(x, y) == Ordering::Greater => b.next(),
                (Some(_), _) => a.next(),
                (None, _) => b.next(),
            };
            let Some(next) = next else { break };
            if !merged.last().is_some_and(|kept| covers(kept, next)) {
                merged.push(next);
            }
        }
        ScopeSet::from_normal(&merged)
    }

    /// The set with one more scope.
    pub fn with(&self, scope: &str) -> ScopeSet {
        if self.includes(scope) { self.clone() } else { self.union(&ScopeSet::from_normal(&[scope])) }
    }

    /// Exactly what both sets satisfy, in normal form.
    ///
    /// This is the normal form of [`list::intersection`], except where a scope ending in `**` is involved: the list operation on `a**` and
    /// `a*` keeps both, because as a text `a*` is covered by `a**`, but holding it satisfies more. Here it goes.
    pub fn intersection(&self, other: &ScopeSet) -> ScopeSet {
        let ours = self.iter().filter(|scope| other.includes(scope));
        let theirs = other.iter().filter(|scope| self.includes(scope));
        ScopeSet::from_texts(ours.chain(theirs).collect())
    }

    /// Whether everything that `scope` covers is satisfied, so that holding it too would change nothing. Not the same as satisfying its
    /// text: `a**` satisfies `a*` and does not include it.
    fn includes(&self, scope: &str) -> bool {
        match split_star(scope) {
            (stem, true) => self.covering(stem).is_some_and(|member| member.ends_with('*')),
            (scope, false) => self.satisfies(scope),
        }
    }

    /// The only member that covers `scope`.
    fn covering(&self, scope: &str) -> Option<&str> {
        // INVARIANT: if a member covers `scope`, it is the last one whose stem is not after `scope`. Whatever stood between the two would
        // begin with the covering member's stem, so it would be covered by it, and the set would not be normalized.
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if split_star(self.member(middle)).0 <= scope {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1).map(|index| self.member(index)).filter(|member| covers(member, scope))
    }

    /// Sorts and normalizes.
    pub(crate) fn from_texts(mut texts: Vec<&str>) -> ScopeSet {
        list::sort(&mut texts);
        ScopeSet::from_normal(&list::normalize(texts))
    }

    /// INVARIANT: `texts` is sorted and normalized.
    fn from_normal(texts: &[&str]) -> ScopeSet {
        if texts.is_empty() {
            return ScopeSet::default();
        }
        let mut text = String::with_capacity(texts.iter().map(|t| t.len()).sum());
        let mut bounds = Vec::with_capacity(texts.len() + 1);
        bounds.push(0);
        for member in texts {
            text.push_str(member);
            bounds.push(text.len());
        }
        ScopeSet { members: Some(Arc::new(Members { text, bounds })) }
    }

    /// INVARIANT: `index < len`; a wrong index gives the empty text rather than a panic.
    fn member(&self, index: usize) -> &str {
        let Some(members) = &self.members else {
            return "";
        };
        match (members.bounds.get(index), members.bounds.get(index + 1)) {
            (Some(&start), Some(&end)) => members.text.get(start..end).unwrap_or_default(),
            _ => "",
        }
    }
}

impl fmt::Debug for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<S: AsRef<str>> FromIterator<S> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> ScopeSet {
        ScopeSet::new(scopes)
    }
}
