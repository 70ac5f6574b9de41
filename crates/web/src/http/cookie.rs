//! Our cookies: the session's, `__Host-falconer` on an https origin and `falconer` on loopback http, and one for the forms of people who
//! have no session yet, with `-form` behind. The second one stays when a session ends: sign-in knows the browser by it. What a browser keeps while it is
//! at an identity provider has `-away-0` or `-away-1` behind.

use http::header::{COOKIE, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue};

use crate::PublicOrigin;

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of a session.
    Session,
    /// Of a form before there is a session.
    Form,
    /// Of a sign-in with an identity provider that is under way. Two at once, so that two tabs both work; no more, because all of them are sent with each
    /// request.
    PendingSignIn(Slot),
}

/// One of the two sign-ins that can be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// `-away-0`
    First,
    /// `-away-1`
    Second,
}

/// The name: the prefix makes browsers insist on Secure, path `/` and no Domain, so that no neighbour host can plant one.
pub fn name(origin: &PublicOrigin, kind: Kind) -> &'static str {
    match (kind, origin.is_https()) {
        (Kind::Session, true) => "__Host-falconer",
        (Kind::Session, false) => "falconer",
        (Kind::Form, true) => "__Host-falconer-form",
        (Kind::Form, false) => "falconer-form",
        (Kind::PendingSignIn(Slot::First), true) => "__Host-falconer-away-0",
        (Kind::PendingSignIn(Slot::First), false) => "falconer-away-0",
        (Kind::PendingSignIn(Slot::Second), true) => "__Host-falconer-away-1",
        (Kind::PendingSignIn(Slot::Second), false) => "falconer-away-1",
    }
}

/// The cookie's value in a request, if it carries one. Of several with our name none counts: a planted one can't be told from ours.
pub fn read<'a>(headers: &'a HeaderMap, origin: &PublicOrigin, kind: Kind) -> Option<&'a str> {
    let wanted = name(origin, kind);
    let mut found = None;
    for header in headers.get_all(COOKIE) {
        for pair in header.as_bytes().split(|byte| *byte == b';') {
            // Cookies of a neighbour stand in the same header, and hold any bytes; no pair of ours does.
            let Some((name, value)) = std::str::from_utf8(pair).ok().and_then(|pair| pair.split_once('=')) else { continue };
            if name.trim_matches([' ', '\t']) == wanted {
                if found.is_some() {
                    return None;
                }
                found = Some(value.trim_matches([' ', '\t']));
            }
        }
    }
    let most = if matches!(kind, Kind::PendingSignIn(_)) { 4096 } else { 256 };
    found.filter(|value| !value.is_empty() && value.len() <= most && value.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// `Set-Cookie`; one without `seconds` ends with the browser.
///
/// # Errors
/// A value that no header can hold.
pub fn set(origin: &PublicOrigin, kind: Kind, value: &str, seconds: Option<i64>) -> Result<HeaderValue, InvalidHeaderValue> {
    let name = name(origin, kind);
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let secure = if origin.is_https() { "; Secure" } else { "" };
    let mut header = HeaderValue::try_from(format!("{name}={value}; Path=/{age}; HttpOnly; SameSite=Lax{secure}"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// `Set-Cookie` that makes the browser forget the session.
pub fn clear(origin: &PublicOrigin) -> HeaderValue {
    HeaderValue::from_static(if origin.is_https() {
        "__Host-falconer=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"
    } else {
        "falconer=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn https() -> PublicOrigin {
        PublicOrigin::parse("https://auth.example.com").unwrap()
    }

    fn http() -> PublicOrigin {
        PublicOrigin::parse("http://localhost:8080").unwrap()
    }

    fn request(cookies: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, cookie.parse().unwrap());
        }
        headers
    }

    #[test]
    fn attributes() {
        assert_eq!(
            set(&https(), Kind::Session, "abc", Some(60)).unwrap(),
            "__Host-falconer=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(set(&http(), Kind::Session, "abc", Some(60)).unwrap(), "falconer=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        assert_eq!(set(&https(), Kind::Form, "abc", None).unwrap(), "__Host-falconer-form=abc; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert!(set(&http(), Kind::Session, "a\nb", None).is_err());
    }

    #[test]
    fn reading() {
        assert_eq!(read(&request(&["a=b; __Host-falconer=xyz; c=d"]), &https(), Kind::Session), Some("xyz"));
        assert_eq!(read(&request(&["falconer=xyz"]), &https(), Kind::Session), None);
        assert_eq!(read(&request(&["falconer=xyz"]), &http(), Kind::Session), Some("xyz"));
        assert_eq!(read(&request(&["falconer="]), &http(), Kind::Session), None);
        assert_eq!(read(&request(&[]), &http(), Kind::Session), None);
        // What neighbours have planted signs nobody out.
        for neighbour in [b"name=Jos\xC3\xA9".as_slice(), b"name=\xFF", b"\xE9"] {
            let headers = |cookies: &[&[u8]]| {
                let mut headers = HeaderMap::new();
                headers.append(COOKIE, HeaderValue::from_bytes(&cookies.join(b"; ".as_slice())).unwrap());
                headers
            };
            assert_eq!(read(&headers(&[neighbour, b"falconer=xyz"]), &http(), Kind::Session), Some("xyz"));
            assert_eq!(read(&headers(&[b"falconer=xyz", neighbour]), &http(), Kind::Session), Some("xyz"));
            assert_eq!(read(&headers(&[b"falconer=xyz\xC3\xA9"]), &http(), Kind::Session), None);
        }
        assert_eq!(read(&request(&["falconer=a", "falconer=b"]), &http(), Kind::Session), None);
        assert_eq!(read(&request(&[&format!("falconer={}", "a".repeat(300))]), &http(), Kind::Session), None);
    }
}
