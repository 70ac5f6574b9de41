//! The query string.

use std::borrow::Cow;

use falconer_wire::Method;
use percent_encoding::percent_decode_str;

use crate::api::answer::echo;

/// Of more pairs than this none is looked at: no method takes half a dozen, and each is compared with those before it.
const MOST_PAIRS: usize = 64;

/// Decoded pairs in the order in which their keys first appear; a repeated key has several values.
pub(crate) struct Query {
    pairs: Vec<(String, Vec<String>)>,
    too_many: bool,
}

impl Query {
    /// `+` is a space, a bad escape stays as it is, a key without `=` has an empty value, empty pairs are skipped.
    pub(crate) fn parse(raw: &str) -> Query {
        let mut pairs: Vec<(String, Vec<String>)> = Vec::new();
        let given = || raw.split('&').filter(|pair| !pair.is_empty());
        let too_many = given().nth(MOST_PAIRS).is_some();
        for pair in given().take(MOST_PAIRS) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (decode(key), decode(value));
            match pairs.iter_mut().find(|(k, _)| *k == key) {
                Some((_, values)) => values.push(value),
                None => pairs.push((key, vec![value])),
            }
        }
        Query { pairs, too_many }
    }

    /// The first value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(k, _)| k == key).and_then(|(_, values)| values.first()).map(String::as_str)
    }

    /// Everything that is wrong with it for this method, a line each.
    pub(crate) fn check(&self, method: &Method) -> Result<(), String> {
        if self.too_many {
            return Err(format!("Query-string: more than {MOST_PAIRS} parameters are not supported!"));
        }
        let wrong: Vec<String> = self.pairs.iter().filter_map(|(key, values)| fault(method, key, values)).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }
}

fn fault(method: &Method, key: &str, values: &[String]) -> Option<String> {
    if key == "bewit" {
        return None;
    }
    let Some(declared) = method.query.iter().find(|q| q.name == key) else {
        return Some(format!("Query-string parameter: {} is not supported!", echo::shown(key)));
    };
    let [value] = values else {
        return Some(format!("Query-string parameter: {key} must be a string!"));
    };
    let pattern = declared.pattern?;
    (!(pattern.matches)(value))
        .then(|| format!("Query-string parameter: {key}=\"{}\" does not match expression: /{}/", echo::shown(value), pattern.source))
}

fn decode(raw: &str) -> String {
    let spaced: Cow<'_, str> = if raw.contains('+') { raw.replace('+', " ").into() } else { raw.into() };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Story: 16 KiB of different keys were compared each with each, 28 ms a request, for anybody.
    #[test]
    fn a_query_of_too_many_parameters_is_refused_unread() {
        let raw = |pairs: usize| (0..pairs).map(|at| format!("k{at}=&")).collect::<String>();
        let method = Method::of(falconer_wire::Call::Ping).unwrap();
        assert_eq!(Query::parse(&raw(MOST_PAIRS)).check(method).unwrap_err().lines().count(), MOST_PAIRS);
        let more = Query::parse(&raw(4000));
        assert_eq!(more.pairs.len(), MOST_PAIRS);
        assert_eq!(more.check(method), Err("Query-string: more than 64 parameters are not supported!".to_owned()));
    }

    #[test]
    fn odd_queries() {
        let query = Query::parse("&&a=1+2&b&c=%zz&d=%41&a=3&bewit=x&bewit=y&e[]=1&=z");
        assert_eq!(query.get("a"), Some("1 2"));
        assert_eq!(query.get("b"), Some(""));
        assert_eq!(query.get("c"), Some("%zz"));
        assert_eq!(query.get("d"), Some("A"));
        assert!(query.get("e[]").is_some() && query.get("").is_some() && query.get("e").is_none());
    }
}
