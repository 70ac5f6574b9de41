//! The session cookie: `__Host-falconer` on an https origin, `falconer` on loopback http.

use http::header::{COOKIE, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue};

use crate::PublicOrigin;

/// The name: the prefix makes browsers insist on Secure, path `/` and no Domain, so that no neighbour host can plant one.
pub fn name(origin: &PublicOrigin) -> &'static str {
    if origin.is_https() { "__Host-falconer" } else { "falconer" }
}

/// The session's value in a request, if it carries one. Of several with our name none counts: a planted one can't be told from ours.
pub fn read<'a>(headers: &'a HeaderMap, origin: &PublicOrigin) -> Option<&'a str> {
    let wanted = name(origin);
    let mut found = None;
    for header in headers.get_all(COOKIE) {
        for pair in header.to_str().ok()?.split(';') {
            let Some((name, value)) = pair.split_once('=') else { continue };
            if name.trim_matches([' ', '\t']) == wanted {
                if found.is_some() {
                    return None;
                }
                found = Some(value.trim_matches([' ', '\t']));
            }
        }
    }
    found.filter(|value| !value.is_empty() && value.len() <= 256)
}

/// `Set-Cookie` for a new session that lasts `seconds`.
///
/// # Errors
/// A value that no header can hold.
pub fn set(origin: &PublicOrigin, value: &str, seconds: i64) -> Result<HeaderValue, InvalidHeaderValue> {
    let secure = if origin.is_https() { "; Secure" } else { "" };
    let name = name(origin);
    let mut header = HeaderValue::try_from(format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// `Set-Cookie` that makes the browser forget it.
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
            set(&https(), "abc", 60).unwrap(),
            "__Host-falconer=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(set(&http(), "abc", 60).unwrap(), "falconer=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Lax");
        assert!(set(&http(), "a\nb", 60).is_err());
    }

    #[test]
    fn reading() {
        assert_eq!(read(&request(&["a=b; __Host-falconer=xyz; c=d"]), &https()), Some("xyz"));
        assert_eq!(read(&request(&["falconer=xyz"]), &https()), None);
        assert_eq!(read(&request(&["falconer=xyz"]), &http()), Some("xyz"));
        assert_eq!(read(&request(&["falconer="]), &http()), None);
        assert_eq!(read(&request(&[]), &http()), None);
        assert_eq!(read(&request(&["falconer=a", "falconer=b"]), &http()), None);
        assert_eq!(read(&request(&[&format!("falconer={}", "a".repeat(300))]), &http()), None);
    }
}
