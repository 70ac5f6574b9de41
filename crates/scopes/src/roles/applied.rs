//! What a list of scopes comes to, without the list being made.

use crate::roles::expansion::takes_part_in;
use crate::roles::role::Compiled;
use crate::scope::covers;
use std::fmt;
use std::sync::Arc;

/// The roles that apply to a list of scopes, to what those give, and so on. Together with the list it answers what the expansion would answer. It takes a
/// few bytes for each role, where the expansion takes the text of each scope. It keeps the roles, as they were, for as long as it lives.
///
/// An answer takes a time that grows with the number of roles. Of an expanded set it grows with the logarithm of the number of members.
#[derive(Clone, Default)]
pub struct AppliedRoles(Box<[Applied]>);

/// A role that was applied.
#[derive(Clone)]
pub(crate) struct Applied {
    role: Arc<Compiled>,
    /// Whether its verbatim scopes are given here. A role that is applied with several parameters gives them once.
    is_verbatim: bool,
    /// What takes the place of the token in the other ones.
    parameter: Option<Box<str>>,
}

impl Applied {
    pub(crate) fn new(role: &Arc<Compiled>, is_verbatim: bool, parameter: Option<&str>) -> Applied {
        Applied { role: Arc::clone(role), is_verbatim, parameter: parameter.map(Box::from) }
    }

    /// The role, where its verbatim scopes are given here.
    pub(crate) fn verbatim(&self) -> Option<&Compiled> {
        self.is_verbatim.then_some(self.role.as_ref())
    }

    /// The role whose scopes with a token are given here, and what takes its place.
    pub(crate) fn parameterized(&self) -> Option<(&Compiled, &str)> {
        self.parameter.as_deref().map(|parameter| (self.role.as_ref(), parameter))
    }

    fn covers(&self, scope: &str) -> bool {
        (self.is_verbatim && self.role.covers(scope))
            || self.parameter.as_deref().is_some_and(|p| self.role.parameterized().any(|one| one.covers_with(p, scope)))
    }

    fn begins_with(&self, prefix: &str) -> bool {
        (self.is_verbatim && self.role.begins_with(prefix))
            || self.parameter.as_deref().is_some_and(|p| self.role.parameterized().any(|one| one.with(p).starts_with(prefix)))
    }
}

impl AppliedRoles {
    pub(crate) fn new(applied: Vec<Applied>) -> AppliedRoles {
        AppliedRoles(applied.into())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Applied> {
        self.0.iter()
    }

    /// How many applications of a role there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no role applies.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the expansion of `given` satisfies `scope`. INVARIANT: `given` is what these roles apply to.
    pub fn satisfies<'l>(&self, given: impl IntoIterator<Item = &'l str>, scope: &str) -> bool {
        given.into_iter().any(|held| covers(held, scope)) || self.0.iter().any(|applied| applied.covers(scope))
    }

    /// [`crate::takes_part`] of the expansion of `given`.
    pub fn takes_part<'l>(&self, given: impl IntoIterator<Item = &'l str> + Clone, role_id: &str) -> bool {
        takes_part_in(
            role_id,
            |scope| self.satisfies(given.clone(), scope),
            |prefix| {
                self.satisfies(given.clone(), prefix)
                    || given.clone().into_iter().any(|held| held.starts_with(prefix))
                    || self.0.iter().any(|applied| applied.begins_with(prefix))
            },
        )
    }

    /// How much memory it takes, in bytes, without the roles.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.0) + self.0.iter().filter_map(|applied| applied.parameter.as_deref()).map(str::len).sum::<usize>()
    }
}

impl fmt::Debug for AppliedRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|applied| (applied.role.id(), applied.parameter.as_deref()))).finish()
    }
}
