//! A code for an access token, an access token for credentials, and their end.

use std::sync::Arc;

use falconer_auth::MINUTE_MS;
use falconer_login::{LoginError, hash_of_token, pkce_challenge};
use falconer_store::{GrantRecord, GrantSecretKind, GrantSecretRecord};
use thiserror::Error;

use crate::applications::application::{Application, ApplicationKind};
use crate::delivery::application::{OAuthDelivery, ResponseType};
use crate::error::GrantError;
use crate::grants::Grants;
use crate::oauth::parameters::{ParameterError, Parameters};
use crate::oauth::scope_text;
use crate::targets::target::Target;

/// A code is exchanged at once.
const CODE_MS: i64 = MINUTE_MS;
/// An access token is there to be exchanged for credentials.
const ACCESS_TOKEN_MS: i64 = 10 * MINUTE_MS;
/// In front of access tokens, so that one that lies about is recognised.
const PREFIX: &str = "falconer_at_";
/// The credentials are said to end so much earlier, so that they are renewed in time.
const EARLIER_MS: i64 = 30_000;

/// How an application says who it is.
#[derive(Clone, Copy, Default)]
pub enum ClientProof<'a> {
    /// It does not.
    #[default]
    Nothing,
    /// `client_id` alone.
    Id(&'a str),
    /// With its secret, in the `Authorization` header or in the form.
    Secret {
        /// `client_id`
        id: &'a str,
        /// `client_secret`
        secret: &'a str,
    },
}

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

/// An access token: a secret, so no `Debug`.
pub struct IssuedToken {
    /// The token itself.
    pub token: String,
    /// How long it lasts.
    pub seconds: i64,
    /// What was granted, as a value of `scope`.
    pub scope: String,
}

/// What an access token is exchanged for: holds secrets, so no `Debug`.
pub struct GrantedCredentials {
    /// When to have got others, milliseconds since 1970.
    pub renew_ms: i64,
    /// `<identity>/<host>/<id>`
    pub client_id: String,
    /// The key that signs.
    pub access_token: String,
    /// JSON text.
    pub certificate: String,
}

impl Grants {
    /// The answer of a grant to an application: the address with a code or a token.
    pub(crate) async fn answer(&self, to: &OAuthDelivery, target: &Target, grant: &GrantRecord) -> Result<String, GrantError> {
        match to.response {
            ResponseType::Code => {
                let code = self.login.draw::<16>();
                let record = GrantSecretRecord {
                    challenge: to.challenge.clone(),
                    kept_until_ms: grant.expires_ms,
                    ..self.secret_of(GrantSecretKind::Code, &code, grant, to.application.id(), &to.redirect_uri, CODE_MS)
                };
                self.store.insert_grant_secret(&record).await.map_err(|error| self.store_error(error))?;
                Ok(to.location(target, &[("code", &code)]))
            }
            ResponseType::Token => {
                let issued = self.issue(grant, to.application.id(), &to.redirect_uri).await?;
                let seconds = issued.seconds.to_string();
                let parameters = [("access_token", issued.token.as_str()), ("token_type", "Bearer"), ("expires_in", seconds.as_str())];
                Ok(to.location(target, &parameters))
            }
        }
    }

    /// `POST /login/oauth/token`. A code that is refused is worth nothing any more, and neither is the grant that it was to carry; one that is used twice ends what
    /// the first use gave. Of several uses at once one succeeds.
    pub async fn redeem(&self, parameters: &Parameters, proof: ClientProof<'_>) -> Result<IssuedToken, ExchangeError> {
        match parameters.one("grant_type")? {
            Some("authorization_code") => (),
            // What the reference says where there is none.
            other => return Err(ExchangeError::UnsupportedGrantType(other.unwrap_or("undefined").chars().take(100).collect())),
        }
        let client = self.client(proof)?;
        let missing = |name: &str| ExchangeError::InvalidRequest(format!("Missing required parameter: {name}"));
        let code = parameters.one("code")?.ok_or_else(|| missing("code"))?;
        let redirect_uri = parameters.one("redirect_uri")?.ok_or_else(|| missing("redirect_uri"))?;
        let verifier = parameters.one("code_verifier")?;

        let hash = hash_of_token(GrantSecretKind::Code.as_str(), code);
        let record = self.store.grant_secret(&hash).await.map_err(|error| self.read_error(error))?;
        let record = record.filter(|record| record.kind == GrantSecretKind::Code).ok_or(ExchangeError::InvalidGrant)?;
        // What has ended would count again.
        self.login.check_clock()?;
        // Looked at before the use: whoever is first gets an answer, also when others come at the same time and end the grant.
        let grant = self.live_grant(&record.grant).await?;
        let now_ms = self.now_ms();
        let is_first = self.store.use_grant_secret(&hash, now_ms).await.map_err(|error| self.store_error(error))?;
        if !is_first {
            self.end_grant(&record.grant, "its authorization code was used more than once").await?;
            return Err(ExchangeError::InvalidGrant);
        }
        let fits = now_ms < record.expires_ms
            && self.may_use(&record, client)
            && record.redirect_uri == redirect_uri
            && proves(record.challenge.as_deref(), verifier);
        match (fits, grant) {
            (true, Some(grant)) => Ok(self.issue(&grant, &record.application, &record.redirect_uri).await?),
            (true, None) => Err(ExchangeError::InvalidGrant),
            (false, _) => {
                self.end_grant(&record.grant, "its authorization code was refused").await?;
                Err(ExchangeError::InvalidGrant)
            }
        }
    }

    /// `GET /login/oauth/credentials`: those of the grant. The same ones each time.
    pub async fn credentials(&self, token: &str) -> Result<GrantedCredentials, ExchangeError> {
        let record = self.access_token(token).await?.ok_or(ExchangeError::InvalidToken)?;
        // An administrator has taken it out of the configuration.
        self.applications.find(&record.application).ok_or(ExchangeError::InvalidToken)?;
        self.login.check_clock()?;
        let grant = self.live_grant(&record.grant).await?;
        let grant = grant.filter(|_| self.now_ms() < record.expires_ms).ok_or(ExchangeError::InvalidToken)?;
        let credentials = self.auth.grant_credentials(&grant).map_err(LoginError::from)?;
        Ok(GrantedCredentials {
            renew_ms: grant.expires_ms.saturating_sub(EARLIER_MS),
            client_id: credentials.client_id.clone(),
            access_token: credentials.access_token.expose().to_owned(),
            certificate: credentials.certificate.clone(),
        })
    }

    /// `POST /login/oauth/revoke` (RFC 7009): the grant of the token ends, with its credentials. A token that is none is no error.
    pub async fn revoke_token(&self, parameters: &Parameters, proof: ClientProof<'_>) -> Result<(), ExchangeError> {
        let client = self.client(proof)?;
        let missing = || ExchangeError::InvalidRequest("Missing required parameter: token".to_owned());
        let token = parameters.one("token")?.ok_or_else(missing)?;
        let Some(record) = self.access_token(token).await? else { return Ok(()) };
        if !self.may_use(&record, client) {
            return Err(ExchangeError::OtherClient);
        }
        self.end_grant(&record.grant, "revoked by the application").await
    }

    /// Whether a page of this origin may read the answers of the token endpoint.
    pub fn has_application_at(&self, origin: &str) -> bool {
        self.applications.iter().any(|application| application.has_origin(origin))
    }

    /// Whether there is an application of this kind.
    pub fn has_applications_of(&self, kind: ApplicationKind) -> bool {
        self.applications.iter().any(|application| application.kind() == kind)
    }

    /// Who asks, once that is proved as far as this application can.
    fn client(&self, proof: ClientProof<'_>) -> Result<Option<&Arc<Application>>, ExchangeError> {
        let find = |id| self.applications.find(id).ok_or(ExchangeError::InvalidClient);
        let is_confidential = |application: &Application| application.kind() == ApplicationKind::Confidential;
        match proof {
            ClientProof::Nothing => Ok(None),
            ClientProof::Id(id) => {
                find(id).and_then(|known| if is_confidential(known) { Err(ExchangeError::InvalidClient) } else { Ok(Some(known)) })
            }
            ClientProof::Secret { id, secret } => {
                find(id).and_then(|known| if known.has_secret(secret) { Ok(Some(known)) } else { Err(ExchangeError::InvalidClient) })
            }
        }
    }

    /// Third parties of the reference need not say who they are.
    fn may_use(&self, record: &GrantSecretRecord, client: Option<&Arc<Application>>) -> bool {
        match client {
            Some(client) => client.id() == record.application,
            None => self.applications.find(&record.application).is_some_and(|known| known.kind().is_of_reference()),
        }
    }

    async fn issue(&self, grant: &GrantRecord, application: &str, redirect_uri: &str) -> Result<IssuedToken, LoginError> {
        let token = format!("{PREFIX}{}", self.login.draw::<32>());
        let record = self.secret_of(GrantSecretKind::AccessToken, &token, grant, application, redirect_uri, ACCESS_TOKEN_MS);
        self.store.insert_grant_secret(&record).await.map_err(|error| self.store_error(error))?;
        let seconds = (record.expires_ms - self.now_ms()).max(0) / 1000;
        Ok(IssuedToken { token, seconds, scope: scope_text::write(grant.scopes.iter().map(String::as_str)) })
    }

    fn secret_of(
        &self,
        kind: GrantSecretKind,
        secret: &str,
        grant: &GrantRecord,
        application: &str,
        redirect_uri: &str,
        life_ms: i64,
    ) -> GrantSecretRecord {
        let expires_ms = self.now_ms().saturating_add(life_ms).min(grant.expires_ms);
        GrantSecretRecord {
            hash: hash_of_token(kind.as_str(), secret),
            kind,
            grant: grant.id.clone(),
            application: application.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            challenge: None,
            expires_ms,
            kept_until_ms: expires_ms,
            used_ms: None,
        }
    }

    async fn access_token(&self, token: &str) -> Result<Option<GrantSecretRecord>, ExchangeError> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        let hash = hash_of_token(GrantSecretKind::AccessToken.as_str(), token);
        let record = self.store.grant_secret(&hash).await.map_err(|error| self.read_error(error))?;
        Ok(record.filter(|record| record.kind == GrantSecretKind::AccessToken))
    }

    async fn live_grant(&self, id: &str) -> Result<Option<GrantRecord>, LoginError> {
        let grant = self.store.grant(id).await.map_err(|error| self.read_error(error))?;
        Ok(grant.filter(|grant| grant.revoked_ms.is_none() && self.now_ms() < grant.expires_ms))
    }

    async fn end_grant(&self, id: &str, reason: &str) -> Result<(), ExchangeError> {
        let Some(grant) = self.live_grant(id).await? else { return Ok(()) };
        // Whoever holds what the grant gave has done this, knowingly or not.
        let ended = self.login.revoke_grants(std::slice::from_ref(&grant.identity), &grant.client_id, vec![grant.id], reason);
        Ok(ended.await?)
    }
}

/// Whether the verifier is that of the challenge (RFC 7636 section 4.6). A verifier without a challenge is refused too: somebody has taken the challenge out of the
/// request (RFC 9700 section 2.1.1).
fn proves(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => (43..=128).contains(&verifier.len()) && pkce_challenge(verifier) == challenge,
        (Some(_), None) | (None, Some(_)) => false,
    }
}
