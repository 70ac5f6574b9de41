//! What an access token gives, and its end.

use falconer_auth::{BearerKind, ShownToken, TokenOfGrant};
use falconer_login::LoginError;
use falconer_store::{GrantRecord, GrantSecretKind, GrantSecretRecord};

use crate::grants::Grants;
use crate::oauth::client::client_proof::ClientProof;
use crate::oauth::error::ExchangeError;
use crate::oauth::request::parameters::Parameters;

/// The credentials are said to end so much earlier, so that they are renewed in time.
const EARLIER_MS: i64 = 30_000;

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
    /// `GET /login/oauth/credentials`: those of the grant. The same ones each time.
    pub async fn credentials(&self, shown: &ShownToken<'_>) -> Result<GrantedCredentials, ExchangeError> {
        let grant = self.grant_of_token(shown).await?;
        let credentials = self.auth.grant_credentials(&grant).map_err(LoginError::from)?;
        Ok(GrantedCredentials {
            renew_ms: grant.expires_ms.saturating_sub(EARLIER_MS),
            client_id: credentials.client_id.clone(),
            access_token: credentials.access_token.expose().to_owned(),
            certificate: credentials.certificate.clone(),
        })
    }

    /// The grant that lives behind an access token that counts, and that is shown by whoever may.
    pub(crate) async fn grant_of_token(&self, shown: &ShownToken<'_>) -> Result<GrantRecord, ExchangeError> {
        let (token, _, grant) = self.token_and_grant(shown.token).await?;
        self.check_holder(&token, shown)?;
        Ok(grant)
    }

    /// What a token says, what is kept of it, and its grant. Whoever shows it has not proved yet that they may.
    pub(crate) async fn token_and_grant(&self, token: &str) -> Result<(TokenOfGrant, GrantSecretRecord, GrantRecord), ExchangeError> {
        // Nothing is looked up for what Falconer has not made.
        let said = self.auth.read_token(BearerKind::Access, token).ok_or(ExchangeError::InvalidToken)?;
        let record = self.secret(GrantSecretKind::AccessToken, token).await?.ok_or(ExchangeError::InvalidToken)?;
        // Whoever it was shown to could make more of it than it is: what is signed with credentials counts everywhere.
        if !record.resources.is_empty() {
            return Err(ExchangeError::InvalidToken);
        }
        // An administrator has taken it out of the configuration, or deleted it.
        self.known_application(&record.application).ok_or(ExchangeError::InvalidToken)?;
        self.login.check_clock()?;
        let grant = self.live_grant(&record.grant).await?;
        let grant = grant.filter(|_| self.now_ms() < record.expires_ms).ok_or(ExchangeError::InvalidToken)?;
        Ok((said, record, grant))
    }

    /// `POST /login/oauth/revoke` (RFC 7009): the grant of the token ends, with its credentials. A token that is none is no error.
    pub async fn revoke_token(&self, parameters: &Parameters, proof: ClientProof<'_>) -> Result<(), ExchangeError> {
        let client = self.client(proof).await?;
        let missing = || ExchangeError::InvalidRequest("Missing required parameter: token".to_owned());
        let token = parameters.one("token")?.ok_or_else(missing)?;
        let Some(known) = self.known_token(token).await? else { return Ok(()) };
        if !self.may_use(&known.application, client.as_ref()) {
            return Err(ExchangeError::OtherClient);
        }
        self.end_grant(&known.grant, "revoked by the application").await
    }
}
