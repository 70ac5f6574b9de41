//! The table is whole: every entry has what it names, and says itself what can be computed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use falconer_wire::{Code, ErrorBody, METHODS, Method, Segment, Service, error::RequestInfo, schemas};
use serde_json::Value;

#[test]
fn thirty_six_methods_each_once() {
    assert_eq!(METHODS.len(), 36);
    for service in Service::ALL {
        let methods = service.methods();
        for (i, method) in methods.iter().enumerate() {
            assert_eq!(method.service, service);
            assert_eq!(Method::of(method.call).unwrap().name, method.name);
            assert!(methods[..i].iter().all(|m| m.name != method.name && (m.route, m.verb) != (method.route, method.verb)));
        }
    }
}

#[test]
fn parameters_are_those_of_the_route() {
    for method in Method::all() {
        let in_route: Vec<&str> = method
            .segments()
            .filter_map(|s| match s {
                Segment::Param(n) | Segment::Rest(n) => Some(n),
                Segment::Literal(_) => None,
            })
            .collect();
        let named: Vec<&str> = method.params.iter().map(|p| p.name).collect();
        assert_eq!(in_route, named, "{}", method.name);
    }
}

#[test]
fn schemas_exist_and_name_themselves() {
    for method in Method::all() {
        assert_eq!(method.input.is_some(), method.input_schema().is_some(), "{}", method.name);
        assert_eq!(method.output.is_some(), method.output_schema().is_some(), "{}", method.name);
    }
    for schema in schemas::SCHEMAS {
        let json: Value = serde_json::from_str(schema.json).unwrap();
        assert_eq!(json["$id"], format!("/schemas/{}/v1/{}.json#", schema.service.name(), schema.name));
        if schema.name.ends_with("-request") {
            assert_eq!(json["additionalProperties"], false, "{}", schema.name);
        }
    }
}

/// Authorization happens before the handler exactly when the template needs nothing but the path.
#[test]
fn deferred_is_what_needs_more_than_the_path() {
    for method in Method::all() {
        let Some(template) = method.scopes else {
            assert!(!method.deferred, "{}", method.name);
            continue;
        };
        let json: Value = serde_json::from_str(template).unwrap();
        let mut names = Vec::new();
        collect(&json, &[], &mut names);
        let needs_more = names.iter().any(|n| !method.params.iter().any(|p| p.name == n));
        assert_eq!(method.deferred, needs_more, "{} {names:?}", method.name);
    }
}

fn collect(template: &Value, bound: &[&str], names: &mut Vec<String>) {
    match template {
        Value::String(text) => names.extend(
            text.split('<').skip(1).filter_map(|t| t.split_once('>')).map(|(n, _)| n.to_owned()).filter(|n| !bound.contains(&n.as_str())),
        ),
        Value::Array(members) => members.iter().for_each(|m| collect(m, bound, names)),
        Value::Object(map) => {
            if let Some(list) = map.get("in").or(map.get("if")) {
                names.push(list.as_str().unwrap().to_owned());
            }
            let inner: Vec<&str> = bound.iter().copied().chain(map.get("for").and_then(Value::as_str)).collect();
            for key in ["AllOf", "AnyOf", "each", "then", "else"] {
                if let Some(part) = map.get(key) {
                    collect(part, &inner, names);
                }
            }
        }
        other => panic!("{other}"),
    }
}

#[test]
fn the_error_body_is_byte_for_byte_the_documented_one() {
    let mut params = serde_json::Map::new();
    params.insert("clientId".to_owned(), "nope".into());
    let info = RequestInfo {
        method: "client".to_owned(),
        params,
        payload: Some(serde_json::json!({})),
        time: "2026-08-01T12:34:56.789Z".to_owned(),
    };
    let body = ErrorBody::new(Code::ResourceNotFound, "Client not found", info);
    let expected = r#"{
  "code": "ResourceNotFound",
  "message": "Client not found\n\n---\n\n* method:     client\n* errorCode:  ResourceNotFound\n* statusCode: 404\n* time:       2026-08-01T12:34:56.789Z",
  "requestInfo": {
    "method": "client",
    "params": {
      "clientId": "nope"
    },
    "payload": {},
    "time": "2026-08-01T12:34:56.789Z"
  }
}"#;
    assert_eq!(serde_json::to_string_pretty(&body).unwrap(), expected);
    assert_eq!(body.text(), "Client not found");
}
