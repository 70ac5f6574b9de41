//! The way to Falconer's grant page, and back with credentials. The answer belongs to the browser that asked: its state lies in a cookie of its
//! own, and works once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_client::Credentials;
use http::{HeaderMap, HeaderValue};

use super::cookie::Cookies;
use crate::rules::Target;

/// Where sign-ins begin.
const SIGN_IN: &str = "/.falconer/sign-in";
/// Where Falconer sends the browser back to.
const BACK: &str = "/.falconer/back";

/// What the grant page is asked for.
#[derive(Clone, Debug)]
pub(crate) struct GrantPageRequest {
    pub(crate) falconer: String,
    pub(crate) origin: String,
    pub(crate) description: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) identity: bool,
}

/// What came back.
pub(crate) enum CallbackOutcome {
    /// Credentials: the cookies to set, where to go on, and the clientId.
    Credentials(Vec<HeaderValue>, String, String),
    /// Nothing that this browser asked for.
    NotAskedFor,
    /// Credentials that cannot be kept: too large, or not of the shape that grants have. The cookie to set.
    Unusable(Option<HeaderValue>),
}

/// The address at which somebody signs in and comes back to a path here.
pub(crate) fn sign_in_path(back_to: &str) -> String {
    format!("{SIGN_IN}?to={}", falconer_wire::urls::encode_segment(back_to))
}

/// Whether a text is a path on this very host, read as strictly as the target of a request.
pub(crate) fn is_path_here(text: &str) -> bool {
    Target::read(text).is_ok_and(|target| target.segments().first().is_none_or(|first| first != ".falconer"))
}

/// The address of the grant page, and the cookies to set: one that waits for the answer, and what has to make room for it. `None`: no randomness.
pub(crate) fn begin(
    begin: &GrantPageRequest,
    cookies: &Cookies,
    headers: &HeaderMap,
    back_to: &str,
    now_ms: i64,
) -> Option<(String, Vec<HeaderValue>)> {
    let back_to = if is_path_here(back_to) { back_to } else { "/" };
    let state = URL_SAFE_NO_PAD.encode(falconer_client::system::random::<24>().ok()?);
    // What is too long for a cookie goes on without its query, or at the beginning.
    let without_query = back_to.split('?').next().unwrap_or("/");
    let cookie = [back_to, without_query, "/"].into_iter().find_map(|to| cookies.set_sign_in(&state, to, now_ms))?;
    let encode = falconer_wire::urls::encode_segment;
    let target = format!("{}{BACK}?state={state}", begin.origin);
    let mut url = format!("{}/?target={}&description={}", begin.falconer, encode(&target), encode(&begin.description));
    for scope in &begin.scopes {
        url.push_str("&scope=");
        url.push_str(&encode(scope));
    }
    if begin.identity {
        url.push_str("&identity=true");
    }
    let mut set = cookies.clear_old_sign_ins(headers, cookie.len());
    set.push(cookie);
    Some((url, set))
}

/// Reads the answer out of the query of [`BACK`].
pub(crate) fn came_back(query: &str, headers: &HeaderMap, cookies: &Cookies, now_ms: i64) -> CallbackOutcome {
    let value = |wanted: &str| {
        let mut found =
            url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
        // Twice is nobody's answer.
        found.next().filter(|_| found.next().is_none())
    };
    let of_cookie = value("state").and_then(|state| cookies.sign_in(headers, &state, now_ms));
    let Some(under_way) = of_cookie else { return CallbackOutcome::NotAskedFor };
    let kept = || {
        let credentials = Credentials::new(value("clientId")?, value("accessToken")?).with_certificate(value("certificate")?).ok()?;
        let expires_ms = credentials.expires_ms().filter(|expires_ms| *expires_ms > now_ms)?;
        let set = vec![cookies.set_session(&credentials, expires_ms, now_ms)?, cookies.clear_sign_in(&under_way.state)?];
        Some((set, credentials.client_id().to_owned()))
    };
    match kept() {
        Some((set, client_id)) => {
            let to = if is_path_here(&under_way.back_to) { under_way.back_to } else { "/".to_owned() };
            CallbackOutcome::Credentials(set, to, client_id)
        }
        None => CallbackOutcome::Unusable(cookies.clear_sign_in(&under_way.state)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Key;
    use http::header;

    #[test]
    fn back_to_a_path_of_this_host_only() {
        for (text, here) in [
            ("/", true),
            ("/books/red?x=https://evil.example//", true),
            ("", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("/%5Cevil.example", false),
            ("https://evil.example/", false),
            ("/\t/evil.example", false),
            ("javascript:alert(1)", false),
            ("/.falconer/sign-in", false),
            ("/a\r\nSet-Cookie: x", false),
        ] {
            assert_eq!(is_path_here(text), here, "{text:?}");
        }
    }

    #[test]
    fn an_answer_belongs_to_the_browser_that_asked() {
        let cookies = Cookies::new(&Key::of(&"k".repeat(43)).unwrap(), "https://notes.example");
        let asks = GrantPageRequest {
            falconer: "https://auth.example".to_owned(),
            origin: "https://notes.example".to_owned(),
            description: "A & b".to_owned(),
            scopes: vec!["notes:read:*".to_owned()],
            identity: true,
        };
        let (url, set) = begin(&asks, &cookies, &HeaderMap::new(), "/books?x=1", 1000).unwrap();
        let [set] = &set[..] else { panic!() };
        let state = url.split("state%3D").nth(1).unwrap().split('&').next().unwrap();
        assert_eq!(
            url,
            format!(
                "https://auth.example/?target=https%3A%2F%2Fnotes.example%2F.falconer%2Fback%3Fstate%3D{state}&description=A%20%26%20b&scope=notes%3Aread%3A%2A&identity=true"
            )
        );
        let jar: HeaderMap = [(header::COOKIE, set.to_str().unwrap().split(';').next().unwrap().parse().unwrap())].into_iter().collect();
        let answer = format!("state={state}&clientId=ann%2Fx&accessToken=t&certificate=%7B%22expiry%22%3A9000%7D");
        let CallbackOutcome::Credentials(set, to, _) = came_back(&answer, &jar, &cookies, 2000) else { panic!() };
        assert_eq!((set.len(), to.as_str()), (2, "/books?x=1"));
        // Another tab that is on its way: each has its own, whichever is back first. One took the place of the other.
        let (other, other_set) = begin(&asks, &cookies, &jar, "/other", 1500).unwrap();
        let other_state = other.split("state%3D").nth(1).unwrap().split('&').next().unwrap();
        let both = [jar["cookie"].to_str().unwrap(), other_set[0].to_str().unwrap().split(';').next().unwrap()].join("; ");
        let both: HeaderMap = [(header::COOKIE, both.parse().unwrap())].into_iter().collect();
        for (state, path) in [(state, "/books?x=1"), (other_state, "/other")] {
            let answer = format!("state={state}&clientId=ann%2Fx&accessToken=t&certificate=%7B%22expiry%22%3A9000%7D");
            let CallbackOutcome::Credentials(set, to, _) = came_back(&answer, &both, &cookies, 2000) else { panic!() };
            let cleared = format!("__Host-falconer-gateway-sign-in-{}=; Max-Age=0", &state[..8]);
            assert!(to == path && set[1].to_str().unwrap().starts_with(&cleared), "{set:?}");
        }
        // What is too long goes on without its query, or at the beginning.
        for (to, kept) in [(format!("/books?x={}", "a".repeat(1000)), "/books"), (format!("/{}", "a".repeat(1000)), "/")] {
            let (url, set) = begin(&asks, &cookies, &HeaderMap::new(), &to, 1000).unwrap();
            let state = url.split("state%3D").nth(1).unwrap().split('&').next().unwrap();
            let jar = [(header::COOKIE, set[0].to_str().unwrap().split(';').next().unwrap().parse().unwrap())].into_iter().collect();
            assert_eq!(cookies.sign_in(&jar, state, 2000).unwrap().back_to, kept);
        }
        let refused = |query: &str, jar: &HeaderMap, now_ms: i64| match came_back(query, jar, &cookies, now_ms) {
            CallbackOutcome::Credentials(..) => "accepted",
            CallbackOutcome::NotAskedFor => "not asked for",
            CallbackOutcome::Unusable(_) => "unusable",
        };
        assert_eq!(refused(&answer, &HeaderMap::new(), 2000), "not asked for", "another browser");
        assert_eq!(refused(&answer, &jar, 1000 + 3_600_000), "not asked for", "an hour later");
        assert_eq!(refused(&answer.replace("state=", "state=x"), &jar, 2000), "not asked for");
        assert_eq!(refused(&format!("{answer}&state={state}"), &jar, 2000), "not asked for", "twice");
        assert_eq!(refused(&answer, &jar, 9000), "unusable", "the grant has ended");
        assert_eq!(refused(&format!("{answer}&accessToken=u"), &jar, 2000), "unusable", "twice");
        assert_eq!(refused(&format!("state={state}"), &jar, 2000), "unusable");
        assert_eq!(refused(&answer.replace("certificate=", "certificate=x"), &jar, 2000), "unusable");
    }
}
