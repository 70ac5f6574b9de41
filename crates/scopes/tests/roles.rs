//! Sets of roles at their edges: sizes, sets that were never validated, texts that are no scopes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use falconer_scopes::{Role, RoleError, RoleSet, ScopeSet, Template, TemplateError, validate};

fn role(role_id: impl Into<String>, scopes: &[&str]) -> Role {
    Role { role_id: role_id.into(), scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect() }
}

#[test]
fn expansion_of_unvalidated_roles_ends() {
    let set = RoleSet::new([role("p:*", &["assume:p:<..>x"]), role("q", &["assume:r"]), role("r", &["assume:q", "leaf"])]);
    assert!(set.expand(["assume:p:"]).satisfies("assume:p:xxx"));
    assert_eq!(set.expand(["assume:q"]).to_vec(), ["assume:q", "assume:r", "leaf"]);
    assert!(matches!(set.validate_change(&role("z", &[])), Err(RoleError::DependencyCycle { .. })));
}

#[test]
fn a_cycle_through_the_whole_set_needs_no_deep_stack() {
    let count = 20_000;
    let mut roles: Vec<Role> = (0..count).map(|n| role(format!("r{n:05}"), &[format!("assume:r{:05}", n + 1).as_str(), "k"])).collect();
    let set = RoleSet::new(roles.clone());
    assert_eq!(set.len(), count);
    let last = role(format!("r{count:05}"), &["assume:r00000"]);
    let Err(RoleError::DependencyCycle { cycle, .. }) = set.validate_change(&last) else { panic!("a cycle") };
    assert_eq!(cycle.len(), count + 2);
    roles.push(role(format!("r{count:05}"), &["end"]));
    assert_eq!(validate(&roles), Ok(()));
    assert_eq!(RoleSet::new(roles).expand(["assume:r00000"]).len(), count + 3);
}

#[test]
fn a_changed_set_leaves_the_other_as_it_was() {
    let old = RoleSet::new([role("a", &["x"]), role("a*", &["y:<..>"])]);
    let new = old.with(role("a", &["z"])).without("a*");
    assert_eq!(old.expand(["assume:a"]).to_vec(), ["assume:a", "x", "y:"]);
    assert_eq!(new.expand(["assume:a"]).to_vec(), ["assume:a", "z"]);
    assert_eq!(new.without("nobody").ids().collect::<Vec<_>>(), ["a"]);
}

/// Replacing a role takes away what only the old one did: its own cycle must not count against the new one.
#[test]
fn a_role_is_validated_without_its_former_self() {
    let set = RoleSet::new([role("a", &["assume:b"]), role("b", &["x"])]);
    assert!(set.validate_change(&role("b", &["assume:a"])).is_err());
    assert_eq!(set.with(role("a", &[])).validate_change(&role("b", &["assume:a"])), Ok(()));
    let broken = RoleSet::new([role("a", &["assume:a"])]);
    assert!(broken.validate_change(&role("b", &[])).is_err());
    assert_eq!(broken.validate_change(&role("a", &["assume:b"])), Ok(()));
}

/// Input is checked before it gets here, but a text that is no scope must not end the process.
#[test]
fn texts_beyond_ascii_are_ordinary() {
    let set = RoleSet::new([role("é*", &["k:<..>"]), role("è", &["e"]), role("*", &["all:<..>"]), role("日本*", &["j:<..>"])]);
    assert_eq!(set.expand(["assume:ê"]).to_vec(), ["all:ê", "assume:ê"]);
    assert_eq!(set.expand(["assume:éß"]).to_vec(), ["all:éß", "assume:éß", "k:ß"]);
    assert_eq!(set.expand(["assume:日朮"]).to_vec(), ["all:日朮", "assume:日朮"]);
    assert_eq!(set.expand(["assume:日本語*"]).to_vec(), ["all:日本語*", "assume:日本語*", "j:語*"]);
}

#[test]
fn sets_print_and_serialize_as_their_members() {
    let set = ScopeSet::new(["b", "a*", "ab", ""]);
    assert_eq!(serde_json::to_string(&set).unwrap(), r#"["","a*","b"]"#);
    assert_eq!(format!("{set:?}"), r#"["", "a*", "b"]"#);
    assert_eq!(set, ["", "b", "a*"].into_iter().collect());
    assert_eq!(ScopeSet::new([""]).len(), 1);
    assert!(set.satisfies_all(["", "ax", "b"]) && !set.satisfies_all(["", "c"]));
    assert!(ScopeSet::default().is_empty() && ScopeSet::default().satisfies_all([]));
}

#[test]
fn the_ready_made_array_is_json() {
    for scopes in [vec![], vec![""], vec!["a*", "b"], vec!["a\",\"b"], vec!["a", "b"], vec!["back\\slash", "\""], vec!["tab\t", "é"]] {
        let set = ScopeSet::new(&scopes);
        assert_eq!(set.json(), serde_json::to_string(&set.to_vec()).unwrap());
        assert_eq!(set.json(), serde_json::to_string(&set).unwrap());
    }
    // Two sets whose texts are the same when put together are not the same set.
    assert_ne!(ScopeSet::new(["a\",\"b"]), ScopeSet::new(["a", "b"]));
}

/// `a**` covers the text `a*`, but holding `a*` is more: neither adding it nor intersecting with it may treat them as equal.
#[test]
fn double_stars_do_not_widen() {
    let narrow = ScopeSet::new(["a**"]);
    let wide = ScopeSet::new(["a*"]);
    assert!(narrow.satisfies("a*") && !narrow.satisfies("ab"));
    assert_eq!(narrow.with("a*"), wide);
    assert_eq!(narrow.intersection(&wide), narrow);
    assert_eq!(wide.intersection(&narrow), narrow);
    assert_eq!(narrow.union(&wide), wide);
}

/// A list of numbers counted as sufficient for a template that makes a scope of each element; the reference says that it is not. What is sufficient
/// renders, and what is not says which parameter is wrong.
#[test]
fn the_elements_of_a_list_are_texts() {
    let template: Template = r#"{"AllOf": ["x", {"for": "s", "in": "ss", "each": "<s>:<p>"}]}"#.parse().unwrap();
    let judge = |ss: serde_json::Value, p: serde_json::Value| {
        let params = serde_json::json!({"ss": ss, "p": p});
        let params = params.as_object().unwrap();
        assert_eq!(template.params_sufficient(params), template.render(params).is_ok(), "{params:?}");
        template.render(params).map(|rendered| serde_json::to_string(&rendered).unwrap()).map_err(|error| error.to_string())
    };
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(judge(json(r#"["a", "b"]"#), json("\"p\"")).unwrap(), r#"{"AllOf":["x","a:p","b:p"]}"#);
    assert_eq!(judge(json("[]"), json("7")).unwrap(), r#"{"AllOf":["x"]}"#);
    for wrong in ["[1, 2]", r#"["a", 1]"#, "[null]", "[true]", r#"[{"s": "a"}]"#, r#"[["a"]]"#, "null", "{}", "\"a\"", "1", "true"] {
        let error = judge(json(wrong), json("\"p\"")).unwrap_err();
        assert_eq!(error, "Scope expression template expected parameter 'ss' to be a array", "{wrong}");
    }
    for wrong in ["null", "true", "[]", r#"["p"]"#, "{}"] {
        let error = judge(json(r#"["a"]"#), json(wrong)).unwrap_err();
        assert_eq!(error, "Scope expression template expected parameter 'p' to be a string or number", "{wrong}");
    }
}

#[test]
fn template_numbers_and_kinds() {
    let template: Template = r#"{"AllOf": ["x:<n>:<f>", {"if": "b", "then": "y", "else": "z"}]}"#.parse().unwrap();
    let params = serde_json::json!({"n": 12, "f": 1.0, "b": false});
    let rendered = template.render(params.as_object().unwrap()).unwrap().unwrap();
    assert_eq!(serde_json::to_string(&rendered).unwrap(), r#"{"AllOf":["x:12:1","z"]}"#);
    assert_eq!(rendered.to_string(), "{\n  \"AllOf\": [\n    \"x:12:1\",\n    \"z\"\n  ]\n}");
    let params = serde_json::json!({"n": 12, "f": 1.0, "b": "true"});
    assert!(!template.params_sufficient(params.as_object().unwrap()));
    let error = template.render(params.as_object().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "Scope expression template expected parameter 'b' to be a boolean");
    assert!(matches!("[]".parse::<Template>(), Err(TemplateError::Invalid(_))));
}

/// Many changes at once are judged as the whole set in its order would be: the others ascending, then the changed ones as they were given.
#[test]
fn many_changes_are_validated_like_the_whole_set() {
    let ids = ["a", "b", "c", "a*", "b*", "c:*"];
    let scopes = ["x", "assume:a", "assume:b", "assume:c", "assume:b<..>", "assume:c:<..>", "y:<..>", "z*<..>", "<..><..>", "assume:c*"];
    let mut state: u64 = 42;
    let mut roll = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let (mut fine, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut some = |most: usize| -> Vec<Role> {
            let mut picked: Vec<Role> = Vec::new();
            for _ in 0..roll(most) {
                let id = ids[roll(ids.len())];
                if picked.iter().all(|role| role.role_id != id) {
                    let scopes: Vec<&str> = (0..roll(3)).map(|_| scopes[roll(scopes.len())]).collect();
                    picked.push(role(id, &scopes));
                }
            }
            picked
        };
        let (before, changes) = (some(5), some(5));
        let set = RoleSet::new(before);
        let others = set.iter().filter(|role| changes.iter().all(|change| change.role_id != role.role_id));
        let in_order: Vec<Role> = others.chain(changes.iter().cloned()).collect();
        let outcome = set.with_validated(&changes);
        assert_eq!(outcome.as_ref().map(|_| &()), validate(&in_order).as_ref(), "{set:?} and {changes:?}");
        match outcome {
            Ok(changed) => {
                fine += 1;
                let mut expected = in_order;
                expected.sort_by(|a, b| a.role_id.cmp(&b.role_id));
                assert_eq!(changed.iter().collect::<Vec<_>>(), expected);
                // The set that comes out goes on like any other.
                let one_more = role("d", &["assume:a", "assume:d"]);
                assert_eq!(changed.validate_change(&one_more), RoleSet::new(expected).validate_change(&one_more));
            }
            Err(_) => refused += 1,
        }
    }
    assert!(fine > 2_000 && refused > 2_000, "{fine} fine, {refused} refused");
}
