//! What applications are told where nothing is exchanged (RFC 6749 section 5.2, RFC 6750 section 3).

use axum::response::Response;
use falconer_grants::{ExchangeError, RegistrationError};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::endpoints::json;
use crate::http::problem::Problem;

/// What is told to whoever showed a token that is bound to a key without a proof that counts (RFC 9449 section 7.1). A test holds the list against the one that counts.
const DPOP_PROOF: &str = "DPoP realm=\"falconer\", error=\"invalid_dpop_proof\", algs=\"ES256 Ed25519 EdDSA ES384 PS256 RS256\"";
const DPOP_TOKEN: &str = "DPoP realm=\"falconer\", error=\"invalid_token\", algs=\"ES256 Ed25519 EdDSA ES384 PS256 RS256\"";

/// An application that waits for its first grant leaves its place for another one after ten minutes.
const FULL_RETRY_SECONDS: u64 = 600;

/// An error as it goes out.
pub(crate) struct Refused {
    status: StatusCode,
    code: &'static str,
    description: String,
    challenge: Option<&'static str>,
    retry_after_seconds: Option<u64>,
}

impl Refused {
    pub(crate) fn invalid_request(description: impl Into<String>) -> Refused {
        Refused::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// 400 for a header `DPoP` that is none.
    pub(super) fn invalid_proof(description: impl Into<String>) -> Refused {
        Refused::new(StatusCode::BAD_REQUEST, "invalid_dpop_proof", description)
    }

    pub(super) fn too_large() -> Refused {
        Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "The request is too large.")
    }

    /// 401 for a request with no token at all, which is told of no error (RFC 6750 section 3.1).
    pub(crate) fn no_token() -> Refused {
        let description = "Send the access token as Authorization: Bearer, or DPoP where it is bound to a key";
        Refused {
            challenge: Some("Bearer realm=\"falconer\", DPoP realm=\"falconer\", algs=\"ES256 Ed25519 EdDSA ES384 PS256 RS256\""),
            ..Refused::new(StatusCode::UNAUTHORIZED, "invalid_request", description)
        }
    }

    /// 401 for a signature of a service that does not hold.
    pub(super) fn not_verified(description: impl Into<String>) -> Refused {
        Refused { challenge: Some("Hawk"), ..Refused::new(StatusCode::UNAUTHORIZED, "invalid_client", description) }
    }

    fn new(status: StatusCode, code: &'static str, description: impl Into<String>) -> Refused {
        Refused { status, code, description: description.into(), challenge: None, retry_after_seconds: None }
    }

    pub(crate) fn answer(self) -> Response {
        // A description is printable ASCII without quotation marks and backslashes.
        let fits = |c: &char| (' '..='~').contains(c) && !matches!(c, '"' | '\\');
        let description: String = self.description.chars().filter(fits).collect();
        let mut response = json(self.status, &json!({ "error": self.code, "error_description": description }));
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<ExchangeError> for Refused {
    fn from(error: ExchangeError) -> Refused {
        let text = error.to_string();
        match error {
            ExchangeError::InvalidRequest(_) => Refused::invalid_request(text),
            ExchangeError::InvalidClient | ExchangeError::Assertion(_) => {
                Refused { challenge: Some("Basic realm=\"falconer\""), ..Refused::new(StatusCode::UNAUTHORIZED, "invalid_client", text) }
            }
            ExchangeError::InvalidGrant | ExchangeError::RefreshToken | ExchangeError::OtherClient | ExchangeError::InvalidDeviceCode => {
                Refused::new(StatusCode::BAD_REQUEST, "invalid_grant", text)
            }
            ExchangeError::NoOpenId => Refused {
                challenge: Some("Bearer realm=\"falconer\", error=\"insufficient_scope\", scope=\"openid\""),
                ..Refused::new(StatusCode::FORBIDDEN, "insufficient_scope", text)
            },
            ExchangeError::InvalidScope(_) => Refused::new(StatusCode::BAD_REQUEST, "invalid_scope", text),
            ExchangeError::UnauthorizedClient => Refused::new(StatusCode::BAD_REQUEST, "unauthorized_client", text),
            ExchangeError::AuthorizationPending => Refused::new(StatusCode::BAD_REQUEST, "authorization_pending", text),
            ExchangeError::SlowDown => Refused::new(StatusCode::BAD_REQUEST, "slow_down", text),
            ExchangeError::AccessDenied => Refused::new(StatusCode::BAD_REQUEST, "access_denied", text),
            ExchangeError::ExpiredToken => Refused::new(StatusCode::BAD_REQUEST, "expired_token", text),
            ExchangeError::InvalidTarget(_) | ExchangeError::SeveralAudiences => {
                Refused::new(StatusCode::BAD_REQUEST, "invalid_target", text)
            }
            ExchangeError::UnsupportedGrantType(_) => Refused::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", text),
            ExchangeError::InvalidToken => Refused {
                challenge: Some("Bearer realm=\"falconer\", error=\"invalid_token\""),
                ..Refused::new(StatusCode::UNAUTHORIZED, "invalid_token", text)
            },
            ExchangeError::NoProof | ExchangeError::Proof(_) => Refused::invalid_proof(text),
            ExchangeError::ProofOfToken(_) => {
                Refused { challenge: Some(DPOP_PROOF), ..Refused::new(StatusCode::UNAUTHORIZED, "invalid_dpop_proof", text) }
            }
            ExchangeError::WrongScheme(_) => {
                Refused { challenge: Some(DPOP_TOKEN), ..Refused::new(StatusCode::UNAUTHORIZED, "invalid_token", text) }
            }
            ExchangeError::Login(error) => Problem::from(error).into(),
        }
    }
}

impl From<RegistrationError> for Refused {
    fn from(error: RegistrationError) -> Refused {
        let text = error.to_string();
        match error {
            RegistrationError::Off => Refused::new(StatusCode::NOT_FOUND, "invalid_request", text),
            RegistrationError::Token => Refused {
                challenge: Some("Bearer realm=\"falconer\", error=\"invalid_token\""),
                ..Refused::new(StatusCode::UNAUTHORIZED, "invalid_token", text)
            },
            RegistrationError::RedirectUri(_) => Refused::new(StatusCode::BAD_REQUEST, "invalid_redirect_uri", text),
            RegistrationError::Metadata(_) => Refused::new(StatusCode::BAD_REQUEST, "invalid_client_metadata", text),
            RegistrationError::SoftwareStatement => Refused::new(StatusCode::BAD_REQUEST, "invalid_software_statement", text),
            RegistrationError::Full => Refused {
                retry_after_seconds: Some(FULL_RETRY_SECONDS),
                ..Refused::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", text)
            },
            RegistrationError::Login(error) => Problem::from(error).into(),
        }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        // RFC 6749 has the first two for the answer of a page only (section 4.1.2.1). Here they tell apart whether what was sent can be sent again.
        let code = match problem.status {
            _ if problem.is_undone => "temporarily_unavailable",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        };
        let text = format!("{}. {}", problem.title, problem.next);
        Refused { retry_after_seconds: problem.retry_after_seconds, ..Refused::new(problem.status, code, text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use falconer_login::LoginError;

    /// Applications send a code or a token again where they are told that nothing was done, and only there.
    #[test]
    fn what_can_be_sent_again_has_a_code_of_its_own() {
        let text = String::new;
        for (error, expected) in [
            (LoginError::Unavailable(text()), (503, "temporarily_unavailable")),
            (LoginError::TooBusy, (503, "temporarily_unavailable")),
            (LoginError::ClockBehind { behind_ms: 1 }, (503, "temporarily_unavailable")),
            (LoginError::ClockAhead { ahead_ms: 1 }, (503, "temporarily_unavailable")),
            (LoginError::Unavailable(text()).after_a_change(), (503, "server_error")),
            (LoginError::OutcomeUnknown(text()), (503, "server_error")),
            (LoginError::NotFollowed(text()), (503, "server_error")),
            (LoginError::Internal(text()), (500, "server_error")),
            (LoginError::Throttled { retry_after_seconds: 1 }, (429, "invalid_request")),
        ] {
            let refused = Refused::from(ExchangeError::Login(error.clone()));
            assert_eq!((refused.status.as_u16(), refused.code), expected, "{error:?}");
        }
    }
}
