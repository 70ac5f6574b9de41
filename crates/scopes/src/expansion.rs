//! Expansion: everything that a scope set gives through roles (scopes.md 5).

use crate::role::{ASSUME, Compiled};
use crate::role_set::{Application, RoleSet};
use crate::scope::split_star;
use crate::scope_set::ScopeSet;
use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};

impl RoleSet {
    /// The least set that holds `scopes` (in any order) and what every role that applies to one of its members grants, sorted and
    /// normalized.
    ///
    /// Ends for every set of roles: in a set that passed validation a chain of roles never meets one role twice, so a chain longer than
    /// the number of roles (with room to spare) shows that the set was not validated, and is cut there. Roles that hand their parameter on
    /// to several others can double what there is with each step, so what parameters make is cut at 4 MiB of text. Both can only give less.
    pub fn expand<I, S>(&self, scopes: I) -> ScopeSet
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let scopes: Vec<S> = scopes.into_iter().collect();
        if scopes.iter().any(|scope| scope.as_ref() == "*") {
            return ScopeSet::new(["*"]);
        }
        let mut expansion = Expansion::default();
        for scope in &scopes {
            expansion.add(Cow::Borrowed(scope.as_ref()), 0);
        }
        let deepest = self.len() + SPARE_DEPTH;
        while let Some((scope, depth)) = expansion.waiting.pop_front() {
            if depth < deepest {
                self.applicable(&scope, |role, how| expansion.apply(role, how, depth + 1));
            }
            expansion.found.push(scope);
        }
        ScopeSet::from_texts(expansion.found.iter().map(AsRef::as_ref).collect())
    }
}

/// Whether the role of this id, as it was, is or would be, has any part in an expansion that came to `expanded` (all of it, nothing taken away
/// since). If not, expanding the same scopes gives the same without the role, with it, and with any change of it.
///
/// That is so if the role applies to no scope in the closure, and it is enough to look at the normalized set: a role that applies to a scope
/// applies to every scope that covers it too.
pub fn takes_part(role_id: &str, expanded: &ScopeSet) -> bool {
    let pattern = [ASSUME, role_id].concat();
    match split_star(&pattern) {
        // Applies to the pattern itself and to every star scope above it.
        (pattern, false) => expanded.satisfies(pattern),
        // Besides, to everything below the prefix.
        (prefix, true) => expanded.meets(prefix),
    }
}

/// Chains in unvalidated sets may be this much longer than the set is large.
const SPARE_DEPTH: usize = 16;

/// How many bytes of text parameters may make in one expansion: a hundred thousand scopes or so, and no more memory than a request may cost.
const MOST_MADE: usize = 4 << 20;

/// The work of one expansion. Texts are borrowed from the input and the roles; only parameters make new ones.
#[derive(Default)]
struct Expansion<'a> {
    /// Scopes that need no more work.
    found: Vec<Cow<'a, str>>,
    /// Scopes to which roles may apply, with the length of the chain that led there. First in, first out: a scope is met first by its
    /// shortest chain.
    waiting: VecDeque<(Cow<'a, str>, usize)>,
    /// Every scope that was ever in `waiting`.
    seen: HashSet<Cow<'a, str>>,
    /// Roles whose verbatim scopes are in, by address: every role lives as long as the expansion.
    granted: HashSet<*const Compiled>,
    /// Star roles that were applied with the parameter `*`.
    granted_any: HashSet<*const Compiled>,
    /// Bytes of text that parameters have made.
    made: usize,
}

impl<'a> Expansion<'a> {
    fn add(&mut self, scope: Cow<'a, str>, depth: usize) {
        if !reaches_roles(&scope) {
            self.found.push(scope);
        } else if self.seen.insert(scope.clone()) {
            self.waiting.push_back((scope, depth));
        }
    }

    fn apply(&mut self, role: &'a Compiled, how: Application<'_>, depth: usize) {
        let address = std::ptr::from_ref(role);
        if self.granted.insert(address) {
            for scope in role.verbatim() {
                self.add(Cow::Borrowed(scope), depth);
            }
        }
        let Application::Star(parameter) = how else {
            return;
        };
        if parameter == "*" && !self.granted_any.insert(address) {
            return;
        }
        for scope in &role.parameterized {
            if self.made >= MOST_MADE {
                return;
            }
            let scope = scope.with(parameter);
            self.made = self.made.saturating_add(scope.len());
            self.add(Cow::Owned(scope), depth);
        }
    }
}

/// Whether any role could apply: below `assume:`, or a star above it.
pub(crate) fn reaches_roles(scope: &str) -> bool {
    let (stem, starred) = split_star(scope);
    scope.starts_with(ASSUME) || (starred && ASSUME.starts_with(stem))
}
