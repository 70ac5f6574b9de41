//! The public keys by which an application proves who it is (RFC 7523), as they are given and as they are kept.

use std::collections::HashSet;

use falconer_auth::RegisteredKey;
use serde_json::{Value, json};

/// Most keys of one application: two while they change, and some for servers that have one each.
const MOST_KEYS: usize = 5;
/// Longest set in bytes, as it is given.
const LONGEST_SET: usize = 16 * 1024;

/// The keys of a set (RFC 7517 section 5) as an application's record takes them, each as JSON; of an empty text none. Errors say what to write instead.
pub fn keys_of_jwks(text: &str) -> Result<Vec<String>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let set = (text.len() <= LONGEST_SET).then(|| serde_json::from_str(text).ok()).flatten();
    Ok(written(&of_set(&set.unwrap_or_default())?))
}

/// The set of an application's keys, as a page and a file have it.
pub fn jwks_of_keys(keys: &[String]) -> Value {
    let keys: Vec<Value> = keys.iter().filter_map(|key| serde_json::from_str(key).ok()).collect();
    json!({ "keys": keys })
}

/// Those of a set.
pub(crate) fn of_set(set: &Value) -> Result<Vec<RegisteredKey>, String> {
    let keys = set.get("keys").and_then(Value::as_array);
    read(keys.ok_or_else(|| "jwks: write a set of keys, {\"keys\": [...]}, of at most 16 KiB".to_owned())?.iter())
}

/// Those of a record.
pub(crate) fn of_record(keys: &[String]) -> Result<Vec<RegisteredKey>, String> {
    let keys: Vec<Value> = keys.iter().map(|key| serde_json::from_str(key).unwrap_or_default()).collect();
    read(keys.iter())
}

/// As a record has them: what is not known of a key is left out.
pub(crate) fn written(keys: &[RegisteredKey]) -> Vec<String> {
    keys.iter().map(|key| Value::Object(key.to_jwk()).to_string()).collect()
}

fn read<'v>(keys: impl ExactSizeIterator<Item = &'v Value>) -> Result<Vec<RegisteredKey>, String> {
    if keys.len() > MOST_KEYS {
        return Err(format!("jwks: give at most {MOST_KEYS} keys"));
    }
    let keys = keys.map(RegisteredKey::read).collect::<Result<Vec<_>, _>>().map_err(|fault| format!("jwks: {fault}"))?;
    let (mut ids, mut thumbprints) = (HashSet::new(), HashSet::new());
    if keys.iter().filter_map(RegisteredKey::id).any(|id| !ids.insert(id)) {
        return Err("jwks: two keys have the same kid".to_owned());
    }
    if keys.iter().any(|key| !thumbprints.insert(key.public().thumbprint())) {
        return Err("jwks: one key is there twice".to_owned());
    }
    Ok(keys)
}
