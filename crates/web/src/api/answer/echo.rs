//! What an error repeats of the request (`requestInfo.payload`): a small part of what an answer may be, and never a secret.

use std::fmt;
use std::io::{self, Write};

use falconer_wire::{Call, Method};
use serde_json::Value;

use crate::api::request::budget::Budget;
use crate::api::request::json::{self, DuplicateKeys};
use crate::http::log;

/// A payload is repeated up to this size, as the protocol indents it.
const MOST_BYTES: usize = 64 * 1024;
/// And up to this depth: each level is indented by two more, so that a few bytes of nested lists could become megabytes. No schema is half as deep.
const MOST_DEPTH: usize = 8;

/// A header or a parameter is repeated up to so many characters.
const MOST_SHOWN: usize = 256;

/// Stands for a secret.
const HIDDEN: &str = "(hidden)";

/// What may be repeated of a payload, if anything.
pub(crate) fn payload(method: &Method, payload: Value) -> Option<Value> {
    if !is_shallow(&payload, MOST_DEPTH) || !is_small(&payload) {
        return None;
    }
    without_secrets(method, payload)
}

/// The same for the text of a body that no tree was made of.
pub(crate) fn text(method: &Method, text: &str) -> Option<Value> {
    if text.is_empty() {
        return Some(Value::Object(serde_json::Map::new()));
    }
    let budget = Budget { bytes: MOST_BYTES, nodes: 1024, entries: 1024, window: 0, time: std::time::Duration::ZERO };
    if text.len() > budget.bytes {
        return None;
    }
    payload(method, json::tree(text, &budget, DuplicateKeys::LastCounts).ok()?)
}

/// A header, a parameter or a part of one as an error's text repeats it: its beginning, and nothing in it steers a terminal.
pub(crate) fn shown(text: &str) -> impl fmt::Display + '_ {
    struct Shown<'t>(&'t str);
    impl fmt::Display for Shown<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let end = self.0.char_indices().nth(MOST_SHOWN).map(|(at, _)| at);
            let (start, rest) = end.and_then(|at| self.0.split_at_checked(at)).unwrap_or((self.0, ""));
            // Line ends stay, because the protocol's text has them.
            for (at, line) in start.split('\n').enumerate() {
                f.write_str(if at == 0 { "" } else { "\n" })?;
                log::write_visible(f, line)?;
            }
            f.write_str(if rest.is_empty() { "" } else { "..." })
        }
    }
    Shown(text)
}

fn is_shallow(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(list) => depth > 0 && list.iter().all(|value| is_shallow(value, depth - 1)),
        Value::Object(map) => depth > 0 && map.values().all(|value| is_shallow(value, depth - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Whether its text is small; writing stops where it is not.
fn is_small(value: &Value) -> bool {
    struct Measure(usize);
    impl Write for Measure {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    serde_json::to_writer_pretty(Measure(MOST_BYTES), value).is_ok()
}

/// Secrets, by their names in the schemas: access tokens, what a service passes on to be verified, and the code of a request for more.
const SECRETS: [&str; 5] = ["accessToken", "authorization", "dpop", "followUp", "code"];
/// What a public key has not (RFC 7518, section 6): somebody has sent a private one, by mistake.
const PRIVATE_PARTS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// Lists and records with secrets inside.
const HOLD_SECRETS: [&str; 4] = ["request", "checks", "clients", "keys"];

/// Methods whose body has a secret in it. A test looks whether the schemas have more.
fn takes_secrets(call: Call) -> bool {
    matches!(
        call,
        Call::PutClient
            | Call::ImportBatch
            | Call::AuthenticateHawk
            | Call::Check
            | Call::Checks
            | Call::CollectGrant
            | Call::PutApplication
    )
}

/// The one place where secrets are taken out, wherever they stand: also where nothing of that name should be.
fn without_secrets(method: &Method, mut payload: Value) -> Option<Value> {
    let takes_secrets = takes_secrets(method.call);
    // What is no object was not understood, so nobody knows where the secrets are in it.
    if takes_secrets && !payload.is_object() {
        return None;
    }
    hide(&mut payload, takes_secrets);
    Some(payload)
}

fn hide(value: &mut Value, takes_secrets: bool) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|item| hide(item, takes_secrets)),
        Value::Object(record) => record.iter_mut().for_each(|(name, value)| hide_member(name, value, takes_secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn hide_member(name: &str, value: &mut Value, takes_secrets: bool) {
    if value.is_null() {
        return;
    }
    match name {
        "resource" => *value = Value::from(value.as_str().map_or_else(|| HIDDEN.to_owned(), without_bewits)),
        _ if SECRETS.contains(&name) || PRIVATE_PARTS.contains(&name) => *value = Value::from(HIDDEN),
        _ if takes_secrets && HOLD_SECRETS.contains(&name) => {
            hide_texts(value);
            hide(value, takes_secrets);
        }
        _ => hide(value, takes_secrets),
    }
}

/// A text in the place of a record was not understood: it may be all of a secret.
fn hide_texts(value: &mut Value) {
    match value {
        Value::String(_) => *value = Value::from(HIDDEN),
        Value::Array(list) => list.iter_mut().filter(|item| item.is_string()).for_each(|item| *item = Value::from(HIDDEN)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
}

/// A path and query whose bewits, however they are spelt, have no value.
fn without_bewits(resource: &str) -> String {
    let Some((path, query)) = resource.split_once('?') else { return resource.to_owned() };
    let pair = |pair: &str| -> String {
        let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        if decoded.eq_ignore_ascii_case("bewit") { format!("{name}={HIDDEN}") } else { pair.to_owned() }
    };
    let pairs: Vec<String> = query.split('&').map(pair).collect();
    format!("{path}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(call: Call, given: Value) -> Option<Value> {
        payload(Method::of(call).unwrap(), given)
    }

    /// Story: the 400 of authenticateHawk repeated the header and the bewit that a service had passed on.
    #[test]
    fn credentials_are_never_repeated() {
        let given = json!({"resource": "/x?a=1&bewit=c2VjcmV0&%62ewit=c2VjcmV0", "authorization": "Hawk mac=\"c2VjcmV0\"", "port": "x"});
        let expected = json!({"resource": "/x?a=1&bewit=(hidden)&%62ewit=(hidden)", "authorization": "(hidden)", "port": "x"});
        assert_eq!(shown(Call::AuthenticateHawk, given), Some(expected));
        assert_eq!(shown(Call::AuthenticateHawk, json!({"resource": ["/x?bewit=c2VjcmV0"]})), Some(json!({"resource": "(hidden)"})));
        assert_eq!(shown(Call::AuthenticateHawk, json!("{\"authorization\":\"Hawk c2VjcmV0")), None);
        let request =
            json!({"request": {"authorization": "Hawk mac", "resource": "/x?bewit=c2VjcmV0"}, "checks": [{"request": "Hawk c2VjcmV0"}]});
        let hidden =
            json!({"request": {"authorization": "(hidden)", "resource": "/x?bewit=(hidden)"}, "checks": [{"request": "(hidden)"}]});
        assert_eq!(shown(Call::Check, request.clone()), Some(hidden.clone()));
        assert_eq!(shown(Call::Checks, request), Some(hidden));
        let clients = json!({"clients": [{"accessToken": "c2VjcmV0"}, 1], "accessToken": "c2VjcmV0"});
        assert_eq!(
            shown(Call::ImportBatch, clients),
            Some(json!({"clients": [{"accessToken": "(hidden)"}, 1], "accessToken": "(hidden)"}))
        );
    }

    /// Story: the code with which somebody collects a grant, and the proof of an access token, came back in the 400 of a body with a member too many.
    #[test]
    fn every_secret_of_every_method_is_hidden() {
        assert_eq!(shown(Call::CollectGrant, json!({"code": "c2VjcmV0", "x": 1})), Some(json!({"code": "(hidden)", "x": 1})));
        assert_eq!(shown(Call::CollectGrant, json!("c2VjcmV0")), None);
        let bound = json!({"request": {"dpop": "c2VjcmV0", "followUp": "c2VjcmV0", "scheme": "https"}});
        let hidden = json!({"request": {"dpop": "(hidden)", "followUp": "(hidden)", "scheme": "https"}});
        assert_eq!(shown(Call::Check, bound.clone()), Some(hidden.clone()));
        assert_eq!(shown(Call::Checks, json!({"checks": [bound, "c2VjcmV0"]})), Some(json!({"checks": [hidden, "(hidden)"]})));
        assert_eq!(
            shown(Call::Checks, json!({"checks": {"x": {"dpop": ["c2VjcmV0"]}}})),
            Some(json!({"checks": {"x": {"dpop": "(hidden)"}}}))
        );
        let application = json!({"jwks": {"keys": [{"kty": "OKP", "d": "c2VjcmV0", "x": "public"}]}});
        let public = json!({"jwks": {"keys": [{"kty": "OKP", "d": "(hidden)", "x": "public"}]}});
        assert_eq!(shown(Call::PutApplication, application), Some(public));
        // Where nothing of that name should be.
        assert_eq!(shown(Call::CreateRole, json!({"accessToken": "c2VjcmV0"})), Some(json!({"accessToken": "(hidden)"})));
    }

    /// Texts of the schemas that are no secrets. A new one belongs here, or is hidden.
    const PUBLIC: [&str; 25] = [
        "backchannelLogoutUri",
        "before",
        "clientId",
        "description",
        "displayName",
        "email",
        "expires",
        "host",
        "idTokenAlg",
        "kind",
        "method",
        "name",
        "owner",
        "payloadHash",
        "purpose",
        "reason",
        "risk",
        "roleId",
        "scheme",
        "seed",
        "sentence",
        "sourceIp",
        "template",
        "with",
        "resource",
    ];

    fn texts_of(schema: &Value, found: &mut std::collections::BTreeSet<String>) {
        match schema {
            Value::Array(list) => list.iter().for_each(|inner| texts_of(inner, found)),
            Value::Object(parts) => {
                for (name, inner) in parts.get("properties").and_then(Value::as_object).into_iter().flatten() {
                    let is_text =
                        inner["type"] == "string" || inner["type"].as_array().is_some_and(|types| types.contains(&json!("string")));
                    if is_text && inner.get("enum").is_none() {
                        found.insert(name.clone());
                    }
                }
                parts.values().for_each(|inner| texts_of(inner, found));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn each_text_of_a_body_is_a_secret_or_known_to_be_none() {
        let mut with_bodies = 0;
        for method in falconer_wire::METHODS.iter().chain(falconer_wire::FALCONER_METHODS) {
            let Some(schema) = method.input_schema() else { continue };
            with_bodies += 1;
            let mut found = std::collections::BTreeSet::new();
            texts_of(&serde_json::from_str(schema.json).unwrap(), &mut found);
            let undecided: Vec<&String> = found
                .iter()
                .filter(|name| !SECRETS.contains(&name.as_str()) && !PUBLIC.contains(&name.as_str()) && *name != "required")
                .collect();
            assert!(undecided.is_empty(), "{}: hide {undecided:?}, or say that they are public", method.name);
            if found.iter().any(|name| SECRETS.contains(&name.as_str()) || name == "resource") {
                assert!(takes_secrets(method.call), "{} takes secrets", method.name);
            }
        }
        assert!(with_bodies > 20, "{with_bodies}");
    }

    /// Story: 22 bytes of compressed nested lists came back as 8.4 MB of spaces.
    #[test]
    fn what_is_deep_or_large_is_not_repeated() {
        let nested = |depth: usize| (0..depth).fold(json!(0), |inner, _| json!([inner]));
        assert!(shown(Call::CreateRole, nested(MOST_DEPTH)).is_some());
        assert!(shown(Call::CreateRole, nested(MOST_DEPTH + 1)).is_none());
        assert!(shown(Call::CreateRole, json!(vec!["a".repeat(100); 500])).is_some());
        assert!(shown(Call::CreateRole, json!(vec!["a".repeat(100); 700])).is_none());
        // A control character takes six characters in an answer.
        assert!(shown(Call::CreateRole, json!("\u{1}".repeat(20_000))).is_none());
    }
}
