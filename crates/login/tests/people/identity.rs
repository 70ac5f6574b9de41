//! `vectors/identity.json`, all cases.

use falconer_login::identity::{decode, encode, of_client_id};
use serde_json::{Value, json};

#[test]
fn every_vector_holds() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/identity.json");
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let decoded = |text: &str| match decode(text) {
        Ok(text) => json!(text),
        Err(error) => json!({"error": error.to_string()}),
    };
    for case in &cases {
        let (op, value) = (&case["input"]["op"], case["input"]["value"].as_str().unwrap());
        let result = match op.as_str().unwrap() {
            "encode" => json!({"encoded": encode(value), "decodedBack": decoded(&encode(value))}),
            "decode" => decoded(value),
            "identityFromClientId" => json!(of_client_id(value)),
            other => panic!("unknown op {other}"),
        };
        assert_eq!(result, case["expected"], "{}", case["name"]);
    }
    assert_eq!(cases.len(), 21);
}

#[test]
fn units_get_two_digits_or_a_zero_in_front() {
    for (text, encoded) in [
        ("\n", "!0A"),
        ("\u{10}", "!10"),
        ("ÿ", "!FF"),
        ("Ā", "!0100"),
        ("日", "!065E5"),
        ("😀", "!0D83D!0DE00"),
        ("[::1]:8080", "!5B::1!5D:8080"),
        ("notes.example.com:8443", "notes.example.com:8443"),
    ] {
        assert_eq!(encode(text), encoded);
    }
}
