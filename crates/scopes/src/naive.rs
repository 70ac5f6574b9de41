//! For tests: the protocol's rules for scopes written down as plainly as possible, without indexes, sharing or shortcuts.
//!
//! Nothing here uses the rest of the crate except the types [`Role`] and [`RoleError`], so that a mistake has to be made twice to go
//! unnoticed. Everything is quadratic or worse. Expansion ends only for role sets that are valid (or happen to have a finite expansion).
#![expect(clippy::indexing_slicing, reason = "for tests; every position was just looked up")]

use crate::roles::role::{Role, RoleError};

/// How a parameter takes the place of `<..>`. Falconer's is [`literal`]; the tests also have the reference's.
pub type Substitute = fn(before: &str, after: &str, parameter: &str) -> String;

/// Whether holding the one satisfies the other.
pub fn covers(held: &str, required: &str) -> bool {
    held == required || (held.ends_with('*') && required.starts_with(&held[..held.len() - 1]))
}

/// What scopes are sorted by: smaller comes first.
pub fn key(scope: &str) -> (String, u8) {
    match scope.chars().last() {
        Some('*') => (scope[..scope.len() - 1].to_string(), 0),
        _ => (scope.to_string(), 1),
    }
}

/// The normal form: whatever another scope covers goes, and what is left is sorted. Of two that cover each other (`a*` and `a**`) the
/// one that sorts first stays.
pub fn normalized(scopes: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for scope in scopes {
        let beaten = |other: &String| covers(other, scope) && (!covers(scope, other) || key(other) < key(scope));
        if !scopes.iter().any(beaten) && !kept.contains(scope) {
            kept.push(scope.clone());
        }
    }
    kept.sort_by_key(|scope| key(scope));
    kept
}

/// Both lists in one, normalized.
pub fn union(a: &[String], b: &[String]) -> Vec<String> {
    normalized(&[a, b].concat())
}

/// What both sets satisfy, as a set.
pub fn intersection(a: &[String], b: &[String]) -> Vec<String> {
    let mut both: Vec<String> = Vec::new();
    for (members, held) in [(a, b), (b, a)] {
        for scope in members {
            if satisfies(held, scope) && !both.contains(scope) {
                both.push(scope.clone());
            }
        }
    }
    both
}

/// Whether any of the held scopes covers the required one.
pub fn satisfies(held: &[String], required: &str) -> bool {
    held.iter().any(|scope| covers(scope, required))
}

/// The parameter as it is; one that ends in a star swallows what follows.
pub fn literal(before: &str, after: &str, parameter: &str) -> String {
    if parameter.ends_with('*') { format!("{before}{parameter}") } else { format!("{before}{parameter}{after}") }
}

/// Expansion: applies every role to every scope until nothing new appears.
pub fn expand(roles: &[Role], scopes: &[String], substitute: Substitute) -> Vec<String> {
    let mut all = scopes.to_vec();
    let mut done = 0;
    while done < all.len() {
        for role in roles {
            for scope in granted(role, &all[done], substitute).unwrap_or_default() {
                if !all.contains(&scope) {
                    all.push(scope);
                }
            }
        }
        done += 1;
    }
    normalized(&all)
}

/// What one role grants for one scope; `None` when it does not apply.
pub fn granted(role: &Role, scope: &str, substitute: Substitute) -> Option<Vec<String>> {
    let pattern = format!("assume:{}", role.role_id);
    let above = |text: &str| scope.ends_with('*') && text.starts_with(&scope[..scope.len() - 1]);
    if !pattern.ends_with('*') {
        return (pattern == scope || above(&pattern)).then(|| role.scopes.clone());
    }
    let prefix = &pattern[..pattern.len() - 1];
    let parameter = if above(prefix) { "*" } else { scope.strip_prefix(prefix)? };
    let mut scopes: Vec<String> = role.scopes.iter().filter(|scope| !scope.contains("<..>")).cloned().collect();
    for text in templates(role) {
        let (before, after) = text.split_once('\u{1a}').unwrap_or((&text, ""));
        scopes.push(substitute(before, after, parameter));
    }
    Some(scopes)
}

/// The scopes of a star role with `<..>`, its first occurrence as one character, normalized.
fn templates(role: &Role) -> Vec<String> {
    let with_token = role.scopes.iter().filter(|scope| role.role_id.ends_with('*') && scope.contains("<..>"));
    normalized(&with_token.map(|scope| scope.replacen("<..>", "\u{1a}", 1)).collect::<Vec<_>>())
}

/// Why a set of roles is refused, looked for over all roles in the given order.
pub fn validate(roles: &[Role]) -> Result<(), RoleError> {
    for text in roles.iter().flat_map(templates) {
        let scope = text.replacen('\u{1a}', "<..>", 1);
        let message = if text.contains("<..>") {
            format!("parameterized scope '{scope}' contains multiple '<..>'")
        } else if text.ends_with("*\u{1a}") {
            format!("parameterized scope '{scope}' ends with '*<..>' which implies an ambiguous kleene")
        } else {
            continue;
        };
        return Err(RoleError::InvalidScope { message, scope });
    }
    let mut visited = Vec::new();
    let mut finished = Vec::new();
    for position in 0..roles.len() {
        visit(roles, position, &mut visited, &mut finished)?;
    }
    Ok(())
}

fn visit(roles: &[Role], at: usize, visited: &mut Vec<usize>, finished: &mut Vec<usize>) -> Result<(), RoleError> {
    if finished.contains(&at) {
        return Ok(());
    }
    if let Some(first) = visited.iter().position(|position| *position == at) {
        visited.push(at);
        let cycle: Vec<String> = visited[first..].iter().map(|p| format!("assume:{}", roles[*p].role_id)).collect();
        let message = format!("Roles may not contain dependency cycles, found: '{}'", cycle.join("' -> '"));
        return Err(RoleError::DependencyCycle { message, cycle });
    }
    visited.push(at);
    for next in dependencies(roles, &roles[at]) {
        visit(roles, next, visited, finished)?;
    }
    finished.push(at);
    Ok(())
}

/// The positions of the roles that apply to a scope of `role`, in the order in which the reference looks at them.
fn dependencies(roles: &[Role], role: &Role) -> Vec<usize> {
    let starred = role.role_id.ends_with('*');
    let plain: Vec<String> = role.scopes.iter().filter(|scope| !(starred && scope.contains("<..>"))).cloned().collect();
    let worst: Vec<String> = templates(role).iter().map(|text| format!("{}*", &text[..text.find('\u{1a}').unwrap_or(0)])).collect();
    let mut list = Vec::new();
    for scope in [normalized(&plain), normalized(&worst)].concat() {
        let mut applying: Vec<usize> = (0..roles.len()).filter(|p| granted(&roles[*p], &scope, literal).is_some()).collect();
        applying.sort_by_key(|position| position.to_string());
        list.extend(applying);
    }
    list
}
