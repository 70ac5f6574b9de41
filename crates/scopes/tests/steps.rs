//! How much work an expansion is: steps are counted, not seconds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use falconer_scopes::{Role, RoleError, RoleSet};

/// What every expansion may take, and what it may take more for each scope and each role.
const SPARE: usize = 8 << 10;

fn role(role_id: impl Into<String>, scopes: &[&str]) -> Role {
    Role { role_id: role_id.into(), scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect() }
}

/// `count` roles, each of which hands its parameter on to the next one twice.
fn doubling(count: usize) -> Vec<Role> {
    (0..count)
        .map(|n| {
            let next = |way: &str| format!("assume:p{:02}-{way}<..>", n + 1);
            role(format!("p{n:02}-*"), &[&next("a"), &next("b"), "leaf"])
        })
        .collect()
}

/// Two dozen roles that hand a parameter on twice made each verification take a third of a second: what they made was bounded by its text alone.
#[test]
fn parameters_that_double_at_each_step_are_cut_and_it_shows() {
    let set = RoleSet::new(doubling(24));
    for scope in ["assume:p00-x", "assume:p00-*", "assume:p*", "assume:p0*"] {
        let found = set.expand_counting([scope]);
        assert!(found.steps < 2 * SPARE, "{scope}: {}", found.steps);
        assert!(found.scopes.satisfies(scope) && found.scopes.satisfies("leaf"));
        assert_eq!(found.is_complete, scope == "assume:p*", "{scope} is above all, or multiplies");
    }
    // Nine steps are well within.
    let found = set.expand_counting(["assume:p15-x"]);
    assert_eq!((found.scopes.len(), found.is_complete), (1 << 10, true));
}

/// Who writes the role that makes it too much is told so. Those above it were written before, and are found when they are used.
#[test]
fn a_role_that_multiplies_is_refused_when_it_is_written() {
    let mut set = RoleSet::default();
    let mut refused = Vec::new();
    for role in doubling(24).into_iter().rev() {
        match set.validate_change(&role) {
            Ok(()) => set = set.with(role),
            Err(RoleError::TooManySteps { role_id, message }) => {
                assert!(message.starts_with(&format!("Role '{role_id}' hands its parameter on to too many roles: ")), "{message}");
                assert!(matches!(set.with_validated(&[role]), Err(RoleError::TooManySteps { .. })));
                refused.push(role_id);
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused == ["p12-*", "p00-*"] && set.len() == 22, "those that make a chain of twelve: {refused:?}");
    let all = RoleSet::default().with_validated(&doubling(24));
    assert!(matches!(all, Err(RoleError::TooManySteps { .. })));
    assert!(RoleSet::default().with_validated(&doubling(10)).is_ok());
}

/// `expandScopes` of ten thousand long scopes below three thousand nested star roles took eleven seconds.
#[test]
fn many_scopes_below_many_nested_roles_take_steps_by_the_scope() {
    let nested = 1_500;
    let set = RoleSet::new((1..=nested).map(|n| role(format!("{}*", "a".repeat(n)), &["leaf"])));
    let scopes: Vec<String> = (0..5_000).map(|n| format!("assume:{}{n}", "a".repeat(nested))).collect();
    let found = set.expand_counting(&scopes);
    // What is given, what the roles grant, the roles, and the last scope that was begun.
    let most = SPARE + 32 * (scopes.len() + nested) + 4 * nested + nested;
    assert!(!found.is_complete && found.steps <= most, "{} of {most}", found.steps);
    // A few are done whole.
    assert!(set.expand_counting(scopes.iter().take(10)).is_complete);
}

/// Star scopes of many lengths above the same roles: what one has given is not given again.
#[test]
fn roles_below_several_star_scopes_are_looked_at_once() {
    let count = 2_000;
    let roles = (0..count).map(|n| role(format!("r{n:04}"), &[&format!("assume:q{}*", "z".repeat(n % 50)), "k"]));
    let leaves = (0..count).map(|n| role(format!("q{}{n:04}", "z".repeat(50)), &["leaf"]));
    let set = RoleSet::new(roles.chain(leaves));
    let found = set.expand_counting(["assume:r*", "assume:r00*", "assume:*"]);
    assert!(found.is_complete);
    assert!(found.steps <= 2 * (2 * count) + 3 * count + 3, "{}", found.steps);
    assert!(found.scopes.satisfies("leaf") && found.scopes.satisfies("k"));
}

/// A set is walked once for each thing that is in it, however large: no bound is in the way of large sets without parameters.
#[test]
fn what_roles_grant_as_it_stands_is_always_granted() {
    let count = 30_000;
    let set = RoleSet::new((0..count).map(|n| role(format!("r{n:05}"), &[&format!("assume:r{:05}", n + 1), "k"])));
    let found = set.expand_counting(["assume:r00000"]);
    assert_eq!((found.scopes.len(), found.is_complete), (count + 2, true));
    assert!(found.steps <= 4 * count, "{}", found.steps);
}
