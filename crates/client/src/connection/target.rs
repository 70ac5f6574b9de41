//! What of a URL is signed, and how URLs are put together so that what is signed is what is sent.

use crate::Error;
use falconer_credentials::authority;
use reqwest::Url;
use url::Position;

/// One path segment or query value, percent-encoded (letters, digits and `-_.~` stay).
///
/// Errors: [`Error::Segment`] for `.` and `..`: URLs know no way to send these as a segment, the call would reach another address.
pub fn encode_segment(text: &str) -> Result<String, Error> {
    if text == "." || text == ".." {
        return Err(Error::Segment(text.to_owned()));
    }
    Ok(falconer_wire::urls::encode_segment(text))
}

/// An http or https URL with a host, without user name and password.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("`{text}` is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(format!("`{text}` is not an http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL with a user name or a password in it is refused".to_owned());
    }
    Ok(url)
}

/// Host and port that requests to a service are signed for, as [`Client`](crate::Client) and browsers sign them: the address in its shortest
/// form, IPv6 in brackets, a name in lower case and in ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Such as `notes.example.com` or `[::1]`.
    pub host: String,
    /// Such as 443.
    pub port: u16,
}

impl Origin {
    /// From an origin such as `https://notes.example.com`, with or without a slash at its end. Errors: a sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Origin, String> {
        let url = parse(text)?;
        if url.path() != "/" || text.contains(['?', '#', '@', '\\']) {
            return Err(format!("`{text}` is more than an origin"));
        }
        let target = Target::of(&url);
        if !authority::is_host(target.host) {
            return Err(format!("`{}` is not the name of a host", target.host));
        }
        Ok(Origin { host: target.host.to_owned(), port: target.port })
    }

    /// An origin as browsers write it, in `Origin` headers and where clients compare it: in lower case, without the scheme's own port and without a slash at its end. Errors: as of
    /// [`Origin::parse`].
    pub fn as_sent(text: &str) -> Result<String, String> {
        Origin::parse(text)?;
        Ok(parse(text)?.origin().ascii_serialization())
    }
}

/// What a signature covers of a URL.
pub(crate) struct Target<'a> {
    pub resource: &'a str,
    pub host: &'a str,
    pub port: u16,
}

impl<'a> Target<'a> {
    pub(crate) fn of(url: &'a Url) -> Target<'a> {
        Target {
            resource: &url[Position::BeforePath..Position::AfterQuery],
            host: url.host_str().unwrap_or_default(),
            port: url.port_or_known_default().unwrap_or(0),
        }
    }
}

/// Whether a URL stays on this machine. Proxies of the environment are not asked for those.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(authority::is_loopback)
}

/// Host and port for messages.
pub(crate) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_what_is_sent() {
        for (text, resource, host, port) in [
            ("https://Example.com/a%2Fb?x=%20#f", "/a%2Fb?x=%20", "example.com", 443),
            ("http://example.com", "/", "example.com", 80),
            ("http://[::1]:8080/?", "/?", "[::1]", 8080),
        ] {
            let url = parse(text).unwrap();
            let target = Target::of(&url);
            assert_eq!((target.resource, target.host, target.port), (resource, host, port));
        }
    }

    #[test]
    fn origins_are_as_urls_are_signed() {
        for (text, host, port) in [
            ("https://notes.example.com", "notes.example.com", 443),
            ("http://Notes.Example.com/", "notes.example.com", 80),
            ("http://my_svc:8081", "my_svc", 8081),
            ("http://127.0.0.1:8081", "127.0.0.1", 8081),
            ("https://[::1]", "[::1]", 443),
            ("http://[0:0:0:0:0:0:0:1]:8081", "[::1]", 8081),
            ("https://notes.example.com:443", "notes.example.com", 443),
            ("https://b\u{fc}cher.example", "xn--bcher-kva.example", 443),
        ] {
            assert_eq!(Origin::parse(text), Ok(Origin { host: host.to_owned(), port }), "{text}");
        }
        for wrong in [
            "",
            "notes.example.com",
            "ftp://a",
            "https://",
            "https://:1",
            "https://a/b",
            "https://a?",
            "https://a#",
            "https://u@a",
            "https://a:b",
            "https://a:70000",
            "https://a b",
            "https://a*b",
            "https://[a]",
            "https://[::1",
            "//a",
            "/a",
            "https://a//",
        ] {
            assert!(Origin::parse(wrong).is_err() && Origin::as_sent(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn origins_are_as_browsers_write_them() {
        for (text, sent) in [
            ("https://notes.example.com", "https://notes.example.com"),
            ("HTTPS://Notes.Example.com:443/", "https://notes.example.com"),
            ("http://notes.example.com:80", "http://notes.example.com"),
            ("http://notes.example.com:443", "http://notes.example.com:443"),
            ("http://[0:0:0:0:0:0:0:1]:8081", "http://[::1]:8081"),
            ("https://b\u{fc}cher.example", "https://xn--bcher-kva.example"),
        ] {
            assert_eq!(Origin::as_sent(text).as_deref(), Ok(sent), "{text}");
        }
    }

    #[test]
    fn loopback() {
        for (text, expected) in [
            ("http://localhost:8080", true),
            ("http://a.localhost", true),
            ("http://127.3.2.1", true),
            ("http://[::1]", true),
            ("http://notlocalhost", false),
            ("http://10.0.0.1", false),
            ("http://localhost.example", false),
        ] {
            assert_eq!(is_loopback(&parse(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_cannot_be_called() {
        for text in ["example.com", "ftp://example.com/", "https://a:b@example.com/", "data:,x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_segment_stays_one_segment() {
        assert_eq!(encode_segment("a/b|c d+é").unwrap(), "a%2Fb%7Cc%20d%2B%C3%A9");
        assert!(matches!(encode_segment(".."), Err(Error::Segment(text)) if text == ".."));
        assert_eq!(encode_segment("...").unwrap(), "...");
    }
}
