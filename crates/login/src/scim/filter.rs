//! Filters of lists and of paths (RFC 7644 sections 3.4.2.2 and 3.10): comparisons with `eq`, joined by `and`.

use serde_json::Value;

use super::error::{ScimError, ScimFault, shown, wrong};

/// The longest filter, in bytes.
const LONGEST: usize = 2000;
/// So many comparisons at most.
const MOST_TERMS: usize = 8;

/// `<attribute> eq <value>`
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// As it was written.
    pub attribute: String,
    /// A text, a truth or a number.
    pub value: Value,
}

/// Where a change goes: `members`, `name.givenName`, `emails[type eq "work"].value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// As it was written, without the schema in front.
    pub attribute: String,
    /// What chooses values of several.
    pub filter: Option<Vec<Term>>,
    /// The part of a value.
    pub part: Option<String>,
}

/// Reads a filter.
pub fn read_filter(text: &str) -> Result<Vec<Term>, ScimError> {
    let refused = |why: &str| wrong(ScimFault::Filter, format!("the filter {} can't be used: {why}", shown(text)));
    if text.len() > LONGEST {
        return refused("it is too long");
    }
    let mut terms = Vec::new();
    let mut rest = text.trim();
    loop {
        if terms.len() == MOST_TERMS {
            return refused("it compares too much");
        }
        let Some((attribute, behind)) = rest.split_once(' ') else { return refused("write `<attribute> eq <value>`") };
        if !is_name(attribute) {
            return refused("only `eq` and `and` are known here");
        }
        let Some((operator, behind)) = behind.trim_start().split_once(' ') else { return refused("write `<attribute> eq <value>`") };
        if !operator.eq_ignore_ascii_case("eq") {
            return refused("only `eq` and `and` are known here");
        }
        let behind = behind.trim_start();
        let mut values = serde_json::Deserializer::from_str(behind).into_iter::<Value>();
        let Some(Ok(value @ (Value::String(_) | Value::Bool(_) | Value::Number(_)))) = values.next() else {
            return refused("a value is a text in quotes, a number, true or false");
        };
        let Some(behind) = behind.get(values.byte_offset()..) else { return refused("it ends early") };
        terms.push(Term { attribute: attribute.to_owned(), value });
        if behind.trim().is_empty() {
            return Ok(terms);
        }
        let joined = behind.trim_start();
        let Some((word, behind_and)) = joined.split_once(' ') else { return refused("it ends early") };
        if joined.len() == behind.len() || !word.eq_ignore_ascii_case("and") {
            return refused("only `eq` and `and` are known here");
        }
        rest = behind_and.trim_start();
    }
}

/// Reads a path. `None`: it leads into an extension, of which nothing is kept.
pub(crate) fn read_path(text: &str, schema: &str) -> Result<Option<Path>, ScimError> {
    let refused = || wrong(ScimFault::Path, format!("the path {} can't be used", shown(text)));
    if text.len() > LONGEST {
        return refused();
    }
    let mut rest = text.trim();
    if rest.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:")) {
        match rest.get(..schema.len()).zip(rest.get(schema.len()..)) {
            Some((start, behind)) if start.eq_ignore_ascii_case(schema) && behind.starts_with(':') => {
                rest = behind.get(1..).unwrap_or_default()
            }
            // What looks like ours and is not would be passed over, and told as done.
            _ if is_of_the_core(rest) => return refused(),
            _ => return Ok(None),
        }
    }
    let (head, filter, behind) = match rest.split_once('[') {
        Some((head, behind)) => {
            let Some((filter, behind)) = behind.rsplit_once(']') else { return refused() };
            (head, Some(read_filter(filter)?), behind)
        }
        None => match rest.split_once('.') {
            Some((head, _)) => (head, None, rest.get(head.len()..).unwrap_or_default()),
            None => (rest, None, ""),
        },
    };
    let part = match behind {
        "" => None,
        part => match part.strip_prefix('.').filter(|part| is_name(part)) {
            Some(part) => Some(part.to_owned()),
            None => return refused(),
        },
    };
    if !is_name(head) {
        return refused();
    }
    Ok(Some(Path { attribute: head.to_owned(), filter, part }))
}

/// Whether a name begins with that of a schema that SCIM itself defines, of this or an earlier version: nothing of these is an extension.
pub(crate) fn is_of_the_core(name: &str) -> bool {
    let begins = |start: &str| name.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    begins("urn:ietf:params:scim:schemas:core:") || begins("urn:scim:schemas:core:")
}

/// `ALPHA *(nameChar)`; a schema or a part may be in front or behind.
fn is_name(text: &str) -> bool {
    text.len() <= 200
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '$' | '.' | ':'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn filters() {
        let read =
            |text: &str| read_filter(text).map(|terms| terms.into_iter().map(|term| (term.attribute, term.value)).collect::<Vec<_>>());
        assert_eq!(read(r#"userName eq "a\"b ] and""#), Ok(vec![("userName".into(), json!("a\"b ] and"))]));
        assert_eq!(read(r#"id EQ "1"  AND active eq true"#), Ok(vec![("id".into(), json!("1")), ("active".into(), json!(true))]));
        for wrong in [
            "",
            "userName",
            "userName eq",
            "userName eq ",
            "userName pr",
            r#"userName co "a""#,
            r#"userName eq "a"#,
            "userName eq a",
            r#"userName eq "a" or id eq "b""#,
            r#"(userName eq "a")"#,
            r#"not (userName eq "a")"#,
            r#"userName eq "a"and id eq "b""#,
            r#"userName eq "a" and"#,
            r#"userName eq "a" and "#,
            "userName eq [1]",
            "userName eq {}",
            "userName eq null",
            r#"emails[type eq "work"] eq "a""#,
            r#"userName eq "a"; DROP TABLE x"#,
            r#"' eq "a""#,
        ] {
            assert!(matches!(read(wrong), Err(ScimError::Wrong(ScimFault::Filter, _))), "{wrong}");
        }
        assert!(read(&[r#"id eq "1""#; 8].join(" and ")).is_ok());
        assert!(read(&[r#"id eq "1""#; 9].join(" and ")).is_err());
    }

    #[test]
    fn paths() {
        let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
        let read = |text: &str| read_path(text, schema);
        let path = |attribute: &str, part: Option<&str>| {
            Ok(Some(Path { attribute: attribute.into(), filter: None, part: part.map(str::to_owned) }))
        };
        assert_eq!(read("active"), path("active", None));
        assert_eq!(read("name.givenName"), path("name", Some("givenName")));
        assert_eq!(read("URN:ietf:params:scim:schemas:core:2.0:User:userName"), path("userName", None));
        assert_eq!(read("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"), Ok(None));
        let work = read(r#"emails[type eq "work"].value"#).unwrap().unwrap();
        assert_eq!((work.filter.unwrap()[0].value.clone(), work.part), (json!("work"), Some("value".into())));
        for wrong in ["", "a b", "[", "a[", "a[]", "a]", "a.", ".a", "a[x eq 1]b", "a[x eq 1].", "é", "1a"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
