//! Authorization codes: the answer of the page, and its exchange (RFC 6749 section 4.1, RFC 7636).

use falconer_auth::MINUTE_MS;
use falconer_login::{LoginError, hash_of_token, pkce_challenge};
use falconer_store::{GrantRecord, GrantSecretKind, GrantSecretRecord};

use crate::delivery::application::{OAuthDelivery, ResponseType};
use crate::error::AfterGrant;
use crate::grants::Grants;
use crate::oauth::error::ExchangeError;
use crate::oauth::prepared::Prepared;
use crate::oauth::proof::ANY_KEY;
use crate::oauth::secrets::{IssuedTo, IssuedToken};
use crate::oauth::signed::form::TokenForm;
use crate::oauth::token::TokenRequest;
use crate::targets::target::Target;

/// A code is exchanged at once.
const CODE_MS: i64 = MINUTE_MS;
/// Why a grant has ended.
const USED_TWICE: &str = "its authorization code was used more than once";

impl Grants {
    /// The answer of a grant to an application: the address with a code or a token.
    pub(crate) async fn answer(&self, to: &OAuthDelivery, target: &Target, grant: &GrantRecord) -> Result<String, AfterGrant> {
        match to.response {
            ResponseType::Code => {
                let code = self.login.draw::<16>();
                let ends_ms = self.now_ms().saturating_add(CODE_MS).min(grant.expires_ms);
                let record = GrantSecretRecord {
                    challenge: to.challenge.clone(),
                    resources: to.resources.clone(),
                    // A document that says so may not be at hand where the code is exchanged.
                    jkt: to.jkt.clone().or_else(|| to.application.settings.dpop_bound_access_tokens.then(|| ANY_KEY.to_owned())),
                    kept_until_ms: grant.expires_ms,
                    ..self.secret_of(GrantSecretKind::Code, &code, grant, to.application.id(), &to.redirect_uri, ends_ms)
                };
                self.store.insert_grant_secret(&record).await.map_err(|error| self.store_error(error))?;
                Ok(to.location(target, &[("code", &code)]))
            }
            ResponseType::Token => {
                let to_whom = IssuedTo {
                    application: to.application.id(),
                    redirect_uri: &to.redirect_uri,
                    resources: &[],
                    prepared: &Prepared::unidentified(TokenForm::Opaque),
                    may_be_for: &[],
                    proof_key: None,
                };
                let issued = self.issue(grant, to_whom).await?;
                let seconds = issued.seconds.to_string();
                let parameters = [("access_token", issued.token.as_str()), ("token_type", "Bearer"), ("expires_in", seconds.as_str())];
                Ok(to.location(target, &parameters))
            }
        }
    }

    /// A code that is refused is worth nothing any more, and neither is the grant that it was to carry; one that is used twice ends what
    /// the first use gave. Of several uses at once one succeeds.
    pub(super) async fn redeem_code(&self, request: TokenRequest<'_>) -> Result<IssuedToken, ExchangeError> {
        let code = request.required("code")?;
        let redirect_uri = request.required("redirect_uri")?;
        let verifier = request.parameters.one("code_verifier")?;

        let hash = hash_of_token(GrantSecretKind::Code.as_str(), code);
        let record = self.store.grant_secret(&hash).await.map_err(|error| self.read_error(error))?;
        let record = record.filter(|record| record.kind == GrantSecretKind::Code).ok_or(ExchangeError::InvalidGrant)?;
        // Whatever else is wrong: somebody has the code who should not, or has got its tokens already (RFC 6749 section 4.1.2).
        if record.used_ms.is_some() {
            self.end_grant(&record.grant, USED_TWICE).await?;
            return Err(ExchangeError::InvalidGrant);
        }
        let resources = self.resources_of(request, &record.resources)?;
        // What has ended would count again.
        self.login.check_clock()?;
        // Looked at before the use: whoever is first gets an answer, also when others come at the same time and end the grant.
        let grant = self.live_grant(&record.grant).await?;
        let prepared = match &grant {
            Some(grant) => self.prepare(&resources, grant, &record.application).await?,
            None => None,
        };
        let grant = grant.zip(prepared);
        // A proof that does not count says nothing of whoever has the code, which is left as it is.
        let proof_key =
            self.proved_key(request.proof, request.client.map(|client| &**client), record.jkt.as_ref().map(|_| ANY_KEY)).await?;
        let now_ms = self.now_ms();
        let is_first = self.store.use_grant_secret(&hash, now_ms).await.map_err(|error| self.store_error(error))?;
        if !is_first {
            self.end_grant(&record.grant, USED_TWICE).await?;
            return Err(ExchangeError::InvalidGrant);
        }
        let fits = now_ms < record.expires_ms
            && self.may_use(&record.application, request.client)
            && record.redirect_uri == redirect_uri
            && proves(record.challenge.as_deref(), verifier)
            && record.jkt.as_ref().is_none_or(|jkt| jkt == ANY_KEY || proof_key.is_some_and(|key| key.to_string() == *jkt));
        let has_signed_out = match &grant {
            Some((grant, _)) if fits => self.has_signed_out(&grant.id).await.map_err(LoginError::after_a_change)?,
            _ => false,
        };
        match (fits, grant) {
            (true, Some((grant, _))) if has_signed_out => {
                let ended = self.end_grant(&grant.id, "the person signed out before its authorization code came").await;
                ended.map_err(ExchangeError::after_a_use)?;
                Err(ExchangeError::InvalidGrant)
            }
            (true, Some((grant, prepared))) => {
                let to = IssuedTo {
                    application: &record.application,
                    redirect_uri: &record.redirect_uri,
                    resources: &resources,
                    prepared: &prepared,
                    may_be_for: &record.resources,
                    proof_key,
                };
                Ok(self.issue(&grant, to).await.map_err(LoginError::after_a_change)?)
            }
            (true, None) => Err(ExchangeError::InvalidGrant),
            (false, _) => {
                let ended = self.end_grant(&record.grant, "its authorization code was refused").await;
                ended.map_err(ExchangeError::after_a_use)?;
                Err(ExchangeError::InvalidGrant)
            }
        }
    }
}

/// Whether the verifier is that of the challenge (RFC 7636 section 4.6). A verifier without a challenge is refused too: somebody has taken the challenge out of the
/// request (RFC 9700 section 2.1.1).
fn proves(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => is_verifier(verifier) && pkce_challenge(verifier) == challenge,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// As RFC 7636 section 4.1 writes one. What was made in another way may be easier to guess than it should be.
fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}
