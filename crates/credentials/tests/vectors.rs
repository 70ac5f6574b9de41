//! Every case of the vectors about credentials, and the rules by which Falconer differs (`differences.json`).
//!
//! With `FALCONER_VECTORS=<folder>` other files of the same shapes are run, and the counts by rule are printed but not compared.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use falconer_credentials::{AccessToken, payload, temporary, timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use support::oracle::{self, Credentials};
use support::{World, load, parts, text, texts, vectors};

/// One case as the rules see it.
struct Case<'a> {
    expected: &'a Value,
    credentials: Option<Credentials>,
    mac_is_right: bool,
    /// How long the header is, in UTF-16 units.
    header_units: usize,
}

impl Case<'_> {
    fn message(&self) -> &str {
        self.expected["result"]["message"].as_str().unwrap_or_default()
    }

    fn certificate(&self) -> Option<&Value> {
        self.credentials.as_ref()?.ext.as_ref()?.get("certificate")
    }
}

/// Falconer's message where the rule covers the case.
type Rule = fn(&Case<'_>, answer: &str) -> Option<String>;

/// The rules about `result`, in the order in which they are tried.
const RULES: [(&str, Rule); 7] = [
    ("mac-first", |case, answer| {
        let tells =
            !case.message().is_empty() && !case.message().starts_with("Bad Request: ") && !case.message().starts_with("Unauthorized: ");
        (tells && case.credentials.is_some() && !case.mac_is_right).then(|| answer.to_owned())
    }),
    ("ext-null", |case, answer| {
        let credentials = case.credentials.as_ref()?;
        (case.mac_is_right && credentials.ext_is_json && credentials.ext == Some(Value::Null)).then(|| answer.to_owned())
    }),
    ("certificate-times-are-integers", |case, answer| {
        let certificate = case.certificate()?;
        let earlier = ["must be a JSON object", "version must be", "seed must be", "start must be a number", "expiry must be a number"];
        if !case.mac_is_right || earlier.iter().any(|part| case.message().contains(part)) {
            return None;
        }
        let is_bad = |field: &&str| {
            certificate[*field].as_f64().is_some_and(|number| number.fract() != 0.0 || number.abs() > 9_007_199_254_740_992.0)
        };
        ["start", "expiry"].into_iter().find(|field| is_bad(field)).map(|field| answer.replace("<field>", field))
    }),
    ("ts-is-decimal", |case, answer| {
        let credentials = case.credentials.as_ref()?;
        let decimal = |text: &str| {
            let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let unsigned = |text: &str| text.strip_prefix(['+', '-']).unwrap_or(text).to_owned();
            digits(&unsigned(exponent)) && digits(&unsigned(mantissa).replacen('.', "", 1))
        };
        let succeeds = case.expected["result"]["status"] == "auth-success";
        (case.mac_is_right && succeeds && !credentials.is_bewit && !decimal(credentials.time.trim())).then(|| answer.to_owned())
    }),
    ("exp-has-digits", |case, answer| {
        let credentials = case.credentials.as_ref()?;
        let digits = credentials.time.trim_start().trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit());
        let succeeds = case.expected["result"]["status"] == "auth-success";
        (case.mac_is_right && succeeds && credentials.is_bewit && !digits).then(|| answer.to_owned())
    }),
    ("headers-of-16-kib", |case, answer| {
        let is_read = case.message() == "Bad Request: Header length too long" && case.header_units <= 16_384;
        // Of a right one this file can't say what it comes to; `limits.rs` does.
        (is_read && case.credentials.is_some() && !case.mac_is_right).then(|| answer.to_owned())
    }),
    ("names-are-client-ids", |case, answer| {
        let succeeds = case.expected["result"]["status"] == "auth-success";
        let is_named =
            case.certificate().is_some_and(|certificate| certificate["issuer"].as_str().is_some_and(|issuer| !issuer.is_empty()));
        let of_pattern = |b: u8| b.is_ascii_alphanumeric() || b"!@/:.+|_-".contains(&b);
        (succeeds && is_named && !case.credentials.as_ref()?.id.bytes().all(of_pattern)).then(|| answer.to_owned())
    }),
];

/// Counts for one file, and what failed.
#[derive(Default)]
struct Tally {
    cases: usize,
    equal: usize,
    by_rule: BTreeMap<String, usize>,
    failed: Vec<String>,
}

impl Tally {
    /// `rule`: the rule that covers the case and what Falconer owes by it.
    fn note(&mut self, name: &str, actual: &Value, expected: &Value, rule: Option<(&str, Value)>) {
        self.cases += 1;
        match rule {
            None if actual == expected => self.equal += 1,
            Some((rule, owed)) if *actual == owed => *self.by_rule.entry(rule.to_owned()).or_default() += 1,
            None => self.failed.push(format!("{name}\n  expected {expected}\n  got      {actual}")),
            Some((rule, owed)) => self.failed.push(format!("{name}\n  by rule {rule} {owed}\n  got {actual}")),
        }
    }

    /// Prints the counts, and compares them with the file of differences if these are the committed vectors of `at_least` cases.
    fn close(self, file: &str, at_least: usize) {
        let by_rule: usize = self.by_rule.values().sum();
        println!("{file}: {} cases, {} equal, {by_rule} by rule {:?}, {} failed", self.cases, self.equal, self.by_rule, self.failed.len());
        assert!(self.failed.is_empty(), "{file}:\n{}", self.failed.join("\n"));
        if !vectors().1 {
            return;
        }
        assert!(self.cases >= at_least, "{file} holds {} cases, {at_least} were there once", self.cases);
        for rule in differences() {
            let (id, covered) = (rule["id"].as_str().unwrap(), rule["cases"][file].as_u64().unwrap_or(0));
            let found = self.by_rule.get(id).copied().unwrap_or(0);
            assert_eq!(found as u64, covered, "the rule {id} covers another number of cases of {file} than differences.json says");
        }
    }
}

fn differences() -> Vec<Value> {
    serde_json::from_str(include_str!("differences.json")).unwrap()
}

fn answer(id: &str) -> String {
    text(&differences().iter().find(|rule| rule["id"] == id).expect("a rule of differences.json")["answer"])
}

/// The rule that covers the case, and the whole result owed by it.
fn rule_for(world: &World, input: &Value, expected: &Value) -> Option<(&'static str, Value)> {
    let mut credentials = oracle::credentials(&input["request"]);
    if let (Some(credentials), Some(normalized)) = (&mut credentials, expected["normalizedString"].as_str()) {
        // The oracle does not know how a resource is read that does not begin with a slash.
        credentials.normalized = normalized.to_owned();
    }
    let mac_is_right = credentials.as_ref().is_some_and(|credentials| credentials.mac_is_right(world));
    let header_units = input["request"]["authorization"].as_str().unwrap_or_default().encode_utf16().count();
    let case = Case { expected, credentials, mac_is_right, header_units };
    RULES.iter().find_map(|(id, rule)| Some((*id, json!({"status": "auth-failed", "message": rule(&case, &answer(id))?}))))
}

fn run_requests(file: &str, at_least: usize) {
    let Some(cases) = load(file) else { return };
    let world = World::std();
    let mut tally = Tally::default();
    for case in &cases {
        let (input, expected) = (&case["input"], &case["expected"]);
        let now_ms = input["nowMs"].as_i64().unwrap_or(world.now_ms);
        let actual = world.authenticate(&parts(&input["request"]), now_ms);
        tally.note(case["name"].as_str().unwrap(), &actual, &expected["result"], rule_for(&world, input, expected));
    }
    assert_eq!(tally.cases, cases.len());
    tally.close(file, at_least);
}

#[test]
fn hawk_header() {
    run_requests("hawk-header", 148);
}

#[test]
fn bewit() {
    run_requests("bewit", 60);
}

#[test]
fn certificate_validation() {
    run_requests("certificate-validation", 81);
}

#[test]
fn temporary_credentials() {
    let Some(cases) = load("temporary-credentials") else {
        return;
    };
    let world = World::std();
    let mut tally = Tally::default();
    for case in &cases {
        let (name, input, expected) = (case["name"].as_str().unwrap(), &case["input"], &case["expected"]);
        let token = AccessToken::new(text(&input["issuer"]["accessToken"]));
        let scopes = texts(&input["scopes"]);
        let issued = temporary::create(
            input["issuer"]["clientId"].as_str().unwrap(),
            &token,
            input["name"].as_str(),
            &scopes,
            input["startMs"].as_i64().unwrap(),
            input["expiryMs"].as_i64().unwrap(),
            input["seed"].as_str().unwrap(),
        );
        if expected["error"].is_string() {
            tally.note(name, &json!(issued.is_err()), &json!(true), None);
            continue;
        }
        let created = issued.unwrap();
        let mut actual = json!({
            "clientId": created.client_id, "accessToken": created.access_token.expose(), "certificateString": created.certificate,
        });
        let mut wanted = json!({
            "clientId": expected["clientId"], "accessToken": expected["accessToken"], "certificateString": expected["certificateString"],
        });
        // What the client makes, and how the server judges the client's request, are one case.
        let now_ms = input["nowMs"].as_i64().unwrap_or(world.now_ms);
        actual["result"] = world.authenticate(&parts(&case["expected"]["request"]), now_ms);
        wanted["result"] = expected["result"].clone();
        let request = json!({"request": expected["request"]});
        let rule = match rule_for(&world, &request, expected) {
            Some((id, result)) => {
                let mut owed = wanted.clone();
                owed["result"] = result;
                Some((id, owed))
            }
            None if scopes.is_empty() => {
                // The same certificate with the signature over the text without the last line feed.
                let signed = text(&expected["signedString"]);
                let sign = |text: &str| {
                    use base64::Engine as _;
                    base64::engine::general_purpose::STANDARD.encode(oracle::hmac(token.expose().as_bytes(), text))
                };
                let certificate = text(&expected["certificateString"]);
                let mut owed = wanted.clone();
                owed["certificateString"] = certificate.replace(&sign(&signed), &sign(signed.trim_end_matches('\n'))).into();
                assert_ne!(owed, wanted, "{name}");
                Some(("empty-scopes-are-signed-as-servers-read-them", owed))
            }
            None => None,
        };
        tally.note(name, &actual, &wanted, rule);
    }
    assert_eq!(tally.cases, cases.len());
    tally.close("temporary-credentials", 32);
}

#[test]
fn payload_hash() {
    let Some(cases) = load("payload-hash") else {
        return;
    };
    let mut tally = Tally::default();
    for case in &cases {
        let input = &case["input"];
        let hash = payload::hash(input["contentType"].as_str().unwrap_or_default(), input["payload"].as_str().unwrap().as_bytes());
        tally.note(case["name"].as_str().unwrap(), &json!(hash), &case["expected"], None);
    }
    tally.close("payload-hash", 10);
}

#[test]
fn timestamp_mac() {
    let Some(cases) = load("timestamp-mac") else {
        return;
    };
    let mut tally = Tally::default();
    for case in &cases {
        let mac = timestamp::mac(case["input"]["ts"].as_i64().unwrap(), case["input"]["key"].as_str().unwrap());
        tally.note(case["name"].as_str().unwrap(), &json!(mac), &case["expected"], None);
    }
    tally.close("timestamp-mac", 3);
}

/// The fixture itself: each of its clients signs a request, and the answer is what its record says.
#[test]
fn fixture_std() {
    let world = World::std();
    let mut tally = Tally { cases: 1, ..Tally::default() };
    for client in &world.clients {
        let request = falconer_credentials::sign::Request {
            method: "get",
            resource: "/a?b",
            host: "h",
            port: 443,
            ts_seconds: world.now_ms / 1000,
            nonce: "n",
            ..Default::default()
        };
        let header = falconer_credentials::sign::header(&client.id, &client.token, &request);
        let answer = world.authenticate(
            &falconer_credentials::RequestParts { method: "GET", resource: "/a?b", host: "h", port: 443, authorization: Some(&header) },
            world.now_ms,
        );
        let expected = if client.disabled {
            json!(format!("Client with clientId '{}' is disabled", client.id))
        } else if client.expires_ms < world.now_ms {
            json!(format!("Client with clientId: '{}' has expired", client.id))
        } else {
            Value::Null
        };
        assert_eq!(answer["message"], expected, "{}", client.id);
        assert_eq!(answer["status"] == "auth-success", expected.is_null(), "{}", client.id);
    }
    tally.equal = 1;
    tally.close("fixture-std", 1);
}

/// Nothing in the file of differences is out of use.
#[test]
fn every_difference_has_a_rule() {
    let mut known: Vec<&str> = RULES.iter().map(|(id, _)| *id).collect();
    known.push("empty-scopes-are-signed-as-servers-read-them");
    let listed: Vec<String> = differences().iter().map(|rule| text(&rule["id"])).collect();
    assert_eq!(listed, known);
    for rule in differences() {
        for part in ["description", "answer", "reason"] {
            assert!(rule[part].as_str().is_some_and(|text| !text.is_empty()), "{rule}");
        }
    }
}
