//! By which roles somebody has a scope: the shortest chain, for people who ask why.

use std::collections::HashSet;
use std::sync::Arc;

use crate::roles::expansion::{SPARE_STEPS, reaches_roles};
use crate::roles::role::Compiled;
use crate::roles::role_set::{Application, RoleSet};
use crate::scope::covers;

/// One role on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainLink {
    /// Its id, as it is kept: `group:*`.
    pub role_id: String,
    /// The scope of it that leads on, with its parameter filled in.
    pub gives: String,
}

/// How a scope is had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The scope that was given.
    pub given: String,
    /// The roles, from that scope on; none: the given scope covers what was asked for.
    pub roles: Vec<ChainLink>,
}

/// A scope that was found. `from` is the number of the one before it, and the role that led here.
struct Found {
    scope: String,
    from: Option<(usize, String)>,
}

impl RoleSet {
    /// The chain of the fewest roles by which `scopes` come to `wanted`. `None`: they do not, or it takes more work than one question may cost.
    ///
    /// Each role's own scopes are looked at once. Parameters make a bounded number of further scopes.
    pub fn chain<I, S>(&self, scopes: I, wanted: &str) -> Option<Chain>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let mut found: Vec<Found> = scopes.into_iter().map(|scope| Found { scope: scope.as_ref().to_owned(), from: None }).collect();
        let mut seen: HashSet<String> = found.iter().map(|found| found.scope.clone()).collect();
        let mut granted: HashSet<*const Compiled> = HashSet::new();
        let (mut steps, mut at) = (0, 0);
        while let Some(Found { scope, .. }) = found.get(at) {
            if covers(scope, wanted) {
                return Some(chain_to(&found, at));
            }
            if reaches_roles(scope) && steps < SPARE_STEPS {
                let scope = scope.clone();
                let mut next: Vec<(String, String)> = Vec::new();
                self.applicable(&scope, |role, how| {
                    if granted.insert(Arc::as_ptr(role)) {
                        next.extend(role.verbatim().map(|scope| (scope.to_owned(), role.id().to_owned())));
                    }
                    if let Application::Star(parameter) = how
                        && steps < SPARE_STEPS
                    {
                        steps += 1 + role.parameterized().len();
                        next.extend(role.parameterized().map(|scope| (scope.with(parameter), role.id().to_owned())));
                    }
                });
                for (scope, role_id) in next {
                    let leads_on = covers(&scope, wanted) || reaches_roles(&scope);
                    if leads_on && seen.insert(scope.clone()) {
                        found.push(Found { scope, from: Some((at, role_id)) });
                    }
                }
            }
            at += 1;
        }
        None
    }
}

fn chain_to(found: &[Found], mut at: usize) -> Chain {
    let mut chain = Chain { given: String::new(), roles: Vec::new() };
    while let Some(Found { scope, from }) = found.get(at) {
        match from {
            Some((before, role_id)) => {
                chain.roles.push(ChainLink { role_id: role_id.clone(), gives: scope.clone() });
                at = *before;
            }
            None => {
                chain.given.clone_from(scope);
                break;
            }
        }
    }
    chain.roles.reverse();
    chain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::role::Role;

    fn roles() -> RoleSet {
        let role = |role_id: &str, scopes: &[&str]| Role {
            role_id: role_id.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        };
        RoleSet::new([
            role("everybody", &["assume:readers", "queue:ping"]),
            role("readers", &["notes:read:*"]),
            role("group:*", &["assume:team:<..>", "notes:write:<..>"]),
            role("team:blue", &["paint:*"]),
        ])
    }

    fn chain(given: &[&str], wanted: &str) -> Option<(String, Vec<String>)> {
        let chain = roles().chain(given, wanted)?;
        Some((chain.given, chain.roles.into_iter().map(|link| format!("{} {}", link.role_id, link.gives)).collect()))
    }

    #[test]
    fn the_shortest_way_is_found() {
        let some = |given: &str, roles: &[&str]| Some((given.to_owned(), roles.iter().map(|role| (*role).to_owned()).collect::<Vec<_>>()));
        for (given, wanted, expected) in [
            (&["notes:read:a"][..], "notes:read:a", some("notes:read:a", &[])),
            (&["notes:*", "assume:everybody"], "notes:read:a", some("notes:*", &[])),
            (&["x", "assume:everybody"], "notes:read:a", some("assume:everybody", &["everybody assume:readers", "readers notes:read:*"])),
            (&["assume:group:blue"], "paint:wall", some("assume:group:blue", &["group:* assume:team:blue", "team:blue paint:*"])),
            (&["assume:group:*"], "notes:write:x", some("assume:group:*", &["group:* notes:write:*"])),
            (&["assume:*"], "paint:wall", some("assume:*", &["team:blue paint:*"])),
            (&["*"], "anything", some("*", &[])),
            (&["assume:group:red"], "paint:wall", None),
            (&[], "x", None),
        ] {
            assert_eq!(chain(given, wanted), expected, "{given:?} {wanted}");
        }
    }

    /// Whoever asks needs no permission to make roles, so that the work of an answer is bounded.
    #[test]
    fn roles_that_multiply_end() {
        let doubling = |at: usize| Role {
            role_id: format!("{at}:*"),
            scopes: vec![format!("assume:{}:a<..>", at + 1), format!("assume:{}:b<..>", at + 1)],
        };
        let roles = RoleSet::new((0..40).map(doubling));
        assert_eq!(roles.chain(["assume:0:x"], "nothing"), None);
    }
}
