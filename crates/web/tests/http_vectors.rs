//! `vectors/http-auth-api.json` in process: one session of 291 requests against a fresh node, in file order.
//!
//! Where Falconer deliberately answers otherwise, `http_differences.json` says so: a rule (a predicate over the case alone, [`covers`], with Falconer's
//! answer and the number of cases), or single cases by name. A rule that covers more or fewer cases than it says fails the run, as does one that
//! covers a case which is equal, and a case that differs without one. `FALCONER_VECTORS=<directory>` takes another file of the same shape and prints
//! the counts only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use support::{Answer, Call, Credentials, Node, ROOT, ROOT_TOKEN, call, hash_of, node_configured, static_client};

const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/http-auth-api.json"));
const DIFFERENCES: &str = include_str!("http_differences.json");
const CASES: usize = 291;

/// One difference: which cases it covers and what Falconer answers there.
struct Difference {
    id: String,
    /// How many cases of the committed file it covers.
    covers: usize,
    /// Single cases, for a difference that is no rule.
    cases: Vec<String>,
    /// `401`, or `4xx` for any of them.
    status: String,
    code: Option<String>,
    message: Option<String>,
}

/// The rules: which cases one covers, computed from the case alone.
fn covers(rule: &str, case: &Value) -> bool {
    let input = &case["input"];
    let path = input["path"].as_str().unwrap();
    let dollar = path.ends_with("/scopes/expand") && input["body"].as_str().is_some_and(|body| body.contains("$&"));
    match rule {
        // Signed as somebody whom the session never made; the trial methods have a public client and are exempt.
        "silence-before-the-mac" => {
            let who = &input["auth"];
            who["clientId"].as_str().is_some_and(|id| id != ROOT)
                && !who["accessToken"].as_str().unwrap().starts_with('<')
                && !path.contains("/test-authenticate")
        }
        "ext-of-null" => input["auth"]["ext"] == "bnVsbA==",
        "dollar-patterns-are-literal" => dollar,
        "no-500-for-bad-input" => case["expected"]["status"] == 500 && !dollar,
        _ => false,
    }
}

#[tokio::test]
async fn the_recorded_session() {
    let elsewhere = std::env::var_os("FALCONER_VECTORS")
        .map(|dir| std::fs::read_to_string(std::path::Path::new(&dir).join("http-auth-api.json")).unwrap());
    let cases: Vec<Value> = serde_json::from_str(elsewhere.as_deref().unwrap_or(VECTORS)).unwrap();
    let differences = differences();
    let node = session_node().await;
    let mut tokens = BTreeMap::new();
    let (mut equal, mut by_rule, mut failed) = (0, BTreeMap::<String, usize>::new(), Vec::new());
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        let answer = node.send(request_of(case, &tokens, &node)).await;
        if let (Some(id), Some(token)) = (answer.json["clientId"].as_str(), answer.json["accessToken"].as_str()) {
            tokens.insert(id.to_owned(), token.to_owned());
        }
        let covering: Vec<&Difference> = differences.iter().filter(|d| covers(&d.id, case) || d.cases.iter().any(|c| c == name)).collect();
        let outcome = match covering.as_slice() {
            [] => compare(case, &answer),
            [difference] => differs_as_said(difference, case, &answer),
            _ => Err("covered by two differences".to_owned()),
        };
        match (outcome, covering.first()) {
            (Err(why), _) => failed.push(format!("{name}: {why}")),
            (Ok(()), Some(difference)) => *by_rule.entry(difference.id.clone()).or_default() += 1,
            (Ok(()), None) => equal += 1,
        }
        // The reference took a few milliseconds for each; nothing may depend on two instants being equal.
        node.advance(7);
    }
    let ruled: usize = by_rule.values().sum();
    println!("http-auth-api: {} cases, {equal} equal, {ruled} by rule {by_rule:?}, {} failed", cases.len(), failed.len());
    if elsewhere.is_none() {
        assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
        assert_eq!(equal + ruled, CASES);
        for difference in &differences {
            assert_eq!(by_rule.get(&difference.id).copied().unwrap_or_default(), difference.covers, "{}", difference.id);
        }
    }
}

async fn session_node() -> Node {
    let clients = vec![
        static_client(ROOT, ROOT_TOKEN, &["*"], "root"),
        static_client("static/taskcluster/notify", "notify-test-access-token-000000000000000000", &["queue:get-task:*"], "Internal client"),
    ];
    // The origins and the proxy that the session's cases use.
    let origins = [
        "http://tc.example.com",
        "https://tc.example.com",
        "http://tc.example.com:8443",
        "http://tc.example.com:8888",
        "http://tc.example.com:7777",
        "http://[::1]:60700",
    ];
    let secret = falconer_auth::Secret::new("websocktunnel-secret-of-the-session");
    node_configured(clients, &origins, &["127.0.0.1/32"], |settings| settings.websocktunnel_secret = Some(secret)).await
}

fn request_of(case: &Value, tokens: &BTreeMap<String, String>, node: &Node) -> Call {
    let input = &case["input"];
    let text = |key: &str| input[key].as_str();
    let mut request = call(text("method").unwrap(), text("path").unwrap());
    for (name, value) in input["headers"].as_object().into_iter().flatten() {
        request = request.header(name, value.as_str().unwrap());
    }
    if let Some(host) = text("host") {
        request.host = host.to_owned();
    }
    if let Some(signed_for) = input["signedFor"].as_object() {
        request.signed_for =
            Some((signed_for["host"].as_str().unwrap().to_owned(), u16::try_from(signed_for["port"].as_u64().unwrap()).unwrap()));
    }
    request.body = input.get("body").map(|body| body_of(case, body, node));
    if let Some(auth) = input.get("auth") {
        let mut who = credentials_of(auth, tokens, node);
        match &input["payloadHashSigned"] {
            Value::Bool(true) => {
                let body = request.body.clone().unwrap_or_default();
                who.hash = Some(hash_of(if body.is_empty() { "" } else { "application/json" }, &body));
            }
            Value::String(other) => who.hash = Some(hash_of("application/json", other.as_bytes())),
            _ => {}
        }
        request.auth = Some(who);
    }
    if let Some(bewit) = input.get("bewit") {
        request.bewit = Some((credentials_of(bewit, tokens, node), bewit["ttl"].as_i64().unwrap_or(900)));
    }
    request
}

/// Five cases hold a placeholder instead of data; they are built by name.
fn body_of(case: &Value, body: &Value, node: &Node) -> Vec<u8> {
    let long = |length: usize| format!("{{\"scopes\":[\"{}\"]}}", "a".repeat(length - 15));
    match &case["name"].as_str().unwrap()[..3] {
        "086" => long(10_485_775).into_bytes(),
        "087" => long(10_485_755).into_bytes(),
        "124" => {
            let payload = &case["expected"]["body"]["requestInfo"]["payload"];
            let mut body = payload.clone();
            body.as_object_mut().unwrap().shift_remove("deleteOnExpiration");
            body.to_string().into_bytes()
        }
        "241" => {
            let mut signed = call("GET", "/x").by(support::root());
            signed.signed_for = Some(("h.example".to_owned(), 443));
            let header = signed.request(node_time(node)).headers()["authorization"].to_str().unwrap().to_owned();
            json!({ "method": "get", "resource": "/x", "host": "h.example", "port": 443, "authorization": header, "sourceIp": "127.0.0.1" })
                .to_string()
                .into_bytes()
        }
        _ => body.as_str().unwrap().as_bytes().to_vec(),
    }
}

fn node_time(node: &Node) -> i64 {
    node.now_ms()
}

fn credentials_of(auth: &Value, tokens: &BTreeMap<String, String>, node: &Node) -> Credentials {
    if auth.is_string() {
        // #264: named temporary credentials.
        let token = falconer_auth::AccessToken::new("no-secret".to_owned());
        let now = node.now_ms();
        let seed = "s".repeat(44);
        let made =
            falconer_credentials::temporary::create("tester", &token, Some("my-temp"), &["a1".to_owned()], now, now + 3_600_000, &seed)
                .unwrap();
        return Credentials { certificate: Some(made.certificate), ..support::client(&made.client_id, made.access_token.expose()) };
    }
    let id = auth["clientId"].as_str().unwrap();
    let token = auth["accessToken"].as_str().unwrap();
    let token = if token.starts_with('<') { tokens[id].as_str() } else { token };
    Credentials {
        authorized_scopes: auth["authorizedScopes"].as_array().map(|a| a.iter().map(|s| s.as_str().unwrap().to_owned()).collect()),
        ext: auth["ext"].as_str().map(str::to_owned),
        ts_seconds: auth["ts"].as_i64(),
        hash: auth["hash"].as_str().map(str::to_owned),
        ..support::client(id, token)
    }
}

fn compare(case: &Value, answer: &Answer) -> Result<(), String> {
    let expected = &case["expected"];
    if u64::from(answer.status.as_u16()) != expected["status"].as_u64().unwrap() {
        return Err(format!("status {}, expected {}: {}", answer.status, expected["status"], shown(answer)));
    }
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        if answer.header(name) != value.as_str() {
            return Err(format!("header {name}: {:?}, expected {value}", answer.header(name)));
        }
    }
    match &expected["body"] {
        Value::String(text) if text.is_empty() => answer.bytes.is_empty().then_some(()).ok_or_else(|| shown(answer)),
        Value::String(text) if text.starts_with('<') => Ok(()),
        Value::String(text) => (answer.bytes == text.as_bytes()).then_some(()).ok_or_else(|| shown(answer)),
        expected => same(expected, &answer.json, "").and_then(|()| key_order(expected, &answer.json)),
    }
}

fn shown(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.bytes).chars().take(400).collect()
}

/// Equal except for masks: `<time>`, `<uuid>`, `<44-char token>` and so on; and except for what a JSON or schema engine says.
fn same(expected: &Value, got: &Value, at: &str) -> Result<(), String> {
    match (expected, got) {
        (Value::Object(e), Value::Object(g)) => {
            for (key, value) in e {
                let found = g.get(key).ok_or_else(|| format!("{at}/{key} is missing"))?;
                same(value, found, &format!("{at}/{key}"))?;
            }
            match g.keys().find(|key| !e.contains_key(*key)) {
                Some(extra) => Err(format!("{at}/{extra} is too much")),
                None => Ok(()),
            }
        }
        (Value::Array(e), Value::Array(g)) if e.len() == g.len() => {
            e.iter().zip(g).enumerate().try_for_each(|(i, (e, g))| same(e, g, &format!("{at}/{i}")))
        }
        (Value::String(e), Value::String(g)) if matches(&engine_free(e), &engine_free(g)) => Ok(()),
        (Value::String(mask), Value::Number(_)) if mask.starts_with('<') => Ok(()),
        _ if expected == got => Ok(()),
        _ => Err(format!("{at}: {got}, expected {expected}")),
    }
}

/// Drops the words of a JSON or schema engine, which nobody owes.
fn engine_free(text: &str) -> String {
    for (marker, keep) in [("Failed to parse JSON: ", "Must be an object"), ("\nErrors:", "\u{0}")] {
        if let Some((before, after)) = text.split_once(marker)
            && !after.starts_with(keep)
            && let Some((_, trailer)) = after.split_once("\n\n---\n")
        {
            return format!("{before}{marker}{trailer}");
        }
    }
    text.to_owned()
}

/// Whether a text fits one with masks in it.
fn matches(masked: &str, text: &str) -> bool {
    let Some((before, rest)) = masked.split_once('<') else { return masked == text };
    let Some((mask, after)) = rest.split_once('>') else { return masked == text };
    let known = ["time", "uuid", "token", "seconds", "jwt", "now"].iter().any(|word| mask.contains(word));
    if !known {
        // `<..>` in a scope is itself.
        let literal = format!("{before}<");
        return text.strip_prefix(literal.as_str()).is_some_and(|text| matches(rest, text));
    }
    let Some(text) = text.strip_prefix(before) else { return false };
    (1..=text.len()).filter(|i| text.is_char_boundary(*i)).any(|i| matches(after, &text[i..]))
}

/// The order of keys is free for clients, but we keep the reference's.
fn key_order(expected: &Value, got: &Value) -> Result<(), String> {
    match (expected, got) {
        (Value::Object(e), Value::Object(g)) => {
            let (e_keys, g_keys): (Vec<_>, Vec<_>) = (e.keys().collect(), g.keys().collect());
            if e_keys != g_keys {
                return Err(format!("keys {g_keys:?}, expected {e_keys:?}"));
            }
            e.iter().try_for_each(|(key, value)| key_order(value, &g[key]))
        }
        (Value::Array(e), Value::Array(g)) => e.iter().zip(g).try_for_each(|(e, g)| key_order(e, g)),
        _ => Ok(()),
    }
}

fn differs_as_said(difference: &Difference, case: &Value, answer: &Answer) -> Result<(), String> {
    let status = answer.status.as_u16().to_string();
    let fits = status == difference.status || (difference.status == "4xx" && answer.status.is_client_error() && !answer.code().is_empty());
    let said = fits
        && difference.code.as_deref().is_none_or(|code| code == answer.code())
        && difference.message.as_deref().is_none_or(|message| answer.message() == message);
    if !said {
        return Err(format!(
            "rule {} says {} {:?}: {} {}",
            difference.id,
            difference.status,
            difference.code,
            answer.status,
            shown(answer)
        ));
    }
    if compare(case, answer).is_ok() {
        return Err(format!("rule {} covers a case that is equal", difference.id));
    }
    Ok(())
}

fn differences() -> Vec<Difference> {
    let parsed: Vec<Value> = serde_json::from_str(DIFFERENCES).unwrap();
    parsed
        .iter()
        .map(|d| {
            assert!(d["reason"].as_str().is_some_and(|r| !r.is_empty()));
            Difference {
                id: d["id"].as_str().unwrap().to_owned(),
                covers: usize::try_from(d["covers"].as_u64().unwrap()).unwrap(),
                cases: d["cases"].as_array().into_iter().flatten().map(|c| c.as_str().unwrap().to_owned()).collect(),
                status: d["falconer"]["status"].to_string().replace('"', ""),
                code: d["falconer"]["code"].as_str().map(str::to_owned),
                message: d["falconer"]["message"].as_str().map(str::to_owned),
            }
        })
        .collect()
}

#[test]
fn every_difference_names_existing_cases_once() {
    let cases: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
    let mut seen = Vec::new();
    for difference in differences() {
        for name in difference.cases {
            assert!(cases.iter().any(|c| c["name"] == name.as_str()), "{name}");
            assert!(!seen.contains(&name), "{name}");
            seen.push(name);
        }
    }
}
