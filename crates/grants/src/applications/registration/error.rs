//! Why nothing was registered.

use falconer_auth::ApiError;
use falconer_login::LoginError;
use thiserror::Error;

/// Why nothing was registered, by the codes of RFC 7591 section 3.2.2 and RFC 6750 section 3.1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RegistrationError {
    /// Applications do not register themselves here.
    #[error("Applications do not register themselves here: ask an administrator.")]
    Off,
    /// `invalid_token`: none is there, or it is not one that can be used.
    #[error(
        "The token is missing, or is not one that can be used: it has ended, was used up or was revoked, or whoever made it may not give out as much any more."
    )]
    Token,
    /// `invalid_redirect_uri`
    #[error("{0}")]
    RedirectUri(String),
    /// `invalid_client_metadata`
    #[error("{0}")]
    Metadata(String),
    /// `invalid_software_statement`
    #[error("Software statements are not taken here.")]
    SoftwareStatement,
    /// There are as many as there can be, and none leaves its place yet.
    #[error(
        "As many applications have registered themselves as there can be. Nothing was registered: try again later, or ask an administrator."
    )]
    Full,
    /// Falconer itself can't at this moment.
    #[error("{0}")]
    Login(#[from] LoginError),
}

impl From<ApiError> for RegistrationError {
    fn from(error: ApiError) -> Self {
        match error {
            // That the token could be used was looked at before: somebody else has used it up, or revoked it, in between.
            ApiError::RequestConflict(_) => RegistrationError::Token,
            ApiError::InputError(text) => RegistrationError::Metadata(text),
            other => RegistrationError::Login(other.into()),
        }
    }
}
