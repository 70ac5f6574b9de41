//! An immutable set of roles that can be changed one role at a time.

use crate::roles::role::{ASSUME, Compiled, Role, RoleError};
use crate::roles::validation;
use crate::scope::split_star;
use imbl::OrdMap;
use std::collections::HashSet;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

/// Roles by id. Immutable and cheap to clone; [`RoleSet::with`] and [`RoleSet::without`] share what they do not touch.
///
/// Expansion looks roles up by exact id, by range of ids and by the prefixes of a scope, so that its cost follows the roles that apply, not
/// the number of roles.
#[derive(Clone, Default)]
pub struct RoleSet {
    /// Every role by its id.
    all: OrdMap<Arc<str>, Arc<Compiled>>,
    /// The star roles again, by the text before their star.
    stars: OrdMap<Arc<str>, Arc<Compiled>>,
    /// Whether these roles are valid together, once somebody asked. A node whose store only ever took validated changes pays for the whole
    /// check once; every later change is checked from the changed role on.
    valid: Arc<OnceLock<bool>>,
}

/// How a role applies to a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Application<'s> {
    /// A plain role: its scopes are granted as they are.
    Plain,
    /// A star role, with this parameter.
    Star(&'s str),
}

impl RoleSet {
    /// The set of these roles; of several with one id the last counts. Does not validate.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> RoleSet {
        let mut set = RoleSet::default();
        for role in roles {
            set.insert(role);
        }
        set
    }

    /// The role with exactly this id.
    pub fn get(&self, role_id: &str) -> Option<Role> {
        self.all.get(role_id).map(|compiled| compiled.role())
    }

    /// How many roles.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is no role.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The roles, ascending by the bytes of their ids. This is also the order in which they are validated.
    pub fn iter(&self) -> impl Iterator<Item = Role> {
        self.compiled().map(Compiled::role)
    }

    /// Their ids, in the same order.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.compiled().map(Compiled::id)
    }

    /// Each id with the scopes in stored order, in the same order, without a role being made.
    pub fn texts(&self) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
        self.compiled().map(|compiled| (compiled.id(), compiled.scopes.iter()))
    }

    /// The set with this role, in place of one with the same id. Does not validate.
    pub fn with(&self, role: Role) -> RoleSet {
        let mut next = self.without(&role.role_id);
        let others_valid = next.valid.get() == Some(&true);
        next.valid = Arc::default();
        let inserted = next.insert(role);
        if others_valid {
            let _ = next.valid.set(validation::accepts(&next, &inserted));
        }
        next
    }

    /// The set without the role of this id.
    pub fn without(&self, role_id: &str) -> RoleSet {
        let mut next = self.clone();
        if next.all.remove(role_id).is_some() {
            if let Some(prefix) = role_id.strip_suffix('*') {
                next.stars.remove(prefix);
            }
            next.valid = Arc::default();
            // Taking a role away cannot make a cycle.
            if self.valid.get() == Some(&true) {
                let _ = next.valid.set(true);
            }
        }
        next
    }

    /// Whether the set may be changed to hold this role: all other roles in their order, then this one last. A star role whose
    /// parameter would multiply through others beyond what an expansion may take is refused too.
    ///
    /// Errors: the first thing that is wrong, with the exact message.
    pub fn validate_change(&self, role: &Role) -> Result<(), RoleError> {
        // Asked first, so that the answer is kept here: `others` inherits it, and is gone after this call.
        self.is_valid();
        let others = self.without(&role.role_id);
        let mut changed = others.clone();
        let role = changed.insert(role.clone());
        if others.is_valid() && validation::accepts(&changed, &role) {
            return validation::check_steps(&changed, &role);
        }
        // Something is wrong: only now is the whole set walked, because the message depends on the order.
        let in_order: Vec<&Compiled> = others.compiled().chain(std::iter::once(role.as_ref())).collect();
        validation::validate_in_order(&changed, &in_order)?;
        validation::check_steps(&changed, &role)
    }

    /// The set with these roles, each in place of one with the same id, when it may be changed so: all other roles in their order, then these
    /// in theirs. The whole set is looked at once, however many change. Of several with one id the last counts.
    ///
    /// Errors: the first thing that is wrong, with the exact message.
    pub fn with_validated(&self, roles: &[Role]) -> Result<RoleSet, RoleError> {
        let mut changed = RoleSet { valid: Arc::default(), ..self.clone() };
        for role in roles {
            changed.insert(role.clone());
        }
        if changed.is_valid() {
            let compiled = roles.iter().filter_map(|role| changed.all.get(role.role_id.as_str()));
            compiled.map(AsRef::as_ref).try_for_each(|role| validation::check_steps(&changed, role))?;
            return Ok(changed);
        }
        // Something is wrong, and the message depends on the order.
        let ids: HashSet<&str> = roles.iter().map(|role| role.role_id.as_str()).collect();
        let others = changed.compiled().filter(|role| !ids.contains(role.id()));
        let last: Vec<&Compiled> = roles.iter().filter_map(|role| changed.all.get(role.role_id.as_str()).map(AsRef::as_ref)).collect();
        let in_order: Vec<&Compiled> = others.chain(last).collect();
        validation::validate_in_order(&changed, &in_order).map(|()| changed.clone())
    }

    pub(crate) fn compiled(&self) -> impl Iterator<Item = &Compiled> {
        self.all.values().map(AsRef::as_ref)
    }

    /// Calls `found` for every role that applies to `scope`, each at most once.
    pub(crate) fn applicable<'r, 's>(&'r self, scope: &'s str, mut found: impl FnMut(&'r Arc<Compiled>, Application<'s>)) {
        let (stem, starred) = split_star(scope);
        let Some(name) = scope.strip_prefix(ASSUME) else {
            // `*`, `a*` ... `assume*` lie above every pattern.
            if starred && ASSUME.starts_with(stem) {
                self.all.values().for_each(|role| found(role, any(role)));
            }
            return;
        };
        if !starred {
            if let Some(role) = self.all.get(name).filter(|role| role.prefix().is_none()) {
                found(role, Application::Plain);
            }
            return self.stars_over(name, name, &mut found);
        }
        let stem = name.strip_suffix('*').unwrap_or(name);
        let below = self.all.range::<_, str>((Bound::Included(stem), Bound::Unbounded));
        for role in below.map(|(_, role)| role).take_while(|role| role.id().starts_with(stem)) {
            // The role whose id is the stem itself, star included, has a prefix shorter than the stem: it is found from above.
            if role.prefix().is_none_or(|prefix| prefix.starts_with(stem)) {
                found(role, any(role));
            }
        }
        // A prefix as long as the stem was found from below.
        if let Some(shorter) = shortened(stem) {
            self.stars_over(shorter, name, &mut found);
        }
    }

    /// Calls `found` for every star role whose prefix begins `bound`; its parameter is what follows the prefix in `name`.
    ///
    /// Walks from the longest such prefix to the shortest. It looks at the greatest key that is not after the bound. Where that key is no prefix of the bound, no
    /// key lies between the bound and what both share, and the walk goes on from what they share.
    fn stars_over<'r, 's>(&'r self, bound: &str, name: &'s str, found: &mut impl FnMut(&'r Arc<Compiled>, Application<'s>)) {
        let mut bound = bound;
        while let Some((prefix, role)) = self.stars.get_prev(bound) {
            if bound.starts_with(prefix.as_ref()) {
                found(role, Application::Star(name.get(prefix.len()..).unwrap_or_default()));
                let Some(shorter) = bound.get(..prefix.len()).and_then(shortened) else {
                    return;
                };
                bound = shorter;
            } else {
                let shared = bound.bytes().zip(prefix.bytes()).take_while(|(a, b)| a == b).count();
                bound = bound.get(..bound.floor_char_boundary(shared)).unwrap_or_default();
            }
        }
    }

    fn insert(&mut self, role: Role) -> Arc<Compiled> {
        let compiled = Arc::new(Compiled::new(role));
        if let Some(prefix) = compiled.prefix() {
            self.stars.insert(prefix.into(), Arc::clone(&compiled));
        }
        self.all.insert(compiled.id().into(), Arc::clone(&compiled));
        compiled
    }

    /// Whether these roles are valid together, in the order of their ids. The answer is kept; every later change only looks at what
    /// the change reaches. Whoever wants no change to wait for the first answer asks beforehand.
    pub fn is_valid(&self) -> bool {
        *self.valid.get_or_init(|| {
            let in_order: Vec<&Compiled> = self.compiled().collect();
            validation::validate_in_order(self, &in_order).is_ok()
        })
    }
}

/// How a role applies to a star scope that lies above it.
fn any(role: &Compiled) -> Application<'static> {
    if role.prefix().is_some() { Application::Star("*") } else { Application::Plain }
}

/// The text without its last character; `None` when there is none.
fn shortened(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    chars.next_back().map(|_| chars.as_str())
}

impl fmt::Debug for RoleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
