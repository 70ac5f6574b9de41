//! Scopes: the quick answers are those of the naive model.

use falconer_scopes::{ScopeSet, Template, TemplateError, list, naive};
use serde_json::{Value, json};

use super::{Outcome, magnitude, text};

/// A template of a scope expression, rendered for parameters and asked of three callers.
pub(super) fn template(bytes: &[u8]) -> Outcome {
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else { return "no JSON".to_owned() };
    let template = match Template::parse(&json) {
        Ok(template) => template,
        Err(TemplateError::Invalid(_)) => return "no template".to_owned(),
        Err(error) => panic!("{error}"),
    };
    assert!(template.param_names().len() <= bytes.len());
    let Value::Object(params) = json!({ "a": "x", "s": "notes:read:x", "n": 3, "f": true, "ss": ["a", "b*"], "ns": [1, 2], "e": [] })
    else {
        return "never".to_owned();
    };
    let expression = match template.render(&params) {
        Ok(Some(expression)) => expression,
        Ok(None) => return "public".to_owned(),
        Err(TemplateError::Parameter { kind, .. }) => return format!("wants a {kind}"),
        Err(error) => panic!("parsed, and not a template: {error}"),
    };
    let mut outcome = "asks".to_owned();
    for held_scopes in [&[] as &[&str], &["notes:*", "a"], &["*"]] {
        let set = ScopeSet::new(held_scopes);
        let satisfied = expression.satisfied_by(&set);
        assert_eq!(satisfied, expression.missing(&set).is_none(), "something is missing, or it is satisfied");
        if let Some(missing) = expression.missing(&set) {
            assert!(missing.to_string().len() <= expression.to_string().len() + 2, "no more is missing than was asked");
        }
        outcome.push_str(if satisfied { " yes" } else { " no" });
    }
    outcome
}

/// Scopes, one a line: as a set, they are what the naive model makes of them. An empty line parts two sets.
pub(super) fn set(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let (one, other) = text.split_once("\n\n").unwrap_or((&text, ""));
    // The model is quadratic.
    let lines = |text: &str| text.lines().take(60).map(str::to_owned).collect::<Vec<String>>();
    let (one, other) = (lines(one), lines(other));
    let (a, b) = (ScopeSet::new(&one), ScopeSet::new(&other));
    assert_eq!(a.to_vec(), naive::normalized(&one));
    assert_eq!(ScopeSet::new(a.iter()), a, "a set of its own scopes is itself");
    assert_eq!(a.union(&b).to_vec(), naive::union(&one, &other));
    assert_eq!(list::intersection(&one, &other), naive::intersection(&one, &other));
    let both = a.intersection(&b);
    assert_eq!(both.to_vec(), naive::normalized(&both.to_vec()), "a normal form");
    for scope in one.iter().chain(&other) {
        let satisfied = naive::satisfies(&one, scope) && naive::satisfies(&other, scope);
        assert_eq!(both.satisfies(scope), satisfied, "{both:?} satisfies {scope}");
        assert_eq!(a.satisfies(scope), naive::satisfies(&one, scope), "{scope}");
    }
    format!("{} {} {}", magnitude(a.len()), magnitude(b.len()), magnitude(both.len()))
}
