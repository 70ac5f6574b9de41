//! Every case of the scope and role vectors.
//!
//! Prints for each file: cases, equal, by rule, failed. A rule that covers fewer or more cases than `differences.json` says fails the run.
//! `FALCONER_VECTORS=<directory>` takes other files of the same shapes; then the counts by rule are only printed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use falconer_scopes::{Expression, Role, RoleSet, ScopeSet, Template, compare, is_valid_scope, list, naive, validate};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A difference: how the reference answers and how Falconer does, both computed from the case alone by the naive model. The rule covers the
/// cases where the two differ, and has to reproduce the reference's answer to them: it explains the difference, it does not excuse it.
struct Rule {
    id: &'static str,
    reference: fn(input: &Value) -> Value,
    falconer: fn(input: &Value) -> Value,
}

#[test]
fn scope_satisfaction() {
    run("scope-satisfaction.json", &[], |input| {
        let held_scopes = ScopeSet::new(strings(&input["scopes"]));
        let expression: Expression = serde_json::from_value(input["expression"].clone()).unwrap();
        assert_eq!(json!(expression), input["expression"], "an expression survives reading and writing");
        json!({
            "satisfied": expression.satisfied_by(&held_scopes),
            "scopesUsed": expression.scopes_used(&held_scopes),
            "missing": expression.missing(&held_scopes),
        })
    });
}

#[test]
fn scope_sets() {
    run("scope-sets.json", &[], |input| {
        let args = input["args"].as_array().unwrap();
        let text = |index: usize| args[index].as_str().unwrap_or_default();
        // Sort and normalize have one list for arguments; the others have several.
        let normal = |scopes: &Value| {
            let mut scopes = strings(scopes);
            list::sort(&mut scopes);
            list::normalize(scopes)
        };
        match input["op"].as_str().unwrap() {
            "compare" => json!(compare(text(0), text(1)) as i8),
            "validScope" => json!(args[0].as_str().is_some_and(is_valid_scope)),
            "sort" => {
                let mut scopes = strings(&args[0]);
                list::sort(&mut scopes);
                json!(scopes)
            }
            "normalize" => json!(normal(&args[0])),
            "mergeNormalized" => {
                json!(list::merge_normalized(&normal(&args[0]), &normal(&args[1])))
            }
            "union" => {
                json!(ScopeSet::new(strings(&args[0])).union(&ScopeSet::new(strings(&args[1]))))
            }
            "mergeMany" => {
                let sets = args[0].as_array().unwrap().iter().map(|set| ScopeSet::new(strings(set)));
                json!(sets.fold(ScopeSet::default(), |all, set| all.union(&set)))
            }
            "intersection" => json!(list::intersection(&strings(&args[0]), &strings(&args[1]))),
            op => panic!("unknown operation {op}"),
        }
    });
}

#[test]
fn scope_templates() {
    run("scope-templates.json", &[], |input| {
        let Ok(template) = Template::parse(&input["template"]) else {
            return json!({"validTemplate": false});
        };
        let params = input["params"].as_object().unwrap();
        let mut result = json!({
            "validTemplate": true,
            "paramNames": template.param_names(),
            "paramsSufficient": template.params_sufficient(params),
        });
        match template.render(params) {
            Ok(rendered) => result["rendered"] = json!(rendered),
            Err(error) => result["error"] = json!(error.to_string()),
        }
        result
    });
}

#[test]
fn role_expansion() {
    let dollar = Rule {
        id: "dollar-literal",
        reference: |input| json!(naive_expansion(input, javascript)),
        falconer: |input| json!(naive_expansion(input, naive::literal)),
    };
    run("role-expansion.json", &[dollar], |input| json!(RoleSet::new(roles(&input["roles"])).expand(strings(&input["scopes"]))));
}

#[test]
fn role_validation() {
    run("role-validation.json", &[], |input| match validate(&roles(&input["roles"])) {
        Ok(()) => json!({"ok": true}),
        Err(error) => {
            let mut result = json!({"ok": false, "code": error.code(), "message": error.to_string()});
            match error {
                falconer_scopes::RoleError::InvalidScope { scope, .. } => result["scope"] = json!(scope),
                falconer_scopes::RoleError::DependencyCycle { cycle, .. } => result["cycle"] = json!(cycle),
                error @ falconer_scopes::RoleError::TooManySteps { .. } => panic!("no case has so many: {error}"),
            }
            result
        }
    });
}

fn run(file: &str, rules: &[Rule], ours: impl Fn(&Value) -> Value) {
    let foreign = std::env::var_os("FALCONER_VECTORS").map(PathBuf::from);
    let own = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors"));
    let path = foreign.clone().unwrap_or(own).join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    assert!(!cases.is_empty(), "{file} holds no case");
    let (mut equal, mut failed) = (0, Vec::new());
    let mut by_rule = vec![0; rules.len()];
    for case in &cases {
        let (input, expected) = (&case["input"], &case["expected"]);
        let answer = ours(input);
        if let Some(index) = rules.iter().position(|rule| (rule.reference)(input) != (rule.falconer)(input)) {
            by_rule[index] += 1;
            let rule = &rules[index];
            if answer != (rule.falconer)(input) || *expected != (rule.reference)(input) {
                failed.push(format!("{}: not explained by rule {}, expected {expected}, got {answer}", case["name"], rule.id));
            }
        } else if same(&answer, expected) {
            equal += 1;
        } else {
            failed.push(format!("{}: expected {expected}, got {answer}", case["name"]));
        }
    }
    println!("{file}: {} cases, {equal} equal, {} by rule, {} failed", cases.len(), by_rule.iter().sum::<u32>(), failed.len());
    for (rule, count) in rules.iter().zip(&by_rule) {
        println!("  rule {}: {count}", rule.id);
    }
    assert!(failed.is_empty(), "{file}:\n{}", failed.join("\n"));
    assert_eq!(equal + by_rule.iter().sum::<u32>(), u32::try_from(cases.len()).unwrap());
    if foreign.is_none() {
        let differences: Vec<Value> = serde_json::from_str(include_str!("differences.json")).unwrap();
        let declared: Vec<(&str, u64)> = differences
            .iter()
            .filter(|rule| rule["file"] == file)
            .map(|rule| (rule["rule"].as_str().unwrap(), rule["cases"].as_u64().unwrap()))
            .collect();
        let counted: Vec<(&str, u64)> = rules.iter().map(|rule| rule.id).zip(by_rule.iter().map(|n| u64::from(*n))).collect();
        assert_eq!(counted, declared, "{file}: rules and the cases they cover");
    }
}

/// Equal; the order of `scopesUsed` is free.
fn same(ours: &Value, expected: &Value) -> bool {
    let sorted = |value: &Value| {
        let mut value = value.clone();
        if let Some(used) = value.get_mut("scopesUsed").and_then(Value::as_array_mut) {
            used.sort_by_key(|scope| scope.as_str().map(str::to_owned));
        }
        value
    };
    sorted(ours) == sorted(expected)
}

fn naive_expansion(input: &Value, substitute: naive::Substitute) -> Vec<String> {
    naive::expand(&roles(&input["roles"]), &strings(&input["scopes"]), substitute)
}

/// The reference's substitution: a JavaScript string replace with the parameter as replacement text, in which `$` has a meaning.
/// With a parameter that ends in a star, what is replaced is the placeholder and all that follows.
fn javascript(before: &str, after: &str, parameter: &str) -> String {
    let (matched, rest) = if parameter.ends_with('*') { (format!("\u{1a}{after}"), "") } else { ("\u{1a}".to_owned(), after) };
    let mut replaced = String::new();
    let mut text = parameter;
    while let Some((literal, pattern)) = text.split_once('$') {
        replaced.push_str(literal);
        let meaning = match pattern.chars().next() {
            Some('$') => "$",
            Some('&') => &matched,
            Some('`') => before,
            Some('\'') => rest,
            _ => {
                replaced.push('$');
                text = pattern;
                continue;
            }
        };
        replaced.push_str(meaning);
        text = &pattern[1..];
    }
    [before, &replaced, text, rest].concat()
}

fn roles(json: &Value) -> Vec<Role> {
    let role = |role: &Value| Role { role_id: role["roleId"].as_str().unwrap().to_owned(), scopes: strings(&role["scopes"]) };
    json.as_array().unwrap().iter().map(role).collect()
}

fn strings(json: &Value) -> Vec<String> {
    json.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
