//! Every answer of a test's node is held against what Falconer publishes about itself: the schema of a success, the declared statuses.

use std::collections::HashMap;
use std::sync::OnceLock;

use falconer_wire::{Method, Segment, Service, openapi};
use jsonschema::Validator;
use serde_json::{Value, json};

use super::{Answer, Call};

/// Schemas of answers by method and status.
fn validators() -> &'static HashMap<(&'static str, u16), Validator> {
    static VALIDATORS: OnceLock<HashMap<(&'static str, u16), Validator>> = OnceLock::new();
    VALIDATORS.get_or_init(|| {
        let document = openapi::document("http://localhost", "test");
        let operations: Vec<&Value> =
            document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values()).collect();
        let mut validators = HashMap::new();
        for method in Method::all() {
            let operation = operations.iter().find(|operation| operation["operationId"] == method.name).unwrap();
            for (status, response) in operation["responses"].as_object().unwrap() {
                let schema = response["content"].get("application/json").map_or(json!(true), |content| content["schema"].clone());
                let whole = json!({ "allOf": [schema], "components": document["components"] });
                let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
                validators.insert((method.name, status.parse().unwrap()), validator);
            }
        }
        validators
    })
}

pub fn check(call: &Call, answer: &Answer) {
    let status = answer.status.as_u16();
    let Some(method) = method_of(call) else { return };
    // Not modified has no body; a HEAD has none either; a page answers what is no path at all.
    if status == 304 || call.method == "HEAD" || answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
        return;
    }
    // A fault of the server is declared nowhere; the tests of faults look at it themselves.
    if status == 500 {
        return;
    }
    let validator =
        validators().get(&(method.name, status)).unwrap_or_else(|| panic!("{} does not declare {status}: {}", method.name, answer.json));
    let faults: Vec<String> = validator.iter_errors(&answer.json).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(
        faults.is_empty() || answer.bytes.is_empty() || answer.header("content-encoding").is_some(),
        "{} {status}: {faults:?}",
        method.name
    );
}

/// The method that a call is for, if its path is one.
fn method_of(call: &Call) -> Option<&'static Method> {
    let path = call.path.split('?').next()?;
    let verb = if call.method == "HEAD" { "GET" } else { &call.method };
    Service::ALL.into_iter().find_map(|service| {
        let (head, rest) = path.split_at_checked(service.prefix().len())?;
        let rest = head.eq_ignore_ascii_case(service.prefix()).then(|| rest.strip_prefix('/'))??;
        let given: Vec<&str> = rest.strip_suffix('/').unwrap_or(rest).split('/').collect();
        service.methods().iter().find(|method| {
            let segments: Vec<Segment<'_>> = method.segments().collect();
            let whole = segments.iter().any(|segment| matches!(segment, Segment::Rest(_))) || segments.len() == given.len();
            let fits = |(segment, text): (&Segment<'_>, &&str)| match segment {
                Segment::Literal(literal) => literal == text,
                Segment::Param(_) => !text.is_empty(),
                Segment::Rest(_) => true,
            };
            method.verb.as_str() == verb && whole && segments.len() <= given.len() && segments.iter().zip(&given).all(fits)
        })
    })
}
