//! Why nothing was exchanged.

use falconer_auth::{AssertionFault, ProofFault, TokenFault};
use falconer_login::LoginError;
use thiserror::Error;

use crate::oauth::request::parameters::ParameterError;
use crate::oauth::request::refusal::Fault;

/// Of a `resource` that is not one of those.
pub(crate) const NO_SERVICE: &str = "The resource is not the URL of a service that this token can be for";

/// Why nothing was exchanged, by the codes of RFC 6749 section 5.2.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExchangeError {
    /// `invalid_request`
    #[error("{0}")]
    InvalidRequest(String),
    /// `invalid_client`
    #[error("The application is not known, or its secret or its key is not the right one.")]
    InvalidClient,
    /// `invalid_client`: an assertion does not count, as it says itself.
    #[error("{0}")]
    Assertion(#[from] AssertionFault),
    /// `invalid_grant`
    #[error("Invalid authorization code")]
    InvalidGrant,
    /// `invalid_grant`, of a refresh token.
    #[error("The refresh token is not one that can be used")]
    RefreshToken,
    /// `invalid_target` (RFC 8707)
    #[error("{0}")]
    InvalidTarget(&'static str),
    /// `invalid_target`: a signed token is for one service.
    #[error("A token for that resource is signed, and for no other one beside it: name it alone")]
    SeveralAudiences,
    /// `invalid_grant`, of a token that belongs to another application.
    #[error("The token was not issued to this application.")]
    OtherClient,
    /// `unsupported_grant_type`
    #[error("Unsupported grant type: {0}")]
    UnsupportedGrantType(String),
    /// `invalid_grant`, of a code of a device.
    #[error("The device code is not known to belong to this application, or was used before.")]
    InvalidDeviceCode,
    /// `invalid_scope`
    #[error("{0}")]
    InvalidScope(String),
    /// `unauthorized_client`: it is not registered for this.
    #[error("This application is not registered for devices.")]
    UnauthorizedClient,
    /// `insufficient_scope` (RFC 6750 section 3.1): the token says nothing of the person.
    #[error("This token was granted without openid.")]
    NoOpenId,
    /// `authorization_pending` (RFC 8628 section 3.5)
    #[error("Nobody has answered yet.")]
    AuthorizationPending,
    /// `slow_down` (RFC 8628 section 3.5)
    #[error("Too soon after the last poll: wait five seconds longer from now on.")]
    SlowDown,
    /// `access_denied` (RFC 8628 section 3.5)
    #[error("The person has refused, or taken it back.")]
    AccessDenied,
    /// `expired_token` (RFC 8628 section 3.5)
    #[error("The code has ended. Ask for another one.")]
    ExpiredToken,
    /// `invalid_token` (RFC 6750 section 3.1)
    #[error("Could not generate credentials for this access token")]
    InvalidToken,
    /// `invalid_dpop_proof` (RFC 9449 section 5): there is none where one is needed.
    #[error("A DPoP proof is needed here: send one in the header DPoP")]
    NoProof,
    /// `invalid_dpop_proof`, where tokens are given.
    #[error("{0}")]
    Proof(#[from] ProofFault),
    /// `invalid_dpop_proof`, beside a token (RFC 9449 section 7.1).
    #[error("{0}")]
    ProofOfToken(ProofFault),
    /// `invalid_token`: one that is bound to a key as `Bearer`, or one that is not as `DPoP`.
    #[error("{}", falconer_auth::Reason::Token(*.0))]
    WrongScheme(TokenFault),
    /// Falconer itself can't at this moment.
    #[error("{0}")]
    Login(#[from] LoginError),
}

impl ExchangeError {
    /// The same where a code was used up before it: then nobody may be told to send it again.
    pub(crate) fn after_a_use(self) -> ExchangeError {
        match self {
            ExchangeError::Login(error) => ExchangeError::Login(error.after_a_change()),
            refused => refused,
        }
    }
}

impl From<Fault> for ExchangeError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::InvalidScope(text) => ExchangeError::InvalidScope(text),
            Fault::InvalidTarget => ExchangeError::InvalidTarget(NO_SERVICE),
            other => ExchangeError::InvalidRequest(other.description().to_owned()),
        }
    }
}

impl From<ParameterError> for ExchangeError {
    fn from(error: ParameterError) -> Self {
        ExchangeError::InvalidRequest(error.to_string())
    }
}
