//! Whether a POST comes from one of our own pages: before the session's token is even looked at.

use http::HeaderMap;
use http::header::ORIGIN;

use crate::PublicOrigin;
use crate::http::only::the_only;

/// `Origin` is the public origin, or, where the browser sent none (or `null`), `Sec-Fetch-Site` says `same-origin`.
///
/// An `Origin` of somebody else is refused whatever `Sec-Fetch-Site` says: a name that an attacker rebinds to our address is "same-origin" too.
/// A browser without either header gets no form through; there is none that is still supported.
pub fn is_own_page(headers: &HeaderMap, origin: &PublicOrigin) -> bool {
    let site = headers.get("sec-fetch-site").map(http::HeaderValue::as_bytes);
    let Ok(given) = the_only(headers, &ORIGIN) else { return false };
    match given.map(http::HeaderValue::as_bytes) {
        Some(given) if given == origin.as_str().as_bytes() => matches!(site, None | Some(b"same-origin")),
        Some(b"null") | None => site == Some(b"same-origin"),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let ours = PublicOrigin::parse("https://auth.example.com").unwrap();
        for (origin, site, expected) in [
            (Some("https://auth.example.com"), None, true),
            (Some("https://auth.example.com"), Some("same-origin"), true),
            (Some("https://auth.example.com"), Some("cross-site"), false),
            (Some("https://auth.example.com:443"), None, false),
            (Some("http://auth.example.com"), None, false),
            (Some("https://evil.example"), None, false),
            (Some("https://evil.example"), Some("same-origin"), false),
            (Some("null"), None, false),
            (Some("null"), Some("same-origin"), true),
            (Some("null"), Some("cross-site"), false),
            (None, None, false),
            (None, Some("same-origin"), true),
            (None, Some("same-site"), false),
            (None, Some("none"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            if let Some(site) = site {
                headers.insert("sec-fetch-site", site.parse().unwrap());
            }
            assert_eq!(is_own_page(&headers, &ours), expected, "{origin:?} {site:?}");
        }
        let mut two = HeaderMap::new();
        two.append(ORIGIN, "https://auth.example.com".parse().unwrap());
        two.append(ORIGIN, "https://evil.example".parse().unwrap());
        assert!(!is_own_page(&two, &ours));
    }
}
