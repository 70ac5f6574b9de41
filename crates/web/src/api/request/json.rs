//! JSON of bodies, read in one pass: a tree within a budget of values, or the syntax alone.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::budget::{Budget, OverBudget};

/// What an object comes to in which a key is there twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DuplicateKeys {
    /// The last one counts, as in the reference.
    LastCounts,
    /// Nothing: two readers could disagree about what was said.
    Refused,
}

/// Why there is no tree.
#[derive(Debug)]
pub(crate) enum JsonError {
    /// It is no JSON.
    Malformed(serde_json::Error),
    /// There is more of it than may be read. Nothing was made of the rest.
    OverBudget(OverBudget),
}

/// The value of a text, with at most `budget.nodes` values in it.
pub(crate) fn tree(text: &str, budget: &Budget, duplicate_keys: DuplicateKeys) -> Result<Value, JsonError> {
    let text = replace_lone_surrogates(text);
    let remaining = Remaining { nodes: Cell::new(budget.nodes), entries: budget.entries, duplicate_keys, over_budget: Cell::new(None) };
    let mut reader = serde_json::Deserializer::from_str(&text);
    let read = Node(&remaining).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| remaining.over_budget.get().map_or(JsonError::Malformed(error), JsonError::OverBudget))
}

/// Whether a text is JSON; nothing is made of it.
pub(crate) fn syntax(text: &str) -> Result<(), JsonError> {
    serde_json::from_str::<IgnoredAny>(text).map(drop).map_err(JsonError::Malformed)
}

/// What may still be read.
struct Remaining {
    nodes: Cell<usize>,
    entries: usize,
    duplicate_keys: DuplicateKeys,
    over_budget: Cell<Option<OverBudget>>,
}

impl Remaining {
    fn node<E: serde::de::Error>(&self) -> Result<(), E> {
        match self.nodes.get().checked_sub(1) {
            Some(left) => {
                self.nodes.set(left);
                Ok(())
            }
            None => Err(self.stop(OverBudget::Nodes)),
        }
    }

    fn entry<E: serde::de::Error>(&self, so_far: usize) -> Result<(), E> {
        if so_far < self.entries { Ok(()) } else { Err(self.stop(OverBudget::Entries)) }
    }

    fn stop<E: serde::de::Error>(&self, over_budget: OverBudget) -> E {
        self.over_budget.set(Some(over_budget));
        E::custom("beyond the budget")
    }
}

/// One value of the tree.
#[derive(Clone, Copy)]
struct Node<'c>(&'c Remaining);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.node()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            self.0.entry(list.len())?;
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            self.0.entry(map.len())?;
            if self.0.duplicate_keys == DuplicateKeys::Refused && map.contains_key(&key) {
                return Err(serde::de::Error::custom(format_args!("the key {} is there twice", shown(&key))));
            }
            map.insert(key, access.next_value_seed(self)?);
        }
        Ok(Value::Object(map))
    }
}

/// A key, as an error may repeat it.
fn shown(key: &str) -> String {
    format!("{:?}", key.chars().take(80).collect::<String>())
}

/// JavaScript accepts a surrogate escape without its partner (`"\ud800"`), and the reference stores U+FFFD for it; our parser would refuse it.
fn replace_lone_surrogates(text: &str) -> Cow<'_, str> {
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (unit(escape), escape.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str("\\ufffd");
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            // Two characters, so that the second backslash of an escaped backslash begins nothing.
            _ => escape.char_indices().nth(2).map_or(escape.len(), |(i, _)| i),
        };
        let (kept, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        out.push_str(kept);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The code unit of a `\uXXXX` escape at the beginning.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    fn within(nodes: usize, entries: usize, text: &str) -> Result<Value, JsonError> {
        reading(nodes, entries, text, DuplicateKeys::LastCounts)
    }

    fn reading(nodes: usize, entries: usize, text: &str, duplicate_keys: DuplicateKeys) -> Result<Value, JsonError> {
        tree(text, &Budget { bytes: 0, nodes, entries, window: 0, time: Duration::ZERO }, duplicate_keys)
    }

    /// Story: SCIM took `"active": true` and `"active": false` in one object, and what counted was the last, whatever another reader in between had checked.
    #[test]
    fn a_key_twice_is_refused_where_nothing_else_is_owed() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"b":[{"a":1,"c":2,"\u0061":3}]}"#, r#"{"":0,"":0}"#] {
            assert!(reading(100, 100, text, DuplicateKeys::LastCounts).is_ok(), "{text}");
            let Err(JsonError::Malformed(error)) = reading(100, 100, text, DuplicateKeys::Refused) else { panic!("{text}") };
            assert!(error.to_string().contains("is there twice"), "{error}");
        }
        // The same key in other objects, and in another case, is another one.
        for text in [r#"{"a":{"a":1},"A":[{"a":1},{"a":2}]}"#, "[]", "{}"] {
            assert!(reading(100, 100, text, DuplicateKeys::Refused).is_ok(), "{text}");
        }
        let long = format!("{{\"{0}\":0,\"{0}\":0}}", "k".repeat(5000));
        let Err(JsonError::Malformed(error)) = reading(100, 100, &long, DuplicateKeys::Refused) else { panic!() };
        assert!(error.to_string().len() < 200, "{error}");
    }

    /// Story: 39 bytes of brotli came to 10 MiB of nested lists, and all of them became values before anybody asked who was there.
    #[test]
    fn no_value_is_made_beyond_the_budget() {
        let nested = format!("[{}0]", format!("{}0{},", "[".repeat(100), "]".repeat(100)).repeat(1000));
        let wide = format!("[{}0]", "0,".repeat(100_000));
        let object = format!("{{{}\"z\":0}}", (0..10_000).map(|at| format!("\"k{at}\":0,")).collect::<String>());
        for text in [&nested, &wide, &object] {
            assert!(matches!(within(64, usize::MAX, text), Err(JsonError::OverBudget(OverBudget::Nodes))));
            assert!(matches!(within(usize::MAX, 64, text), Err(JsonError::OverBudget(OverBudget::Entries))));
        }
        // What stands behind the budget is not even looked at for its syntax.
        assert!(matches!(within(2, 9, "[0, 0, nonsense"), Err(JsonError::OverBudget(OverBudget::Nodes))));
    }

    #[test]
    fn within_the_budget_it_is_what_serde_reads() {
        for text in [
            "null",
            "true",
            "-1",
            "18446744073709551615",
            "1.5e3",
            "\"a\\u0041\\n\"",
            "[]",
            "{}",
            "[1,[2,{\"a\":[null]}]]",
            "{\"b\":1,\"a\":2,\"b\":3}",
            "1e999",
            "[1,]",
            "{} {}",
            "[",
            "\"\\x\"",
            "",
            "nul",
        ] {
            match (within(100, 100, text), serde_json::from_str::<Value>(text)) {
                (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{text}"),
                (Err(JsonError::Malformed(ours)), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string(), "{text}"),
                (ours, theirs) => panic!("{text}: {ours:?} but {theirs:?}"),
            }
        }
        assert_eq!(within(3, 2, "[0,0]").unwrap(), json!([0, 0]));
    }

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_kept() {
        for (given, expected) in [
            (r#""\ud800""#, r#""\ufffd""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\uDC00x""#, r#""\ufffdx""#),
            (r#""\ud800\u0041""#, r#""\ufffd\u0041""#),
            (r#""\\ud800""#, r#""\\ud800""#),
            (r#""\ud8""#, r#""\ud8""#),
            ("\"\\ud800\u{e9}", "\"\\ufffd\u{e9}"),
            (r"\ud800\", r"\ufffd\"),
        ] {
            assert_eq!(replace_lone_surrogates(given), expected);
        }
    }
}
