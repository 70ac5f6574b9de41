//! Expansion: everything that a scope set gives through roles.

use crate::roles::applied::{Applied, AppliedRoles};
use crate::roles::role::{ASSUME, Compiled};
use crate::roles::role_set::{Application, RoleSet};
use crate::scope::split_star;
use crate::scope_set::ScopeSet;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// What a list of scopes comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expanded {
    /// Sorted and normalized.
    pub scopes: ScopeSet,
    /// How much work it was: a step for each scope that was given or granted, for each time that a role was found to apply, and for each 64
    /// bytes of text that a parameter made.
    pub steps: usize,
    /// Whether that is all. If not, the work was more than [`RoleSet::expand`] allows, and the set holds less than the roles give.
    pub is_complete: bool,
}

impl RoleSet {
    /// The least set that holds `scopes` (in any order) and what every role that applies to one of its members grants, sorted and
    /// normalized.
    ///
    /// It ends for every set of roles. In a set that was validated a chain of roles never meets one role twice. So a chain that is longer than the number of
    /// roles shows that the set was not validated, and is cut there.
    ///
    /// Roles that hand their parameter on to several others can double what there is with each step. So the number of steps is bounded: it may grow with what
    /// is given, with what roles grant as it stands and with the number of roles, but no faster. What is cut off can only be missing. Whoever owes the
    /// whole answer, or an error, asks [`RoleSet::expand_counting`].
    pub fn expand<I, S>(&self, scopes: I) -> ScopeSet
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        self.expand_counting(scopes).scopes
    }

    /// The same, with what it took and whether it is complete.
    pub fn expand_counting<I, S>(&self, scopes: I) -> Expanded
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let scopes: Vec<S> = scopes.into_iter().collect();
        if has_all(&scopes) {
            return Expanded { scopes: ScopeSet::new(["*"]), steps: scopes.len(), is_complete: true };
        }
        let expansion = self.expansion(&scopes, false);
        Expanded {
            scopes: ScopeSet::from_texts(expansion.found.iter().map(AsRef::as_ref).collect()),
            steps: expansion.steps,
            is_complete: !expansion.was_cut,
        }
    }

    /// The roles that apply to these scopes, or to what other roles that apply give. They say of any scope whether the expansion satisfies it, in a small part of
    /// the memory. `None` where the expansion is not complete, as [`RoleSet::expand_counting`] says it.
    pub fn applied<I, S>(&self, scopes: I) -> Option<AppliedRoles>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let scopes: Vec<S> = scopes.into_iter().collect();
        if has_all(&scopes) {
            return Some(AppliedRoles::default());
        }
        let expansion = self.expansion(&scopes, true);
        (!expansion.was_cut).then(|| AppliedRoles::new(expansion.applications))
    }

    /// `notes`: whether to note which roles were applied.
    fn expansion<'a, S: AsRef<str>>(&'a self, scopes: &'a [S], notes: bool) -> Expansion<'a> {
        let mut expansion =
            Expansion { most_steps: SPARE_STEPS.saturating_add(self.len().saturating_mul(STEPS_A_ROLE)), notes, ..Expansion::default() };
        for scope in scopes {
            expansion.add_given(scope.as_ref(), 0);
        }
        let deepest = self.len() + SPARE_DEPTH;
        while let Some((scope, depth)) = expansion.next() {
            // What a star scope above this one has given covers all that this one gives.
            if depth < deepest && !expansion.is_below_applied(&scope) && expansion.may_go_on() {
                self.applicable(&scope, |role, how| expansion.apply(role, how, depth + 1));
                expansion.note_applied(&scope);
            }
            expansion.found.push(scope);
        }
        expansion
    }
}

/// Whether one of the scopes is the star that covers everything.
fn has_all<S: AsRef<str>>(scopes: &[S]) -> bool {
    scopes.iter().any(|scope| scope.as_ref() == "*")
}

/// Whether the role of this id, as it was, is or would be, has any part in an expansion that came to `expanded`. If not, expanding the same scopes gives the same
/// without the role, with it, and with any change of it. `expanded` is the whole expansion: nothing was taken away since.
///
/// A role has no part if it applies to no scope of the closure. It is enough to look at the normalized set, because a role that applies to a scope
/// applies to every scope that covers it too.
pub fn takes_part(role_id: &str, expanded: &ScopeSet) -> bool {
    takes_part_in(role_id, |scope| expanded.satisfies(scope), |prefix| expanded.meets(prefix))
}

/// The same for what is no set: whether it satisfies a scope, and whether it has a member that begins with a prefix, or covers it.
pub(crate) fn takes_part_in(role_id: &str, satisfies: impl Fn(&str) -> bool, meets: impl Fn(&str) -> bool) -> bool {
    let pattern = [ASSUME, role_id].concat();
    match split_star(&pattern) {
        // Applies to the pattern itself and to every star scope above it.
        (pattern, false) => satisfies(pattern),
        // Besides, to everything below the prefix.
        (prefix, true) => meets(prefix),
    }
}

/// Chains in unvalidated sets may be this much longer than the set is large.
const SPARE_DEPTH: usize = 16;

/// How many steps every expansion may take.
pub(crate) const SPARE_STEPS: usize = 8 << 10;

/// How many more for each role that there is: a star scope above all of them is looked at with each.
const STEPS_A_ROLE: usize = 4;

/// How many more for each scope that is given, or that a role grants as it stands.
const STEPS_A_SCOPE: usize = 32;

/// How many bytes that a parameter makes are one more step.
const BYTES_A_STEP: usize = 64;

/// The work of one expansion. Texts are borrowed from the input and the roles; only parameters make new ones.
#[derive(Default)]
struct Expansion<'a> {
    /// Scopes that need no more work.
    found: Vec<Cow<'a, str>>,
    /// Star scopes to which roles may apply, with the length of the chain that led there. They come first, because much lies below them.
    waiting_stars: VecDeque<(Cow<'a, str>, usize)>,
    /// The other scopes to which roles may apply. First in, first out.
    waiting: VecDeque<(Cow<'a, str>, usize)>,
    /// Every scope that ever waited.
    seen: HashSet<Cow<'a, str>>,
    /// Roles whose verbatim scopes are in, by address: every role lives as long as the expansion.
    granted: HashSet<*const Compiled>,
    /// Star roles that were applied with the parameter `*`.
    granted_any: HashSet<*const Compiled>,
    /// The star scopes whose roles are in, without their stars. INVARIANT: none of them begins another.
    applied: BTreeSet<Box<str>>,
    steps: usize,
    most_steps: usize,
    was_cut: bool,
    /// Each role that was applied, and with what, if that is to be noted.
    applications: Vec<Applied>,
    notes: bool,
}

impl<'a> Expansion<'a> {
    /// A scope that the caller gave, or that a role grants as it stands.
    fn add_given(&mut self, scope: &'a str, depth: usize) {
        self.most_steps = self.most_steps.saturating_add(STEPS_A_SCOPE);
        self.add(Cow::Borrowed(scope), depth);
    }

    fn add(&mut self, scope: Cow<'a, str>, depth: usize) {
        self.steps += 1;
        if !reaches_roles(&scope) {
            self.found.push(scope);
        } else if self.seen.insert(scope.clone()) {
            let waiting = if scope.ends_with('*') { &mut self.waiting_stars } else { &mut self.waiting };
            waiting.push_back((scope, depth));
        }
    }

    fn next(&mut self) -> Option<(Cow<'a, str>, usize)> {
        self.waiting_stars.pop_front().or_else(|| self.waiting.pop_front())
    }

    /// Whether there are steps left; notes that something is cut off if not.
    fn may_go_on(&mut self) -> bool {
        self.was_cut |= self.steps >= self.most_steps;
        !self.was_cut
    }

    fn apply(&mut self, role: &'a Arc<Compiled>, how: Application<'_>, depth: usize) {
        self.steps += 1;
        let address = Arc::as_ptr(role);
        let is_new = self.granted.insert(address);
        if is_new {
            for scope in role.verbatim() {
                self.add_given(scope, depth);
            }
        }
        let parameter = match how {
            Application::Star(parameter) if role.parameterized().len() > 0 && (parameter != "*" || self.granted_any.insert(address)) => {
                Some(parameter)
            }
            Application::Star(_) | Application::Plain => None,
        };
        if self.notes && (is_new || parameter.is_some()) {
            self.applications.push(Applied::new(role, is_new, parameter));
        }
        let Some(parameter) = parameter else { return };
        for scope in role.parameterized() {
            if !self.may_go_on() {
                return;
            }
            let scope = scope.with(parameter);
            self.steps += scope.len() / BYTES_A_STEP;
            self.add(Cow::Owned(scope), depth);
        }
    }

    /// Whether a star scope that includes this one was applied: roles that apply to this one apply to that one too, and give at least as much there.
    fn is_below_applied(&self, scope: &str) -> bool {
        if self.applied.is_empty() {
            return false;
        }
        // A scope without a star is its own stem. The last stem that is not after it is the only one that can begin it.
        let (stem, _) = split_star(scope);
        let before = self.applied.range::<str, _>((Bound::Unbounded, Bound::Included(stem))).next_back();
        before.is_some_and(|applied| stem.starts_with(applied.as_ref()))
    }

    fn note_applied(&mut self, scope: &str) {
        if let (stem, true) = split_star(scope) {
            let from_stem = self.applied.range::<str, _>((Bound::Included(stem), Bound::Unbounded));
            let below: Vec<Box<str>> = from_stem.take_while(|applied| applied.starts_with(stem)).cloned().collect();
            for applied in &below {
                self.applied.remove(applied);
            }
            self.applied.insert(stem.into());
        }
    }
}

/// Whether any role could apply: below `assume:`, or a star above it.
pub(crate) fn reaches_roles(scope: &str) -> bool {
    let (stem, starred) = split_star(scope);
    scope.starts_with(ASSUME) || (starred && ASSUME.starts_with(stem))
}
