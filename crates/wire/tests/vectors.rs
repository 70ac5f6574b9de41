//! All cases of the vectors that this crate answers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use falconer_wire::{continuation::Scheme, date_time, time_expression, urls};
use serde_json::{Value, json};

fn cases(text: &str, expected: usize) -> Vec<Value> {
    let cases: Vec<Value> = serde_json::from_str(text).unwrap();
    assert_eq!(cases.len(), expected, "the file changed: are all cases still executed?");
    cases
}

macro_rules! vectors {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/", $file))
    };
}

#[test]
fn time_expressions() {
    for case in cases(vectors!("time-expressions.json"), 54) {
        let reference = date_time::parse_ms(case["input"]["reference"].as_str().unwrap()).unwrap();
        let answer = match time_expression::from_ms(case["input"]["expression"].as_str().unwrap(), reference) {
            Ok(ms) => json!({ "result": date_time::format_ms(ms) }),
            Err(time_expression::TimeExpressionError::OutOfRange) => {
                json!({ "result": "Invalid Date" })
            }
            Err(error) => json!({ "error": error.to_string() }),
        };
        assert_eq!(answer, case["expected"], "{}", case["name"]);
    }
}

#[test]
fn continuation_tokens() {
    for case in cases(vectors!("continuation-tokens.json"), 36) {
        let scheme = match case["input"]["scheme"].as_str().unwrap() {
            "clients-and-audit" => Scheme::ClientsAndAudit,
            "roles" => Scheme::Roles,
            other => panic!("{other}"),
        };
        if let Some(numbers) = case["input"]["encodes"].as_array() {
            let offset = numbers[0].as_u64().unwrap();
            let token = scheme.encode(offset);
            assert_eq!(json!(token), case["expected"], "{}", case["name"]);
            assert_eq!(scheme.offset(&token), Ok(Some(offset)), "{}", case["name"]);
        } else {
            match scheme.numbers(case["input"]["decode"].as_str().unwrap()) {
                Ok(numbers) => assert_eq!(json!(numbers), case["expected"], "{}", case["name"]),
                Err(_) => assert!(case["expected"]["error"].is_string(), "{}", case["name"]),
            }
        }
    }
}

#[test]
fn hostile_tokens_decode_to_nothing() {
    for scheme in [Scheme::ClientsAndAudit, Scheme::Roles] {
        for length in 1..80 {
            for c in ["a", "Z", "9", "0", "5", "y", "N"] {
                if let Ok(Some(offset)) = scheme.offset(&c.repeat(length)) {
                    assert_eq!(scheme.encode(offset), c.repeat(length));
                }
            }
        }
    }
}

#[test]
fn url_building() {
    for case in cases(vectors!("urls.json"), 32) {
        let root = case["input"]["root"].as_str().unwrap();
        let args: Vec<&str> = case["input"]["args"].as_array().unwrap().iter().map(|a| a.as_str().unwrap()).collect();
        let url = match (case["input"]["fn"].as_str().unwrap(), args.as_slice()) {
            ("api", [service, version, path]) => urls::api(root, service, version, path),
            ("apiReference", [service, version]) => urls::api_reference(root, service, version),
            ("exchangeReference", [service, version]) => urls::exchange_reference(root, service, version),
            ("schema", [service, schema]) => urls::schema(root, service, schema),
            ("ui", [path]) => urls::ui(root, path),
            ("docs", [path]) => urls::docs(root, path),
            ("apiManifest", []) => urls::api_manifest(root),
            other => panic!("{other:?}"),
        };
        assert_eq!(json!(url), case["expected"], "{}", case["name"]);
    }
}

#[test]
fn a_value_is_one_segment() {
    assert_eq!(urls::encode_segment("a/b|c d"), "a%2Fb%7Cc%20d");
}
