use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use falconer_client::Credentials;
use http::{HeaderMap, HeaderValue, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::keys::Key;

/// What a browser keeps of a cookie, with its attributes; more is not set.
const LARGEST: usize = 4000;
/// So long somebody may take at Falconer.
const SIGN_IN_SECONDS: i64 = 3600;
/// So many sign-ins of one browser may be under way: a browser that is started again opens its tabs at once.
const MOST_SIGN_INS: usize = 5;
/// So large the cookie of a sign-in is at most, and all of one browser together. Servers in front of a host refuse a request whose cookies are longer than 8 KiB in one line (nginx), which
/// nobody could sign out of; the session and the cookies of the service need their place too.
const LARGEST_SIGN_IN: usize = 1000;
const MOST_SIGN_IN_BYTES: usize = 3000;
/// So much of a state is in the name of its cookie.
const SIGN_IN_NAME: usize = 8;

/// The cookies of one origin: the session, and one for each sign-in that is under way. All are sealed, and hold their own end.
#[derive(Clone)]
pub(crate) struct Cookies {
    cipher: XChaCha20Poly1305,
    origin: String,
    session: String,
    /// How the names of the others begin.
    sign_in: String,
    attributes: &'static str,
}

/// What lies in the session's cookie.
#[derive(Deserialize, Serialize, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Session {
    id: String,
    token: String,
    certificate: String,
    expires_ms: i64,
}

/// A sign-in that is under way.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PendingSignIn {
    pub(crate) state: String,
    pub(crate) back_to: String,
    pub(crate) expires_ms: i64,
}

/// A session that has not ended.
pub(crate) struct Opened {
    pub(crate) credentials: Credentials,
    pub(crate) expires_ms: i64,
    /// When the credentials were made; `None`: nobody says it.
    begun_ms: Option<i64>,
}

impl Opened {
    /// Whether it ends within `renew_ms`. A session that is shorter than twice that is renewed in its second half: else it would never show a page.
    pub(crate) fn ends_soon(&self, renew_ms: i64, now_ms: i64) -> bool {
        let half_ms = self.begun_ms.map_or(i64::MAX, |begun_ms| self.expires_ms.saturating_sub(begun_ms) / 2);
        self.expires_ms.saturating_sub(now_ms) < renew_ms.min(half_ms)
    }
}

impl Cookies {
    /// For an origin. On https the cookies are bound to the host and never leave TLS; http is for loopback hosts only.
    pub(crate) fn new(key: &Key, origin: &str) -> Cookies {
        let cipher = XChaCha20Poly1305::new(&(*key.derived("falconer gateway: cookies, 1")).into());
        let (prefix, attributes) = if origin.starts_with("https://") {
            ("__Host-", "; Path=/; HttpOnly; SameSite=Lax; Secure")
        } else {
            ("", "; Path=/; HttpOnly; SameSite=Lax")
        };
        let named = |what: &str| format!("{prefix}falconer-gateway{what}");
        Cookies { cipher, origin: origin.to_owned(), session: named(""), sign_in: named("-sign-in-"), attributes }
    }

    /// The session of a request, if it has one that opens and has not ended.
    pub(crate) fn session(&self, headers: &HeaderMap, now_ms: i64) -> Option<Opened> {
        let session: Session = self.open(headers, &self.session)?;
        if session.expires_ms <= now_ms {
            return None;
        }
        let credentials = Credentials::new(session.id.as_str(), session.token.as_str());
        let credentials = credentials.with_certificate(session.certificate.as_str()).ok()?;
        let begun_ms =
            serde_json::from_str::<serde_json::Value>(&session.certificate).ok()?.get("start").and_then(serde_json::Value::as_i64);
        Some(Opened { credentials, expires_ms: session.expires_ms, begun_ms })
    }

    /// Whether there is a session of which nobody here can say whose it is: sealed with another key, damaged, or sent twice.
    pub(crate) fn has_unreadable_session(&self, headers: &HeaderMap) -> bool {
        all(headers, &self.session).next().is_some() && self.open::<Session>(headers, &self.session).is_none()
    }

    /// `None`: the credentials are larger than a cookie.
    pub(crate) fn set_session(&self, credentials: &Credentials, expires_ms: i64, now_ms: i64) -> Option<HeaderValue> {
        let session = Session {
            id: credentials.client_id().to_owned(),
            token: credentials.access_token().expose().to_owned(),
            certificate: credentials.certificate()?.to_owned(),
            expires_ms,
        };
        self.set(&self.session, &session, (expires_ms - now_ms) / 1000)
    }

    /// The sign-in of this state, if this browser began it and it is not over.
    pub(crate) fn sign_in(&self, headers: &HeaderMap, state: &str, now_ms: i64) -> Option<PendingSignIn> {
        let under_way: PendingSignIn = self.open(headers, &self.sign_in_name(state)?)?;
        (under_way.state == state && under_way.expires_ms > now_ms).then_some(under_way)
    }

    /// `None`: where it goes on to is too long.
    pub(crate) fn set_sign_in(&self, state: &str, back_to: &str, now_ms: i64) -> Option<HeaderValue> {
        let expires_ms = now_ms + SIGN_IN_SECONDS * 1000;
        let under_way = PendingSignIn { state: state.to_owned(), back_to: back_to.to_owned(), expires_ms };
        self.set(&self.sign_in_name(state)?, &under_way, SIGN_IN_SECONDS).filter(|cookie| cookie.len() <= LARGEST_SIGN_IN)
    }

    /// Clears what leaves no place for one more sign-in of so many bytes: what opens not, then the oldest.
    pub(crate) fn clear_old_sign_ins(&self, headers: &HeaderMap, next_bytes: usize) -> Vec<HeaderValue> {
        let (mut found, mut bytes): (Vec<(i64, String, usize)>, usize) = (Vec::new(), next_bytes);
        let pairs = headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        for pair in pairs {
            let state = pair.trim_ascii().strip_prefix(self.sign_in.as_bytes()).and_then(|rest| rest.split(|byte| *byte == b'=').next());
            let Some(name) = state.and_then(|state| self.sign_in_name(std::str::from_utf8(state).ok()?)) else { continue };
            bytes += pair.len();
            match found.iter_mut().find(|(_, known, _)| *known == name) {
                Some((_, _, all)) => *all += pair.len(),
                None => {
                    let expires_ms = self.open::<PendingSignIn>(headers, &name).map_or(0, |under_way| under_way.expires_ms);
                    found.push((expires_ms, name, pair.len()));
                }
            }
        }
        found.sort();
        let mut left = found.len() + 1;
        let surplus = found.iter().take_while(|(_, _, size)| {
            let is_surplus = left > MOST_SIGN_INS || bytes > MOST_SIGN_IN_BYTES;
            (left, bytes) = (left - 1, bytes - size);
            is_surplus
        });
        surplus.filter_map(|(_, name, _)| self.cleared(name)).collect()
    }

    /// `None`: a text that is no state.
    fn sign_in_name(&self, state: &str) -> Option<String> {
        let is_state = state.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        state.get(..SIGN_IN_NAME).filter(|_| is_state).map(|first| format!("{}{first}", self.sign_in))
    }

    pub(crate) fn clear_session(&self) -> Option<HeaderValue> {
        self.cleared(&self.session)
    }

    pub(crate) fn clear_sign_in(&self, state: &str) -> Option<HeaderValue> {
        self.cleared(&self.sign_in_name(state)?)
    }

    /// The header without these cookies: the service behind has no use for them. `None`: nothing is left.
    pub(crate) fn without_ours(&self, value: &[u8]) -> Option<Vec<u8>> {
        let left = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|pair| {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
            !pair.is_empty() && name != self.session.as_bytes() && !name.starts_with(self.sign_in.as_bytes())
        });
        let left = left.collect::<Vec<_>>().join(b"; ".as_slice());
        (!left.is_empty()).then_some(left)
    }

    fn cleared(&self, name: &str) -> Option<HeaderValue> {
        HeaderValue::from_str(&format!("{name}=; Max-Age=0{}", self.attributes)).ok()
    }

    fn set<T: Serialize>(&self, name: &str, value: &T, seconds: i64) -> Option<HeaderValue> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(value).ok()?);
        let nonce = falconer_client::system::random::<24>().ok()?;
        let aad = self.place(name);
        let payload = Payload { msg: &plain, aad: aad.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        let text = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        let cookie = format!("{name}={text}; Max-Age={seconds}{}", self.attributes);
        if cookie.len() > LARGEST { None } else { HeaderValue::from_str(&cookie).ok() }
    }

    fn open<T: DeserializeOwned>(&self, headers: &HeaderMap, name: &str) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(find(headers, name)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<24>()?;
        let aad = self.place(name);
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: aad.as_bytes() }).ok()?;
        let plain = zeroize::Zeroizing::new(plain);
        serde_json::from_slice(&plain).ok()
    }

    /// A sealed value opens only as the cookie of this name on this origin.
    fn place(&self, name: &str) -> String {
        format!("{name} {}", self.origin)
    }
}

/// The value of a cookie. `None` too where it was sent twice: nobody can say which one is ours.
fn find<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut found = all(headers, name);
    let first = found.next()?;
    if found.next().is_some() || first.len() > LARGEST { None } else { std::str::from_utf8(first).ok() }
}

/// Every value that was sent under a name. Other cookies of the host may hold bytes that are no ASCII.
fn all<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = &'h [u8]> {
    let pairs = headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(key: char, origin: &str) -> Cookies {
        Cookies::new(&Key::of(&key.to_string().repeat(43)).unwrap(), origin)
    }

    fn sent(set: &HeaderValue) -> String {
        set.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    fn headers(cookie: &str) -> HeaderMap {
        [(header::COOKIE, HeaderValue::from_str(cookie).unwrap())].into_iter().collect()
    }

    #[test]
    fn a_session_opens_on_its_own_origin_until_its_end() {
        let (ours, https) = (cookies('a', "https://notes.example"), "https://notes.example");
        let credentials = Credentials::new("ann/x", "token").with_certificate(r#"{"expiry":1}"#).unwrap();
        let set = ours.set_session(&credentials, 5000, 1000).unwrap();
        assert!(set.to_str().unwrap().starts_with("__Host-falconer-gateway="));
        assert!(set.to_str().unwrap().ends_with("; Max-Age=4; Path=/; HttpOnly; SameSite=Lax; Secure"));
        let cookie = sent(&set);
        assert_eq!(ours.session(&headers(&format!("a=b; {cookie}")), 4999).unwrap().credentials.client_id(), "ann/x");
        assert!(ours.session(&headers(&cookie), 5000).is_none(), "ended");
        assert!(ours.session(&headers(&format!("{cookie}; {cookie}")), 1).is_none(), "twice");
        assert!(cookies('b', https).session(&headers(&cookie), 1).is_none(), "another key");
        assert!(cookies('a', "https://other.example").session(&headers(&cookie), 1).is_none(), "another origin");
        // A cookie of a sign-in is no session, nor the other way round.
        let begun = sent(&ours.set_sign_in("state-of-it", "/", 1000).unwrap());
        assert!(ours.session(&headers(&begun.replace("-sign-in-state-of=", "=")), 1).is_none());
        assert!(
            ours.sign_in(&headers(&begun), "state-of-it", 1).is_some() && ours.sign_in(&headers(&begun), "state-of-other", 1).is_none()
        );
        for (at, letter) in cookie.char_indices().skip("__Host-falconer-gateway=".len()) {
            let mut changed = cookie.clone();
            changed.replace_range(at..=at, if letter == 'A' { "B" } else { "A" });
            // The last letter has bits that stand for nothing; the decoder refuses them.
            assert!(ours.session(&headers(&changed), 1).is_none(), "{at}");
        }
    }

    /// Signing out said that the grant had ended where nobody could read which one; and a cookie of somebody else, with letters that are no ASCII, hid ours.
    #[test]
    fn a_session_that_nobody_can_read_is_told_from_none() {
        let ours = cookies('a', "https://notes.example");
        let credentials = Credentials::new("ann/x", "token").with_certificate(r#"{"expiry":1}"#).unwrap();
        let cookie = sent(&ours.set_session(&credentials, 5000, 1000).unwrap());
        let other_key = sent(&cookies('b', "https://notes.example").set_session(&credentials, 5000, 1000).unwrap());
        for (text, unreadable) in [
            ("a=b", false),
            (&cookie, false),
            (&format!("theirs=caf\u{e9}; {cookie}"), false),
            (&format!("{cookie}; {cookie}"), true),
            (&other_key, true),
            ("__Host-falconer-gateway=x", true),
        ] {
            let headers: HeaderMap = [(header::COOKIE, HeaderValue::from_bytes(text.as_bytes()).unwrap())].into_iter().collect();
            assert_eq!(ours.has_unreadable_session(&headers), unreadable, "{text}");
            assert_eq!(ours.session(&headers, 1).is_some(), !unreadable && text.contains("gateway"), "{text}");
        }
    }

    /// A session as long as `renew_minutes`, or shorter, led to the grant page from each page.
    #[test]
    fn a_short_session_shows_pages_too() {
        let ours = cookies('a', "https://notes.example");
        let opened = |certificate: &str| {
            let credentials = Credentials::new("ann/x", "token").with_certificate(certificate).unwrap();
            ours.session(&headers(&sent(&ours.set_session(&credentials, 700_000, 100_000).unwrap())), 100_000).unwrap()
        };
        let ten_minutes = opened(r#"{"start": 100000, "expiry": 700000}"#);
        for (renew_ms, now_ms, soon) in [
            (3_600_000, 100_000, false),
            (3_600_000, 400_000, false),
            (3_600_000, 400_001, true),
            (60_000, 400_001, false),
            (60_000, 640_000, false),
            (60_000, 640_001, true),
            (0, 699_999, false),
        ] {
            assert_eq!(ten_minutes.ends_soon(renew_ms, now_ms), soon, "{renew_ms} {now_ms}");
        }
        assert!(opened("{}").ends_soon(3_600_000, 100_000), "nobody says when it began");
    }

    #[test]
    fn a_browser_has_some_sign_ins_under_way() {
        let ours = cookies('a', "https://notes.example");
        let state = |number: i64| format!("{number:08}-rest");
        let begun: Vec<String> = (0..6).map(|number| sent(&ours.set_sign_in(&state(number), "/", number).unwrap())).collect();
        let cleared = |jar: &str| {
            let cleared = ours.clear_old_sign_ins(&headers(jar), 300);
            cleared.iter().map(|set| set.to_str().unwrap().split('=').next().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let name = |number: i64| format!("__Host-falconer-gateway-sign-in-{number:08}");
        assert_eq!(cleared(&begun[..4].join("; ")), [""; 0]);
        assert_eq!(cleared(&begun[1..].join("; ")), [name(1)]);
        // What opens not goes first; what is no name of ours is left.
        let jar = format!("{}; {}=x; __Host-falconer-gateway-sign-in-a\tb=y", begun[..4].join("; "), name(77));
        assert_eq!(cleared(&jar), [name(77)]);
    }

    /// Story: three links to long addresses left cookies with which nginx refused every request to the host, for an hour.
    #[test]
    fn sign_ins_of_a_browser_leave_place_for_its_requests() {
        let ours = cookies('a', "https://notes.example");
        let mut jar: Vec<String> = Vec::new();
        for number in 0..20 {
            let long = format!("/{}", "a".repeat(500));
            let set = ours.set_sign_in(&format!("{number:08}-rest"), &long, number).unwrap();
            let cleared = ours.clear_old_sign_ins(&headers(&jar.join("; ")), set.len());
            let cleared: Vec<_> = cleared.iter().map(|set| set.to_str().unwrap().split('=').next().unwrap().to_owned()).collect();
            jar.retain(|cookie| !cleared.iter().any(|name| cookie.starts_with(name.as_str())));
            jar.push(sent(&set));
            assert!(jar.join("; ").len() <= MOST_SIGN_IN_BYTES + 10, "{number}");
        }
        assert!(jar.len() >= 3 && jar.last().unwrap().contains("00000019"));
        assert!(ours.set_sign_in("state-of-it", &format!("/{}", "a".repeat(2700)), 1).is_none());
    }

    #[test]
    fn what_is_ours_is_taken_out() {
        let ours = cookies('a', "http://127.0.0.1:8080");
        let left = |value: &str| ours.without_ours(value.as_bytes()).map(|left| String::from_utf8(left).unwrap());
        assert_eq!(left("a=1; falconer-gateway=x; falconer-gateway-sign-in-abc=y;b=caf\u{e9}").as_deref(), Some("a=1; b=caf\u{e9}"));
        assert_eq!(left("falconer-gateway=x"), None);
        assert_eq!(left("falconer-gatewayx=x").as_deref(), Some("falconer-gatewayx=x"));
    }
}
