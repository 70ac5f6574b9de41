//! Why nothing was exchanged.

use falconer_login::LoginError;
use thiserror::Error;

use crate::oauth::parameters::ParameterError;

/// Why nothing was exchanged, by the codes of RFC 6749 section 5.2.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExchangeError {
    /// `invalid_request`
    #[error("{0}")]
    InvalidRequest(String),
    /// `invalid_client`
    #[error("The application is not known, or its secret is not the right one.")]
    InvalidClient,
    /// `invalid_grant`
    #[error("Invalid authorization code")]
    InvalidGrant,
    /// `invalid_grant`, of a token that belongs to another application.
    #[error("The token was not issued to this application.")]
    OtherClient,
    /// `unsupported_grant_type`
    #[error("Unsupported grant type: {0}")]
    UnsupportedGrantType(String),
    /// `invalid_token` (RFC 6750 section 3.1)
    #[error("Could not generate credentials for this access token")]
    InvalidToken,
    /// Falconer itself can't at this moment.
    #[error("{0}")]
    Login(#[from] LoginError),
}

impl From<ParameterError> for ExchangeError {
    fn from(error: ParameterError) -> Self {
        ExchangeError::InvalidRequest(error.to_string())
    }
}
