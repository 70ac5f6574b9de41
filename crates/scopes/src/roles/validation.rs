//! Which sets of roles are refused, and with which message.

use crate::list;
use crate::roles::expansion::reaches_roles;
use crate::roles::role::{ASSUME, Compiled, Parameterized, Role, RoleError};
use crate::roles::role_set::RoleSet;
use std::collections::{HashMap, HashSet};

/// Validates all of `roles` together; the order decides which of several errors is told.
///
/// Errors: `InvalidScope` of the first star role that has one, else the first cycle of dependencies.
pub fn validate(roles: &[Role]) -> Result<(), RoleError> {
    let compiled: Vec<Compiled> = roles.iter().cloned().map(Compiled::new).collect();
    let in_order: Vec<&Compiled> = compiled.iter().collect();
    validate_in_order(&RoleSet::new(roles.iter().cloned()), &in_order)
}

/// INVARIANT: `set` holds the ids of `in_order` and no others; it is the index by which dependencies are found.
pub(crate) fn validate_in_order(set: &RoleSet, in_order: &[&Compiled]) -> Result<(), RoleError> {
    if let Some(error) = in_order.iter().find_map(|role| role.error.as_ref()) {
        return Err(error.clone());
    }
    let mut positions: HashMap<&str, Vec<usize>> = HashMap::new();
    for (position, role) in in_order.iter().enumerate() {
        positions.entry(role.id()).or_default().push(position);
    }
    let dependencies = |role: &Compiled| dependency_positions(set, &positions, role);
    match first_cycle(in_order, dependencies) {
        None => Ok(()),
        Some(path) => {
            let cycle: Vec<String> = path.iter().map(|role| format!("{ASSUME}{}", role.id())).collect();
            let quoted: Vec<String> = cycle.iter().map(|pattern| format!("'{pattern}'")).collect();
            let message = format!("Roles may not contain dependency cycles, found: {}", quoted.join(" -> "));
            Err(RoleError::DependencyCycle { message, cycle })
        }
    }
}

/// Whether `role` of `set` is valid, provided that all others are valid without it: then whatever cycle there is goes through it.
pub(crate) fn accepts(set: &RoleSet, role: &Compiled) -> bool {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut waiting = vec![role];
    let mut reached = false;
    while let Some(next) = waiting.pop() {
        for scope in dependency_scopes(next) {
            set.applicable(&scope, |found, _| {
                reached |= found.id() == role.id();
                if seen.insert(found.id()) {
                    waiting.push(found);
                }
            });
        }
    }
    role.error.is_none() && !reached
}

/// Whether a star role can be expanded for a parameter that no other role knows. Only what a parameter hands on can multiply; whatever else a role
/// leads to is looked at once.
pub(crate) fn check_steps(set: &RoleSet, role: &Compiled) -> Result<(), RoleError> {
    let hands_on = |scope: Parameterized<'_>| reaches_roles(&scope.worst_case());
    let Some(prefix) = role.prefix().filter(|_| role.parameterized().any(hands_on)) else { return Ok(()) };
    let expanded = set.expand_counting([[ASSUME, prefix, NO_PARAMETER].concat()]);
    if expanded.is_complete {
        return Ok(());
    }
    let role_id = role.id().to_owned();
    let message =
        format!("Role '{role_id}' hands its parameter on to too many roles: expanding it takes more than {} steps", expanded.steps);
    Err(RoleError::TooManySteps { message, role_id })
}

/// Stands for a parameter: no legal scope contains it.
const NO_PARAMETER: &str = "\u{1}";

/// The scopes through which a role can depend on others, in the order in which the reference looks at them: plain ones, then the worst
/// case of each parameterized one, both sorted and normalized.
fn dependency_scopes(role: &Compiled) -> Vec<String> {
    // Nothing that reaches no role covers something that does, so it can go before the normal form is made.
    let normal = |mut scopes: Vec<String>| {
        list::sort(&mut scopes);
        list::normalize(scopes)
    };
    let mut scopes = normal(role.verbatim().filter(|scope| reaches_roles(scope)).map(str::to_owned).collect());
    let worst = role.parameterized().map(|scope| scope.worst_case()).filter(|scope| reaches_roles(scope));
    scopes.extend(normal(worst.collect()));
    scopes
}

/// The positions of the roles on which a role depends: scope by scope, and for one scope ordered by the position **as decimal text**, the
/// reference's order (10 before 2). Without repeats.
fn dependency_positions(set: &RoleSet, positions: &HashMap<&str, Vec<usize>>, role: &Compiled) -> Vec<usize> {
    let mut seen = HashSet::new();
    let mut dependencies = Vec::new();
    for scope in dependency_scopes(role) {
        let mut found: Vec<usize> = Vec::new();
        set.applicable(&scope, |role, _| found.extend(positions.get(role.id()).into_iter().flatten()));
        found.sort_by_cached_key(usize::to_string);
        dependencies.extend(found.into_iter().filter(|position| seen.insert(*position)));
    }
    dependencies
}

/// Depth first over the roles in order. A role that is met again before it is finished closes a cycle; the path is everything visited since
/// that role's first visit. Finished roles stay in the list, so the path can contain roles that are not on the cycle, as the
/// reference's does.
fn first_cycle<'r>(roles: &[&'r Compiled], dependencies: impl Fn(&Compiled) -> Vec<usize>) -> Option<Vec<&'r Compiled>> {
    let mut visited: Vec<usize> = Vec::new();
    let mut states = vec![State::New; roles.len()];
    // An explicit stack: a chain of dependencies can be as long as the set is large.
    let mut open: Vec<(usize, std::vec::IntoIter<usize>)> = Vec::new();
    for start in 0..roles.len() {
        let mut next = Some(start);
        loop {
            if let Some(position) = next.take() {
                match states.get(position) {
                    Some(State::New) => {
                        visited.push(position);
                        set_state(&mut states, position, State::Open);
                        let list = roles.get(position).map(|role| dependencies(role)).unwrap_or_default();
                        open.push((position, list.into_iter()));
                    }
                    Some(State::Open) => {
                        let path = visited.iter().skip_while(|p| **p != position).chain(std::iter::once(&position));
                        return Some(path.filter_map(|p| roles.get(*p).copied()).collect());
                    }
                    Some(State::Finished) | None => {}
                }
            }
            let Some((position, rest)) = open.last_mut() else {
                break;
            };
            next = rest.next();
            if next.is_none() {
                set_state(&mut states, *position, State::Finished);
                open.pop();
            }
        }
    }
    None
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Finished,
}

fn set_state(states: &mut [State], position: usize, state: State) {
    if let Some(slot) = states.get_mut(position) {
        *slot = state;
    }
}
