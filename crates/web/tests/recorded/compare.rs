//! Whether an answer is the recorded one, or the one that a difference says.

use serde_json::Value;

use super::{Answer, Difference};

/// Against what is recorded.
pub fn compare(case: &Value, answer: &Answer) -> Result<(), String> {
    let expected = &case["expected"];
    if u64::from(answer.status) != expected["status"].as_u64().unwrap() {
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

/// Against a difference that covers the case.
pub fn differs_as_said(difference: &Difference, case: &Value, answer: &Answer) -> Result<(), String> {
    let status = answer.status.to_string();
    let fits =
        status == difference.status || (difference.status == "4xx" && (400..500).contains(&answer.status) && !answer.code().is_empty());
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
