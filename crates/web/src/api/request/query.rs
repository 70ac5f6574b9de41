//! The query string (`auth-api.md` section 3, "400 from the framework").

use std::borrow::Cow;

use falconer_wire::Method;
use percent_encoding::percent_decode_str;

/// Decoded pairs in the order in which their keys first appear; a repeated key has several values.
pub(crate) struct Query(Vec<(String, Vec<String>)>);

impl Query {
    /// `+` is a space, a bad escape stays as it is, a key without `=` has an empty value, empty pairs are skipped.
    pub(crate) fn parse(raw: &str) -> Query {
        let mut pairs: Vec<(String, Vec<String>)> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key), decode(value));
            match pairs.iter_mut().find(|(k, _)| *k == key) {
                Some((_, values)) => values.push(value),
                None => pairs.push((key, vec![value])),
            }
        }
        Query(pairs)
    }

    /// The first value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).and_then(|(_, values)| values.first()).map(String::as_str)
    }

    /// Whether the key is there at all.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.iter().any(|(k, _)| k == key)
    }

    /// Everything that is wrong with it for this method, a line each.
    pub(crate) fn check(&self, method: &Method) -> Result<(), String> {
        let wrong: Vec<String> = self.0.iter().filter_map(|(key, values)| complaint(method, key, values)).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }
}

fn complaint(method: &Method, key: &str, values: &[String]) -> Option<String> {
    if key == "bewit" {
        return None;
    }
    let Some(declared) = method.query.iter().find(|q| q.name == key) else {
        return Some(format!("Query-string parameter: {key} is not supported!"));
    };
    let [value] = values else {
        return Some(format!("Query-string parameter: {key} must be a string!"));
    };
    let pattern = declared.pattern?;
    (!(pattern.matches)(value))
        .then(|| format!("Query-string parameter: {key}=\"{value}\" does not match expression: /{}/", pattern.source))
}

fn decode(raw: &str) -> String {
    let spaced: Cow<'_, str> = if raw.contains('+') { raw.replace('+', " ").into() } else { raw.into() };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_queries() {
        let query = Query::parse("&&a=1+2&b&c=%zz&d=%41&a=3&bewit=x&bewit=y&e[]=1&=z");
        assert_eq!(query.get("a"), Some("1 2"));
        assert_eq!(query.get("b"), Some(""));
        assert_eq!(query.get("c"), Some("%zz"));
        assert_eq!(query.get("d"), Some("A"));
        assert!(query.has("e[]") && query.has("") && !query.has("e"));
    }
}
