//! What the answer to one request says about the service.

use http::header;

use crate::case::Expected;
use crate::exchange::{Answer, Answered};

/// A shorter answer, such as an empty list, is the same for many routes and callers, so that it tells nothing.
const SHORTEST_TELLING_BYTES: usize = 8;

/// What one request has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Held,
    Finding(String),
    Note(String),
    Untried(String),
}

/// `usual`: what the caller that may got from the same route, which shows that there is something to get.
pub(crate) fn judge(expected: Expected, answered: &Answered, usual: Option<&Answer>) -> Verdict {
    let answer = match answered {
        Answered::Answer(answer) => answer,
        Answered::Closed(_) if expected == Expected::Refuse => return Verdict::Held,
        Answered::Closed(why) => return Verdict::Untried(format!("the connection ended: {why}")),
        Answered::Silent => return Verdict::Finding("it did not answer".to_owned()),
        Answered::Unreachable(why) if expected == Expected::Works => {
            return Verdict::Finding(format!("it can't be reached any more: {why}"));
        }
        Answered::Unreachable(why) => return Verdict::Untried(format!("it can't be reached: {why}")),
        Answered::Unsendable => return Verdict::Untried("no URL can be written like that".to_owned()),
    };
    let (status, let_in) = (answer.status, answer.is_let_in());
    let said = format!("answered {status}");
    match status {
        // A proxy's answer where the service or Falconer is away.
        502..=504 | 429 => return Verdict::Untried(said),
        // The right request fails too, so this failure has another cause.
        500.. if usual.is_none() => return Verdict::Untried(format!("{said}, and so is the right request")),
        500.. => return Verdict::Finding(format!("{said}, a failure of its own")),
        _ => {}
    }
    match expected {
        Expected::Refuse | Expected::Note | Expected::SameAnswer if !let_in && usual.is_none() => {
            Verdict::Untried(format!("{said}, and nothing shows that there is something to get"))
        }
        Expected::Refuse | Expected::Note | Expected::SameAnswer if !let_in => Verdict::Held,
        Expected::Refuse => Verdict::Finding(said),
        Expected::Note => Verdict::Note(said),
        Expected::SameAnswer if usual.is_some_and(|usual| usual.body == answer.body) => {
            let telling = answer.body.len() >= SHORTEST_TELLING_BYTES;
            if telling { Verdict::Finding(said) } else { Verdict::Untried(format!("{said}, with too little to tell whose answer it is")) }
        }
        Expected::SameAnswer | Expected::Answer => Verdict::Held,
        Expected::SignOut if (200..400).contains(&status) => Verdict::Held,
        Expected::SignOut => Verdict::Untried(format!("{said}: is this where one signs out?")),
        Expected::Prepare | Expected::Works if let_in => Verdict::Held,
        // The service is alive. Why it refuses now is found out at the end of the run.
        Expected::Prepare | Expected::Works => Verdict::Untried(format!("the caller that may was {said}")),
        Expected::Cors => cors(answer),
        Expected::Cookies { https } => match cookies(answer, https) {
            Some(missing) => Verdict::Finding(missing),
            // Who refuses everything has no reason to set one.
            None if usual.is_none() => Verdict::Untried(format!("no cookie was seen: it {said}, and nobody gets anything there")),
            None => Verdict::Held,
        },
    }
}

/// Whether a browser would let a page of another origin use what the person has for this one.
fn cors(answer: &Answer) -> Verdict {
    let value = |name| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let credentials = value(header::ACCESS_CONTROL_ALLOW_CREDENTIALS) == Some("true");
    match value(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
        // Browsers refuse a star beside credentials; whoever wrote it meant to allow it.
        Some(origin @ ("*" | "null" | "https://falconer-attack.example")) if credentials => {
            Verdict::Finding(format!("allows the origin {origin} with credentials"))
        }
        _ => Verdict::Held,
    }
}

/// What is missing at the cookies that come back.
fn cookies(answer: &Answer, https: bool) -> Option<String> {
    let set = answer.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    let missing: Vec<String> = set.filter_map(|cookie| missing(cookie, https)).collect();
    (!missing.is_empty()).then(|| missing.join(", "))
}

/// What one cookie lacks; `None`: nothing, or it is taken away.
fn missing(cookie: &str, https: bool) -> Option<String> {
    let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
    let (name, value) = pair.split_once('=')?;
    let attributes = attributes.to_ascii_lowercase();
    let has = |wanted: &str| attributes.split(';').any(|one| one.trim() == wanted);
    let lacks: Vec<&str> = [
        ("HttpOnly", has("httponly")),
        ("SameSite=Lax or Strict", has("samesite=lax") || has("samesite=strict")),
        ("Secure", !https || has("secure")),
    ]
    .into_iter()
    .filter_map(|(what, is_there)| (!is_there).then_some(what))
    .collect();
    (!value.trim().is_empty() && !lacks.is_empty()).then(|| format!("the cookie {} lacks {}", name.trim(), lacks.join(" and ")))
}

impl Answer {
    /// Whether the route did what it does.
    pub(crate) fn is_let_in(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Head and body as text, to look for something in it.
    pub(crate) fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.body).into_owned();
        for value in self.headers.values() {
            text.push('\n');
            text.push_str(&String::from_utf8_lossy(value.as_bytes()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn a_refusal_says_something_only_where_there_is_something_to_get() {
        let usual = answer(200, "the red book");
        let of = |expected, status, body: &str, usual| judge(expected, &Answered::Answer(answer(status, body)), usual);
        assert!(matches!(of(Expected::Works, 403, "", None), Verdict::Untried(_)));
        assert_eq!(of(Expected::Refuse, 403, "", Some(&usual)), Verdict::Held);
        assert!(matches!(of(Expected::Refuse, 403, "", None), Verdict::Untried(_)));
        assert!(matches!(of(Expected::Refuse, 200, "", None), Verdict::Finding(_)));
        assert!(matches!(of(Expected::Refuse, 503, "", Some(&usual)), Verdict::Untried(_)));
        assert!(matches!(of(Expected::Refuse, 500, "", Some(&usual)), Verdict::Finding(_)));
        assert!(matches!(of(Expected::Refuse, 500, "", None), Verdict::Untried(_)));
        assert!(matches!(of(Expected::Note, 200, "", Some(&usual)), Verdict::Note(_)));
        assert_eq!(of(Expected::SameAnswer, 200, "a page for everybody", Some(&usual)), Verdict::Held);
        assert!(matches!(of(Expected::SameAnswer, 200, "the red book", Some(&usual)), Verdict::Finding(_)));
        let empty = answer(200, "[]");
        assert!(matches!(of(Expected::SameAnswer, 200, "[]", Some(&empty)), Verdict::Untried(_)));
        assert!(matches!(of(Expected::Prepare, 404, "", Some(&usual)), Verdict::Untried(_)));
        assert!(matches!(of(Expected::Works, 500, "", Some(&usual)), Verdict::Finding(_)));
        assert!(matches!(of(Expected::Works, 409, "", Some(&usual)), Verdict::Untried(_)));
    }

    #[test]
    fn who_says_nothing_is_no_pass() {
        let closed = Answered::Closed("reset".to_owned());
        assert_eq!(judge(Expected::Refuse, &closed, None), Verdict::Held);
        assert!(matches!(judge(Expected::Prepare, &closed, None), Verdict::Untried(_)));
        assert!(matches!(judge(Expected::Refuse, &Answered::Silent, None), Verdict::Finding(_)));
        assert!(matches!(judge(Expected::Refuse, &Answered::Unreachable(String::new()), None), Verdict::Untried(_)));
        assert!(matches!(judge(Expected::Works, &Answered::Unreachable(String::new()), None), Verdict::Finding(_)));
    }

    #[test]
    fn other_origins_may_read_and_not_with_the_browsers_credentials() {
        let with = |origin: &str, credentials: Option<&str>| {
            let mut answer = answer(403, "");
            answer.headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.parse().unwrap());
            if let Some(credentials) = credentials {
                answer.headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials.parse().unwrap());
            }
            judge(Expected::Cors, &Answered::Answer(answer), None)
        };
        assert!(matches!(with("https://falconer-attack.example", Some("true")), Verdict::Finding(_)));
        assert!(matches!(with("null", Some("true")), Verdict::Finding(_)));
        assert_eq!(with("*", None), Verdict::Held);
        assert_eq!(with("https://tool.example", Some("true")), Verdict::Held);
    }

    #[test]
    fn cookies_say_something_only_where_there_is_something_to_get() {
        let expected = Expected::Cookies { https: false };
        let usual = answer(200, "the red book");
        let of = |cookie: Option<&str>, usual| {
            let mut answer = answer(403, "");
            if let Some(cookie) = cookie {
                answer.headers.insert(header::SET_COOKIE, cookie.parse().unwrap());
            }
            judge(expected, &Answered::Answer(answer), usual)
        };
        assert_eq!(of(None, Some(&usual)), Verdict::Held);
        assert!(matches!(of(None, None), Verdict::Untried(_)));
        assert!(matches!(of(Some("s=1"), None), Verdict::Finding(_)));
    }

    #[test]
    fn what_cookies_lack() {
        for (cookie, https, lacks) in [
            ("s=1; Path=/; HttpOnly; SameSite=Lax; Secure", true, None),
            ("s=1; httponly; samesite=strict", false, None),
            ("s=; Path=/", true, None),
            ("s=1; HttpOnly; SameSite=None; Secure", true, Some("the cookie s lacks SameSite=Lax or Strict")),
            ("s=1; SameSite=Lax", true, Some("the cookie s lacks HttpOnly and Secure")),
            ("s=1", false, Some("the cookie s lacks HttpOnly and SameSite=Lax or Strict")),
        ] {
            assert_eq!(missing(cookie, https).as_deref(), lacks, "{cookie}");
        }
    }
}
