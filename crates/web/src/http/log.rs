//! What may be written about a request: the one place where secrets are taken out, for the pages and for the API.

use std::fmt;

use falconer_auth::is_unseen;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers whose values never reach a log. `Location` delivers credentials; `Referer` may hold what an address bar held.
const SECRET_HEADERS: [&str; 8] =
    ["authorization", "proxy-authorization", "cookie", "set-cookie", "location", "referer", "www-authenticate", "server-authorization"];

/// Query parameters whose values may be logged, where they look like one of theirs: somebody may put a secret into any. All others may hold secrets or somebody's words.
const OPEN_PARAMETERS: [&str; 5] = ["limit", "format", "since", "response_mode", "done"];
/// The same of one whose values are names that anybody may have chosen.
const OPEN_NAME: &str = "prefix";
/// Longest value of an open parameter, in bytes.
const LONGEST_OPEN: usize = 20;

/// Replaces a secret.
const REDACTED: &str = "...";

/// What the log says of a request that was answered.
pub struct RequestLine<'r> {
    /// By which it can be found.
    pub id: RequestId,
    /// `GET`
    pub method: &'r http::Method,
    /// What was asked for; only [`RequestLine::path`] of it may be written.
    pub uri: &'r http::Uri,
    /// Of the answer.
    pub status: http::StatusCode,
    /// From the head of the request to the head of the answer.
    pub microseconds: u64,
    /// Why a signature was not accepted, or could not be judged: the label `reason` of `falconer_verdicts` (`docs/metrics.md`).
    pub reason: Option<&'static str>,
}

impl RequestLine<'_> {
    /// Under which the lines of requests are filtered.
    pub const TARGET: &'static str = "falconer_web::request";

    /// Path and query without secrets.
    pub fn path(&self) -> PathAndQuery<'_> {
        PathAndQuery(self.uri)
    }
}

/// Where the lines of requests go that are neither errors nor filtered away.
pub trait RequestLog: Send + Sync {
    /// One line.
    fn note(&self, line: &RequestLine<'_>);
}

/// To `tracing`, as everything else.
pub struct Traced;

impl RequestLog for Traced {
    fn note(&self, line: &RequestLine<'_>) {
        let RequestLine { id, method, status, microseconds, reason, .. } = line;
        tracing::info!(target: RequestLine::TARGET, %id, %method, path = %line.path(), status = status.as_u16(), microseconds, reason, "request");
    }
}

/// A path with its query, values left out unless they are known to be harmless: `/api/x?limit=5&bewit=...`.
pub struct PathAndQuery<'a>(pub &'a http::Uri);

impl PathAndQuery<'_> {
    /// Writes it without a formatter, which every request would pay for.
    pub fn write_to(&self, out: &mut impl fmt::Write) -> fmt::Result {
        write_visible(out, self.0.path())?;
        for (at, pair) in self.0.query().into_iter().flat_map(|query| query.split('&')).take(32).enumerate() {
            out.write_char(if at == 0 { '?' } else { '&' })?;
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if name == OPEN_NAME || (OPEN_PARAMETERS.contains(&name) && is_plain_value(value)) {
                write_visible(out, pair)?;
            } else if is_plain_name(name) {
                out.write_str(name)?;
                if !value.is_empty() {
                    out.write_char('=')?;
                    out.write_str(REDACTED)?;
                }
            } else {
                out.write_str(REDACTED)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for PathAndQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_to(f)
    }
}

/// A number, an instant or a word.
fn is_plain_value(value: &str) -> bool {
    value.len() <= LONGEST_OPEN
        && value.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-' | b'.'))
}

/// The one place where text of a request becomes text of a log line or a terminal: what would steer either is written as `\u{9b}`.
pub(crate) fn write_visible(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    if text.is_ascii() && !text.bytes().any(|byte| byte.is_ascii_control()) {
        return out.write_str(text);
    }
    text.chars().try_for_each(|c| if is_unseen(c) { write!(out, "{}", c.escape_unicode()) } else { out.write_char(c) })
}

/// A broken link may have put the secret where the name belongs.
fn is_plain_name(name: &str) -> bool {
    (1..=20).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

/// Headers for a log line at debug level, secrets left out.
pub struct Headers<'a>(pub &'a HeaderMap);

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(name, value)| (name.as_str(), shown(name, value)))).finish()
    }
}

fn shown<'a>(name: &HeaderName, value: &'a HeaderValue) -> &'a str {
    if value.is_sensitive() || SECRET_HEADERS.contains(&name.as_str()) {
        return REDACTED;
    }
    value.to_str().unwrap_or(REDACTED)
}

/// The id of a request, eight letters and digits in two groups (`7kq2-x9mf`): in its log line, in its error page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId([u8; 9]);

impl RequestId {
    /// From five random bytes, in letters and digits that nobody confuses on the telephone.
    pub fn new(random: [u8; 5]) -> Self {
        const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut bits = random.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        let mut text = [b'-'; 9];
        for (at, slot) in text.iter_mut().enumerate() {
            if at != 4 {
                *slot = ALPHABET.get((bits & 31) as usize).copied().unwrap_or(b'0');
                bits >>= 5;
            }
        }
        RequestId(text)
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        // INVARIANT: letters, digits and a hyphen.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_lose_their_values() {
        for (given, logged) in [
            ("/", "/"),
            ("/?target=https%3A%2F%2Fa.example%2F%3Ftoken%3Dx&description=secret", "/?target=...&description=..."),
            ("/api/auth/v1/clients/?limit=5&bewit=c2VjcmV0", "/api/auth/v1/clients/?limit=5&bewit=..."),
            ("/x?c2VjcmV0MTIzNDU=", "/x?..."),
            ("/setup?token=abc", "/setup?token=..."),
            ("/x?a&b=", "/x?a&b"),
            ("/auth?prefix=Project/&response_mode=form_post", "/auth?prefix=Project/&response_mode=form_post"),
            // Story: a token that somebody had put into the wrong parameter was in the log.
            ("/x?response_mode=falconer_rt_c2VjcmV0c2VjcmV0&limit=A5", "/x?response_mode=...&limit=..."),
            ("/x?done=c2VjcmV0MTIzNDUzNDUzNDU&since=17", "/x?done=...&since=17"),
        ] {
            assert_eq!(PathAndQuery(&given.parse().unwrap()).to_string(), logged);
        }
    }

    /// Story: a request line with C1 and direction controls in it steered the terminal of whoever read the log.
    #[test]
    fn nothing_in_a_path_steers_a_terminal() {
        let mut text = String::new();
        write_visible(&mut text, "/a\u{9b}31m\u{202e}b\u{2066}\u{e9}\u{1b}").unwrap();
        assert_eq!(text, "/a\\u{9b}31m\\u{202e}b\\u{2066}\u{e9}\\u{1b}");
    }

    #[test]
    fn headers_lose_their_secrets() {
        let mut headers = HeaderMap::new();
        for name in SECRET_HEADERS {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static("canary"));
        }
        headers.insert("accept", HeaderValue::from_static("text/html"));
        let mut marked = HeaderValue::from_static("canary");
        marked.set_sensitive(true);
        headers.insert("x-own", marked);
        let text = format!("{:?}", Headers(&headers));
        assert!(!text.contains("canary") && text.contains("text/html"), "{text}");
    }

    #[test]
    fn ids_are_short_and_differ() {
        assert_eq!(RequestId::new([0; 5]).as_str(), "0000-0000");
        assert_eq!(RequestId::new([255; 5]).as_str(), "zzzz-zzzz");
        assert_ne!(RequestId::new([0, 0, 0, 0, 1]), RequestId::new([1, 0, 0, 0, 0]));
    }
}
