//! The token endpoint: what a code, and later a refresh token, are exchanged for.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::error::GithubError;
use super::provider::GithubProvider;
use crate::providers::error::{ProviderError, short};
use crate::providers::http::ProviderRequest;
use crate::providers::oauth_error::{TOKEN_ENDPOINT, of_token_endpoint};

/// The longest token that is taken, in bytes.
const LONGEST_TOKEN: usize = 1024;
/// An access token is not used in the last minute of its time.
const BEFORE_END_MS: i64 = 60_000;

/// The answer, whichever it is: GitHub tells errors with status 200 too.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct Answer {
    access_token: Option<String>,
    token_type: Option<String>,
    /// Seconds.
    expires_in: Option<u32>,
    refresh_token: Option<String>,
    error: Option<String>,
}

/// A person's tokens. As text it is what is kept of them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Tokens {
    pub(super) access: String,
    /// Only where access tokens end by themselves; counts once.
    pub(super) refresh: Option<String>,
    /// When the access token ends, milliseconds since 1970.
    pub(super) ends_ms: Option<i64>,
}

impl Tokens {
    /// What was kept; `None`: nothing that was made here.
    pub(super) fn read(kept: &str) -> Option<Tokens> {
        serde_json::from_str(kept).ok()
    }

    pub(super) fn to_keep(&self) -> Option<Zeroizing<String>> {
        serde_json::to_string(self).ok().map(Zeroizing::new)
    }

    pub(super) fn are_over(&self, now_ms: i64) -> bool {
        self.ends_ms.is_some_and(|ends_ms| now_ms >= ends_ms.saturating_sub(BEFORE_END_MS))
    }
}

impl GithubProvider {
    /// The code for tokens (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    pub(super) async fn exchange(&self, code: &str, verifier: &str, redirect_uri: &str, now_ms: i64) -> Result<Tokens, ProviderError> {
        self.token(&[("code", code), ("code_verifier", verifier), ("redirect_uri", redirect_uri)], now_ms).await
    }

    /// Tokens for what stands in these fields.
    pub(super) async fn token(&self, fields: &[(&'static str, &str)], now_ms: i64) -> Result<Tokens, ProviderError> {
        let own = [("client_id", self.settings.client_id.as_str()), ("client_secret", self.settings.client_secret.expose())];
        let form = own.iter().chain(fields).map(|(name, value)| (*name, Zeroizing::new((*value).to_owned()))).collect();
        let url = self.page("login/oauth/access_token")?;
        let request = ProviderRequest { form: Some(form), ..ProviderRequest::new(url, self.places.allowed_addresses) };
        let answer = self.http.send(request).await.map_err(|error| ProviderError::Http { what: TOKEN_ENDPOINT, error })?;
        let body = Zeroizing::new(answer.body);
        let read = serde_json::from_slice::<Answer>(&body);
        if answer.status != 200 && !read.as_ref().is_ok_and(|read| answer.status < 500 && read.error.is_some()) {
            return Err(ProviderError::Status { what: TOKEN_ENDPOINT, status: answer.status });
        }
        // The library's own words may quote what was read.
        let malformed = |why: &str| ProviderError::Malformed { what: "answer of the token endpoint", why: why.to_owned() };
        let read = read.map_err(|_| malformed("it is not the JSON that it has to be"))?;
        if let Some(error) = &read.error {
            return Err(match error.as_str() {
                "incorrect_client_credentials" | "redirect_uri_mismatch" | "application_suspended" => {
                    GithubError::Client(short(error)).into()
                }
                _ => of_token_endpoint(error),
            });
        }
        if let Some(kind) = read.token_type.as_ref().filter(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(ProviderError::TokenType(short(kind)));
        }
        let access = read.access_token.clone().ok_or_else(|| malformed("there is no access token in it"))?;
        let refresh = read.refresh_token.clone();
        let tokens = [Some(&access), refresh.as_ref()].into_iter().flatten();
        if tokens.into_iter().any(|token| !is_token(token)) {
            return Err(malformed("a token in it is none"));
        }
        let ends_ms = read.expires_in.map(|seconds| now_ms.saturating_add(i64::from(seconds) * 1000));
        Ok(Tokens { access, refresh, ends_ms })
    }
}

fn is_token(text: &str) -> bool {
    (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
