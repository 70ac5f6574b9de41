//! `POST /login/oauth/token`: what is exchanged depends on `grant_type`, and each has a file of its own.

use std::sync::Arc;

use crate::applications::application::Application;
use crate::grants::Grants;
use crate::oauth::client::client_proof::ClientProof;
use crate::oauth::error::{ExchangeError, NO_SERVICE};
use crate::oauth::proof::SentProof;
use crate::oauth::request::parameters::Parameters;
use crate::oauth::request::resources::narrowed;
use crate::oauth::secrets::IssuedToken;

/// The only kind of token that is exchanged for another one, and that comes out of it (RFC 8693 section 3).
pub const ACCESS_TOKEN_TYPE: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What can be exchanged for tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// `authorization_code` (RFC 6749 section 4.1.3)
    AuthorizationCode,
    /// `urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 section 3.4)
    DeviceCode,
    /// `refresh_token` (RFC 6749 section 6)
    RefreshToken,
    /// `urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693 section 2.1)
    TokenExchange,
}

impl GrantType {
    /// All of them, as the metadata lists them.
    pub const ALL: [GrantType; 4] =
        [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode, GrantType::TokenExchange];

    /// The value of `grant_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            GrantType::AuthorizationCode => "authorization_code",
            GrantType::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            GrantType::RefreshToken => "refresh_token",
            GrantType::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    fn of_word(word: &str) -> Option<GrantType> {
        GrantType::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// A request to the token endpoint, once it is known who asks. `None`: a third party of the reference that does not say.
#[derive(Clone, Copy)]
pub(crate) struct TokenRequest<'r> {
    pub(crate) parameters: &'r Parameters,
    pub(crate) client: Option<&'r Arc<Application>>,
    pub(crate) proof: SentProof<'r>,
}

impl<'r> TokenRequest<'r> {
    /// The value of a parameter that has to be there.
    pub(crate) fn required(&self, name: &'static str) -> Result<&'r str, ExchangeError> {
        required(self.parameters, name)
    }
}

/// The value of a parameter that has to be there.
pub(crate) fn required<'p>(parameters: &'p Parameters, name: &'static str) -> Result<&'p str, ExchangeError> {
    parameters.one(name)?.ok_or_else(|| ExchangeError::InvalidRequest(format!("Missing required parameter: {name}")))
}

/// The access token that a request is about (RFC 8693 section 2.1).
pub(crate) fn subject_token(parameters: &Parameters) -> Result<&str, ExchangeError> {
    let token = required(parameters, "subject_token")?;
    if required(parameters, "subject_token_type")? != ACCESS_TOKEN_TYPE {
        return Err(ExchangeError::InvalidRequest(format!("The subject_token is of the type {ACCESS_TOKEN_TYPE}")));
    }
    Ok(token)
}

impl Grants {
    /// What the access token is for: no more than what it comes from is for (RFC 8707 section 2.2).
    pub(crate) fn resources_of(&self, request: TokenRequest<'_>, allowed: &[String]) -> Result<Vec<String>, ExchangeError> {
        // Third parties of the reference know nothing of it.
        if request.client.is_none_or(|client| client.kind().is_of_reference()) && request.parameters.has("resource") {
            return Err(ExchangeError::InvalidTarget("This application names no resource: leave it out"));
        }
        let requested = self.resources(request.parameters).map_err(|_| ExchangeError::InvalidTarget(NO_SERVICE))?;
        narrowed(allowed, requested).map_err(|_| ExchangeError::InvalidTarget(NO_SERVICE))
    }

    /// Gives tokens for what was sent. Who asks is looked at before anything of it is used.
    pub async fn token(&self, parameters: &Parameters, by: ClientProof<'_>, proof: SentProof<'_>) -> Result<IssuedToken, ExchangeError> {
        let sent = parameters.one("grant_type")?;
        // What the reference says where there is none.
        let unsupported = || ExchangeError::UnsupportedGrantType(sent.unwrap_or("undefined").chars().take(100).collect());
        let grant_type = sent.and_then(GrantType::of_word).ok_or_else(unsupported)?;
        let client = self.client(by).await?;
        let request = TokenRequest { parameters, client: client.as_ref(), proof };
        match grant_type {
            GrantType::AuthorizationCode => self.redeem_code(request).await,
            GrantType::DeviceCode => self.redeem_device_code(request).await,
            GrantType::RefreshToken => self.refresh(request).await,
            GrantType::TokenExchange => self.exchange_token(request).await,
        }
    }
}
