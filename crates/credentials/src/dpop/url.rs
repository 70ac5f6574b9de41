//! Whether the address in a proof is that of a request (RFC 9449 section 4.3, number 9).
//!
//! Scheme, host, port and path are compared; query and fragment are not. Letter case of scheme and host, the port that a scheme has by itself, an empty path, and percent
//! escapes of what needs none make no difference (RFC 3986 sections 6.2.2.1, 6.2.2.2 and 6.2.3). Segments of dots are not resolved: services read them differently.

use serde::Deserialize;

use crate::hawk::authority;

/// By what a service is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UrlScheme {
    /// `http`
    Http,
    /// `https`
    #[default]
    Https,
}

impl UrlScheme {
    /// The scheme of this name, in lower case.
    pub fn named(name: &str) -> Option<UrlScheme> {
        [UrlScheme::Http, UrlScheme::Https].into_iter().find(|known| known.as_str() == name)
    }

    /// `http` or `https`.
    pub fn as_str(self) -> &'static str {
        match self {
            UrlScheme::Http => "http",
            UrlScheme::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            UrlScheme::Http => 80,
            UrlScheme::Https => 443,
        }
    }
}

/// Whether `htu` names this place.
pub(super) fn is_of(htu: &str, scheme: UrlScheme, host: &str, port: u16, resource: &str) -> bool {
    let Some((written_scheme, rest)) = htu.split_once("://") else { return false };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (written_authority, path) = rest.split_at(end);
    let Some((written_host, written_port)) = authority::read(written_authority) else { return false };
    written_scheme.eq_ignore_ascii_case(scheme.as_str())
        && authority::same_host(written_host, host)
        && written_port.unwrap_or(scheme.port()) == port
        && normalized(path).eq(normalized(resource))
}

/// The path, character by character: whether it is escaped, and which it is.
fn normalized(resource: &str) -> impl Iterator<Item = (bool, u8)> {
    let path = resource.split(['?', '#']).next().unwrap_or_default();
    let mut rest = if path.is_empty() { "/" } else { path }.bytes();
    std::iter::from_fn(move || {
        let byte = rest.next()?;
        if byte != b'%' {
            return Some((!byte.is_ascii(), byte));
        }
        let mut escape = rest.clone();
        let digits = escape.next().and_then(hexadecimal).zip(escape.next().and_then(hexadecimal));
        Some(match digits {
            None => (false, byte),
            Some((high, low)) => {
                rest = escape;
                let escaped = high * 16 + low;
                (!is_unreserved(escaped), escaped)
            }
        })
    })
}

fn hexadecimal(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// RFC 3986 section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_the_same() {
        let is = |htu: &str, resource: &str| is_of(htu, UrlScheme::Https, "notes.example", 443, resource);
        for htu in [
            "https://notes.example/a",
            "https://notes.example:443/a",
            "https://notes.example:/a",
            "HTTPS://Notes.Example/a",
            "https://notes.example/%61",
            "https://notes.example/a?b=c",
            "https://notes.example/a#d",
        ] {
            assert!(is(htu, "/a") && is(htu, "/a?x") && is(htu, "/%61"), "{htu}");
        }
        assert!(is("https://notes.example", "/") && is("https://notes.example?a", "/") && is("https://notes.example/", ""));
        assert!(is("https://notes.example/%e9%2f", "/%E9%2F") && is("https://notes.example/\u{e9}", "/%C3%A9"));
        for (host, htu) in [("::1", "http://[::1]:8080/"), ("[::1]", "http://[::1]:8080/"), ("127.0.0.1", "http://127.0.0.1:8080/")] {
            assert!(is_of(htu, UrlScheme::Http, host, 8080, "/"), "{htu}");
        }
    }

    #[test]
    fn other_addresses_are_others() {
        for htu in [
            "http://notes.example/a",
            "http://notes.example:443/a",
            "https://notes.example:444/a",
            "https://notes.example:0443x/a",
            "https://other.example/a",
            "https://notes.example.other.example/a",
            "https://notes.example@other.example/a",
            "https://ann@notes.example/a",
            "https://notes.example/A",
            "https://notes.example/a/",
            "https://notes.example//a",
            "https://notes.example/b/../a",
            "https://notes.example/./a",
            "https://notes.example/%2561",
            "https://notes.example\\/a",
            "https:notes.example/a",
            "//notes.example/a",
            "/a",
            "notes.example/a",
            "https:///a",
            " https://notes.example/a",
            "https://notes.example /a",
            "",
        ] {
            assert!(!is_of(htu, UrlScheme::Https, "notes.example", 443, "/a"), "{htu}");
        }
        assert!(!is_of("https://notes.example/a/b", UrlScheme::Https, "notes.example", 443, "/a%2Fb"));
        assert!(!is_of("https://notes.example/a%", UrlScheme::Https, "notes.example", 443, "/a%25"));
        assert!(!is_of("https://notes.example/a%3F", UrlScheme::Https, "notes.example", 443, "/a?"));
    }
}
