//! How GitHub's API is asked: one document, or a list over several pages.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;
use zeroize::Zeroizing;

use super::error::GithubError;
use super::settings::Places;
use crate::providers::error::{ProviderError, malformed, short};
use crate::providers::http::{ProviderAnswer, ProviderHttp, ProviderRequest};

/// Pages of a list, of 100 entries each.
const MOST_PAGES: usize = 10;

/// The API, with somebody's authorization, or nobody's.
pub(super) struct Api<'a> {
    pub(super) http: &'a dyn ProviderHttp,
    pub(super) places: &'a Places,
    pub(super) authorization: Option<Zeroizing<String>>,
}

/// A list, whole.
pub(super) struct List<T> {
    pub(super) entries: Vec<T>,
    /// GitHub left entries out: those of organisations that want a single sign-on which the token lacks.
    pub(super) hidden: bool,
}

/// What an answer says that is none.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Api<'_> {
    /// One document, such as `user`.
    pub(super) async fn one<T: DeserializeOwned>(&self, what: &'static str, path: &str) -> Result<T, ProviderError> {
        let answer = self.ask(what, self.url(path)?).await?;
        if answer.status != 200 {
            return Err(refusal(what, &answer));
        }
        read(what, &answer.body)
    }

    /// A list, such as `user/orgs`. What GitHub hides behind a single sign-on is not in it.
    pub(super) async fn list<T: DeserializeOwned>(&self, what: &'static str, path: &str) -> Result<List<T>, ProviderError> {
        let first = self.url(&format!("{path}?per_page=100"))?;
        let mut list = List { entries: Vec::new(), hidden: false };
        let mut next = Some(first.clone());
        for _ in 0..MOST_PAGES {
            let Some(url) = next.take() else { return Ok(list) };
            let answer = self.ask(what, url).await?;
            let single_sign_on = answer.header("x-github-sso").is_some();
            list.hidden |= single_sign_on;
            if answer.status == 403 && single_sign_on {
                return Ok(list);
            }
            if answer.status != 200 {
                return Err(refusal(what, &answer));
            }
            list.entries.extend(read::<Vec<T>>(what, &answer.body)?);
            next = answer.header("link").and_then(next_of).map(|url| follow(what, &first, url)).transpose()?;
        }
        if next.is_some() { Err(GithubError::Endless(what).into()) } else { Ok(list) }
    }

    /// Whatever is answered.
    pub(super) async fn ask(&self, what: &'static str, url: Url) -> Result<ProviderAnswer, ProviderError> {
        let authorization = self.authorization.clone();
        let sent = self.http.send(ProviderRequest { authorization, ..ProviderRequest::new(url, self.places.allowed_addresses) }).await;
        sent.map_err(|error| ProviderError::Http { what, error })
    }

    pub(super) fn url(&self, path: &str) -> Result<Url, ProviderError> {
        Url::parse(&format!("{}{path}", self.places.api)).map_err(|error| malformed("address of the API", &error))
    }
}

/// What an answer means that is not the one that was asked for.
pub(super) fn refusal(what: &'static str, answer: &ProviderAnswer) -> ProviderError {
    let status = answer.status;
    let message = serde_json::from_slice(&answer.body).map_or_else(|_| String::new(), |Refusal { message }| short(&message));
    let says = |words: &str| message.to_ascii_lowercase().contains(words);
    match status {
        401 => GithubError::TokenRefused.into(),
        429 => GithubError::RateLimited.into(),
        // The primary limit, the secondary one, and the secondary one as it is told at times.
        403 if answer.header("x-ratelimit-remaining") == Some("0") => GithubError::RateLimited.into(),
        403 if answer.header("retry-after").is_some() || says("rate limit") => GithubError::RateLimited.into(),
        403 if says("account was suspended") => GithubError::Suspended.into(),
        500.. => ProviderError::Status { what, status },
        _ => GithubError::Denied { what, status, message }.into(),
    }
}

pub(super) fn read<T: DeserializeOwned>(what: &'static str, body: &[u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body).map_err(|error| malformed(what, &error))
}

/// The next page lies where the first one was: a token goes nowhere else.
fn follow(what: &'static str, first: &Url, next: &str) -> Result<Url, ProviderError> {
    let elsewhere = || GithubError::PageElsewhere { what, url: short(next) };
    let url = Url::parse(next).map_err(|_| elsewhere())?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if plain && url.origin() == first.origin() && url.path() == first.path() { Ok(url) } else { Err(elsewhere().into()) }
}

/// The address of the relation `next` in a header `Link` (RFC 8288 section 3).
fn next_of(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, behind)) = rest.split_once('<') {
        let (url, behind) = behind.split_once('>')?;
        // Up to the comma in front of the next one; what stands in quotation marks holds none of GitHub's.
        let (parameters, behind) = behind.split_once(",").unwrap_or((behind, ""));
        let is_next = parameters.split(';').filter_map(|parameter| parameter.trim().split_once('=')).any(|(name, value)| {
            let words = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel") && words.into_iter().any(|word| word.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(url);
        }
        rest = behind;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{follow, next_of};

    #[test]
    fn the_next_page() {
        for (header, next) in [
            (r#"<https://a/x?page=2>; rel="next", <https://a/x?page=9>; rel="last""#, Some("https://a/x?page=2")),
            (r#"<https://a/x?page=1>; rel="prev", <https://a/x?page=3,4>; title="y"; rel="next""#, Some("https://a/x?page=3,4")),
            ("<https://a/x>; REL=Next", Some("https://a/x")),
            (r#"<https://a/x>; rel="last next""#, Some("https://a/x")),
            (r#"<https://a/x>; rel="last""#, None),
            (r#"<https://a/x>; rel="nextish""#, None),
            ("<https://a/x; rel=next", None),
            ("<>", None),
            ("", None),
            (",,,<<>>;;rel=", None),
        ] {
            assert_eq!(next_of(header), next, "{header}");
        }
    }

    #[test]
    fn a_token_goes_nowhere_else() {
        let first = "https://api.github.com/user/orgs?per_page=100".parse().unwrap();
        assert!(follow("x", &first, "https://api.github.com/user/orgs?page=2").is_ok());
        for elsewhere in [
            "https://evil.example/user/orgs?page=2",
            "http://api.github.com/user/orgs?page=2",
            "https://api.github.com:444/user/orgs?page=2",
            "https://api.github.com@evil.example/user/orgs",
            "https://x@api.github.com/user/orgs",
            "https://api.github.com/user/../admin",
            "https://api.github.com/user/teams",
            "/user/orgs?page=2",
            "",
        ] {
            assert!(follow("x", &first, elsewhere).is_err(), "{elsewhere}");
        }
    }
}
