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

/// The one place where secrets are taken out: access tokens, and the credentials that a service passes on to be verified.
fn without_secrets(method: &Method, payload: Value) -> Option<Value> {
    if !matches!(method.call, Call::PutClient | Call::ImportBatch | Call::AuthenticateHawk | Call::Check | Call::Checks) {
        return Some(payload);
    }
    // What is no object was not understood, so nobody knows where the secrets are in it.
    let mut payload = payload.as_object().is_some().then_some(payload)?;
    for client in payload.get_mut("clients").and_then(Value::as_array_mut).into_iter().flatten() {
        hide(client);
    }
    for question in payload.get_mut("checks").and_then(Value::as_array_mut).into_iter().flatten() {
        hide_request(question);
    }
    hide_request(&mut payload);
    hide(&mut payload);
    Some(payload)
}

/// The request that a question is about.
fn hide_request(question: &mut Value) {
    if let Some(request) = question.get_mut("request").filter(|request| !request.is_null()) {
        match request {
            Value::Object(_) => hide(request),
            // What is no object was not understood, so nobody knows where the secrets are in it.
            other => *other = Value::from(HIDDEN),
        }
    }
}

fn hide(record: &mut Value) {
    for name in ["accessToken", "authorization"] {
        if let Some(secret) = record.get_mut(name).filter(|value| !value.is_null()) {
            *secret = Value::from(HIDDEN);
        }
    }
    if let Some(resource) = record.get_mut("resource").filter(|value| !value.is_null()) {
        *resource = match resource.as_str() {
            Some(text) => Value::from(without_bewits(text)),
            None => Value::from(HIDDEN),
        };
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
