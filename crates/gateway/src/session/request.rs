use http::{HeaderMap, HeaderName, header};

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether somebody looks at what comes back: a browser that goes to a page. Programs get JSON.
pub(crate) fn wants_page(method: &str, headers: &HeaderMap) -> bool {
    if method != "GET" || headers.contains_key(header::AUTHORIZATION) {
        return false;
    }
    let accepts = accepts_html(headers);
    match (text(headers, MODE), text(headers, DEST)) {
        (Some(mode), destination) => accepts && mode == "navigate" && destination.is_none_or(|destination| destination == "document"),
        (None, _) => accepts,
    }
}

/// Whether somebody sees a refusal: in a window or a frame, also where a form was sent. Programs, and scripts of a page, get JSON.
pub(crate) fn shows_page(headers: &HeaderMap) -> bool {
    !headers.contains_key(header::AUTHORIZATION) && accepts_html(headers) && text(headers, MODE).is_none_or(|mode| mode == "navigate")
}

fn accepts_html(headers: &HeaderMap) -> bool {
    text(headers, header::ACCEPT).is_some_and(|accept| accept.to_ascii_lowercase().contains("text/html"))
}

/// Whether a request that comes with the session's cookie was made by the protected host's own pages, or by the person: another site can make a browser send
/// requests, and the cookie goes along with some of them. What changes something has to say that it is from here; what reads has to not say that it is from
/// elsewhere, unless the person went there. An upgrade (WebSocket) reads and writes, so that it counts as a change; proxies keep it to themselves, and then its
/// `Origin` says where it comes from: no browser sends one of another origin when somebody goes to a page.
pub(crate) fn is_own(method: &str, headers: &HeaderMap, origin: &str) -> bool {
    let site = text(headers, SITE);
    if headers.get_all(header::ORIGIN).iter().any(|from| from.as_bytes() != origin.as_bytes()) {
        return false;
    }
    let changes = !matches!(method, "GET" | "HEAD") || headers.contains_key(header::UPGRADE);
    if changes {
        let says_origin = headers.contains_key(header::ORIGIN);
        return site.map_or(says_origin, |site| site == "same-origin");
    }
    match site {
        None | Some("same-origin" | "none") => true,
        Some(_) => text(headers, MODE) == Some("navigate") && text(headers, DEST).is_none_or(|destination| destination == "document"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn another_site_changes_and_reads_nothing() {
        const ORIGIN: &str = "https://notes.example";
        for (method, pairs, own) in [
            ("POST", &[][..], false),
            ("POST", &[("origin", ORIGIN)], true),
            ("POST", &[("sec-fetch-site", "same-origin")], true),
            ("POST", &[("origin", ORIGIN), ("sec-fetch-site", "same-origin")], true),
            ("POST", &[("origin", "https://evil.example")], false),
            ("POST", &[("origin", "null")], false),
            ("POST", &[("origin", "https://notes.example.evil")], false),
            ("POST", &[("origin", ORIGIN), ("sec-fetch-site", "cross-site")], false),
            ("POST", &[("sec-fetch-site", "same-site")], false),
            ("POST", &[("sec-fetch-site", "none")], false),
            ("DELETE", &[], false),
            ("OPTIONS", &[], false),
            ("GET", &[], true),
            ("GET", &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")], true),
            ("GET", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], true),
            ("GET", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], false),
            ("GET", &[("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")], false),
            ("GET", &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")], false),
            // Behind a proxy that keeps `Upgrade` to itself.
            ("GET", &[("origin", "https://evil.example")], false),
            ("GET", &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], false),
            ("GET", &[("origin", "null")], false),
            ("GET", &[("origin", ORIGIN)], true),
            ("GET", &[("upgrade", "websocket")], false),
            ("GET", &[("upgrade", "websocket"), ("origin", "https://evil.example")], false),
            ("GET", &[("upgrade", "websocket"), ("origin", ORIGIN)], true),
        ] {
            assert_eq!(is_own(method, &headers(pairs), ORIGIN), own, "{method} {pairs:?}");
        }
    }

    #[test]
    fn pages_are_for_those_who_look_at_them() {
        for (method, pairs, page) in [
            ("GET", &[("accept", "text/html,*/*")][..], true),
            ("GET", &[("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")], true),
            ("GET", &[("accept", "text/html"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")], false),
            ("GET", &[("accept", "text/html"), ("sec-fetch-mode", "cors")], false),
            ("GET", &[("accept", "*/*")], false),
            ("GET", &[], false),
            ("POST", &[("accept", "text/html")], false),
            ("GET", &[("accept", "text/html"), ("authorization", "Hawk x")], false),
        ] {
            assert_eq!(wants_page(method, &headers(pairs)), page, "{method} {pairs:?}");
            let in_a_frame = pairs.contains(&("sec-fetch-dest", "iframe"));
            assert_eq!(shows_page(&headers(pairs)), page || method == "POST" || in_a_frame, "{method} {pairs:?}");
        }
    }
}
