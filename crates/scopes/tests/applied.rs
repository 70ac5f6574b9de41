//! What applied roles say of a list without making it, against the expansion that the naive model makes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use falconer_scopes::{Role, RoleSet, naive, takes_part};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Roles of lower letters may hold those of higher ones, so that most sets are valid and chains are long.
fn role_id() -> impl Strategy<Value = String> {
    ("[a-d]", select(&["", ":", ":x", ":y", ":xy", "*", ":*", ":x*", ":xy*", "**", ":*x"][..])).prop_map(|(layer, tail)| layer + tail)
}

/// Longer than what is copied at once.
const LONG: &str = "k:xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

fn text() -> impl Strategy<Value = String> {
    let tail = select(&["", "x", "y", "xy", "*", "x*", "**", "<..>", "<..>*", "<..>x", "x<..>", "x<..>:y"][..]);
    let stem =
        select(&["", "k", "k:", "k:x", "assume", "assume:", "assume:a:", "assume:b:", "assume:c:", "assume:d:", "assume:d", LONG][..]);
    (stem, tail).prop_map(|(stem, tail)| format!("{stem}{tail}"))
}

fn role() -> impl Strategy<Value = Role> {
    (role_id(), vec(text(), 0..6)).prop_map(|(role_id, scopes)| Role { role_id, scopes })
}

/// Those of the roles that may be together, in this order.
fn valid(roles: Vec<Role>) -> (RoleSet, Vec<Role>) {
    let set = roles.into_iter().fold(RoleSet::default(), |set, role| if set.validate_change(&role).is_ok() { set.with(role) } else { set });
    let roles = set.iter().collect();
    (set, roles)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_said_is_what_the_model_says(
        roles in vec(role(), 0..8),
        given in vec(text(), 0..4),
        asked in vec(text(), 8),
        changed in vec(role_id(), 4),
        at in any::<prop::sample::Index>(),
    ) {
        let (set, roles) = valid(roles);
        let applied = set.applied(&given).unwrap();
        let model = naive::expand(&roles, &given, naive::literal);
        let list = || given.iter().map(String::as_str);
        // What there is and what is near it, so that both answers are common.
        let near = model.get(at.index(model.len().max(1))).cloned().unwrap_or_default();
        let stem = near.trim_end_matches('*').to_owned();
        for scope in asked.into_iter().chain([format!("{near}x"), format!("{stem}*"), format!("{stem}x"), stem, near]) {
            prop_assert_eq!(applied.satisfies(list(), &scope), naive::satisfies(&model, &scope), "{} of {:?} by {:?}", scope, given, roles);
        }
        let expanded = set.expand(&given);
        let (put_together, outline) = applied.expand(list());
        prop_assert_eq!(&put_together, &expanded, "{:?} by {:?}", given, roles);
        prop_assert_eq!(put_together.json(), expanded.json());
        let assembled = applied.assemble(list(), &outline.unwrap()).unwrap();
        prop_assert_eq!((&assembled, assembled.json()), (&expanded, expanded.json()), "{:?} by {:?}", given, roles);
        for role_id in changed.iter().chain(roles.iter().map(|role| &role.role_id)) {
            prop_assert_eq!(applied.takes_part(list(), role_id), takes_part(role_id, &expanded), "{} in {:?} by {:?}", role_id, given, roles);
        }
    }
}

#[test]
fn what_would_take_too_many_steps_is_not_noted() {
    // Each role hands its parameter on to two others: the number of texts doubles with each of them.
    let double = |at: usize| {
        let next = |side: &str| format!("assume:r{:02}:<..>{side}", at + 1);
        Role { role_id: format!("r{at:02}:*"), scopes: vec![next("0"), next("1")] }
    };
    let set = RoleSet::new((0..20).map(double));
    assert!(!set.expand_counting(["assume:r00:x"]).is_complete);
    assert!(set.applied(["assume:r00:x"]).is_none());
    assert!(set.expand_counting(["assume:r17:x"]).is_complete);
    assert_eq!(set.applied(["assume:r17:x"]).unwrap().len(), 1 + 2 + 4);
}

/// An outline takes a byte for each member where that tells the roles apart, and two where there are more.
#[test]
fn many_roles_and_long_lists_are_put_together() {
    let role =
        |at: usize, scopes: usize| Role { role_id: format!("r{at}"), scopes: (0..scopes).rev().map(|n| format!("s:{at}:{n}")).collect() };
    // The last one is put together where a longer one was.
    for (roles, scopes) in [(2, 70_000), (126, 30), (127, 30), (128, 30), (300, 30), (60, 30)] {
        let set = RoleSet::new((0..roles).map(|at| role(at, scopes)));
        let given: Vec<String> = (0..roles).map(|at| format!("assume:r{at}")).collect();
        let given = || given.iter().map(String::as_str);
        let applied = set.applied(given()).unwrap();
        let (expanded, outline) = applied.expand(given());
        assert_eq!(expanded, set.expand(given()), "{roles} roles of {scopes} scopes");
        let assembled = applied.assemble(given(), &outline.unwrap()).unwrap();
        for set in [assembled.to_keep(), assembled] {
            assert_eq!((set.len(), set.json_bytes()), (expanded.len(), expanded.json_bytes()), "{roles} roles of {scopes} scopes");
            assert_eq!(set, expanded, "{roles} roles of {scopes} scopes");
        }
    }
}

/// Texts are copied so many bytes at once. None is cut there, wherever it lies in a role, and nothing stays of one that is passed over.
#[test]
fn texts_of_any_length_are_put_together() {
    let text = |side: &str, length: usize| format!("{side}:{}", "x".repeat(length));
    for length in (0..6).chain(58..70).chain([200]) {
        let ends = |side: &str| [text(side, length), format!("{side}-{length}"), text(&format!("{side}{side}"), length / 2)];
        let roles = [
            ("first", ends("a").into_iter().chain(["z:covered:by:another".to_owned(), text("m", length)]).collect()),
            ("second", ends("b").into_iter().chain(["z*".to_owned(), text("m", length), text("m", length + 1)]).collect()),
            ("third:*", vec![text("c<..>", length), text("<..>d", length), "<..>".to_owned(), text("z", length)]),
        ];
        let roles: Vec<Role> = roles.map(|(id, scopes)| Role { role_id: id.to_owned(), scopes }).into();
        let set = RoleSet::new(roles.iter().cloned());
        for parameter in ["p", "pp*", &"long".repeat(20)] {
            let given = ["assume:first", "assume:second", "own:\u{e9}\"", &format!("assume:third:{parameter}")];
            let applied = set.applied(given).unwrap();
            let (_, outline) = applied.expand(given);
            let assembled = applied.assemble(given, &outline.unwrap()).unwrap();
            let model = naive::expand(&roles, &given.map(str::to_owned), naive::literal);
            assert_eq!(assembled.to_vec(), model, "{length} and {parameter}");
            assert_eq!(assembled.json(), serde_json::to_string(&model).unwrap());
            assert_eq!(assembled.json_bytes(), assembled.json().as_bytes());
        }
    }
}

/// Story: a scope that was longer than the rest of the list, and that another one covers, cut the rest off.
#[test]
fn what_is_passed_over_may_be_longer_than_the_list() {
    for length in [10, 63, 64, 65, 100, 5_000] {
        let long = |side: &str| format!("{side}:{}", "x".repeat(length));
        let roles = [("r", vec![long("a"), "assume:zz".to_owned(), long("zzz")]), ("zz", vec!["allow:x".to_owned()])];
        let roles: Vec<Role> = roles.map(|(id, scopes)| Role { role_id: id.to_owned(), scopes }).into();
        let set = RoleSet::new(roles.iter().cloned());
        for given in [&["a:*", "assume:r", "zzz*"][..], &["a*", "assume:r"], &["a:*", "assume:r", "assume:zz", "zzz:*"]] {
            let applied = set.applied(given.iter().copied()).unwrap();
            let (_, outline) = applied.expand(given.iter().copied());
            let assembled = applied.assemble(given.iter().copied(), &outline.unwrap()).unwrap();
            let given: Vec<String> = given.iter().map(|scope| (*scope).to_owned()).collect();
            assert_eq!(assembled.to_vec(), naive::expand(&roles, &given, naive::literal), "{length}: {given:?}");
        }
    }
}
