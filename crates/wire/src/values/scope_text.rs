//! Falconer's scopes as scopes of OAuth 2.
//!
//! A scope of OAuth 2 is made of printable ASCII without blank, `"` and `\` (RFC 6749 section 3.3); Falconer's may hold them. So these three, and `%`, are written
//! as `%20`, `%22`, `%5C` and `%25`. Nothing else is escaped, so that each scope has one spelling; any other `%` is refused.

const ESCAPES: [(char, &str); 4] = [(' ', "%20"), ('"', "%22"), ('\\', "%5C"), ('%', "%25")];

/// A list of scopes as the value of `scope`.
#[must_use]
pub fn write<'a>(scopes: impl IntoIterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for scope in scopes {
        if !text.is_empty() {
            text.push(' ');
        }
        for c in scope.chars() {
            match ESCAPES.iter().find(|(plain, _)| *plain == c) {
                Some((_, escape)) => text.push_str(escape),
                None => text.push(c),
            }
        }
    }
    text
}

/// The scopes of a value of `scope`. `None`: one of them is written as no scope is.
#[must_use]
pub fn read(text: &str) -> Option<Vec<String>> {
    text.split(' ').filter(|token| !token.is_empty()).map(read_one).collect()
}

fn read_one(token: &str) -> Option<String> {
    if token.bytes().any(|byte| !byte.is_ascii_graphic() || matches!(byte, b'"' | b'\\')) {
        return None;
    }
    let mut parts = token.split('%');
    let mut scope = parts.next()?.to_owned();
    for part in parts {
        let (plain, rest) = ESCAPES.iter().find_map(|(plain, escape)| Some((plain, part.strip_prefix(escape.strip_prefix('%')?)?)))?;
        scope.push(*plain);
        scope.push_str(rest);
    }
    Some(scope)
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn each_scope_has_one_spelling() {
        let all: String = (0x20..0x7f).map(char::from).collect();
        for scope in ["notes:read:*", "a b", "say \"x\"", "c:\\d", "100%", "%20", "%2520", all.as_str()] {
            let text = write([scope, "other"]);
            assert_eq!(read(&text), Some(vec![scope.to_owned(), "other".to_owned()]), "{text}");
        }
        assert_eq!(write(["a b", "100%"]), "a%20b 100%25");
        assert_eq!(read("a  b "), Some(vec!["a".to_owned(), "b".to_owned()]), "more than one blank separates too");
        assert_eq!(read(""), Some(vec![]));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in ["%", "a%", "%2", "%5c", "%41", "%zz", "%u0020", "\"a\"", "a\\b", "a\tb", "\u{e9}", "ok %7F"] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
