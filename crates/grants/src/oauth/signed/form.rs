//! Whether an access token is signed, and what it says then. That is known before what it is given for is used up: what can't be signed leaves a code as it is.

use falconer_auth::SigningAlgorithm;
use falconer_scopes::ScopeSet;
use falconer_wire::scope_text;

use crate::grants::Grants;
use crate::oauth::error::ExchangeError;
use crate::oauth::signed::token::subject_at;

/// In bytes, of `scope` in a signed token: it goes with each request, in a header that has 8 KiB in most servers.
const LONGEST_SCOPE: usize = 2048;

/// How an access token is made.
pub(crate) enum TokenForm {
    /// It says nothing to whoever sees it.
    Opaque,
    /// It is signed, for one service.
    Signed(SignedForm),
}

/// What is known of a signed token before it is made.
pub(crate) struct SignedForm {
    pub(super) resource: String,
    pub(super) alg: SigningAlgorithm,
    /// Who the person is for the service.
    pub(super) subject: String,
    /// What the grant gives now of what the service asks for, as a value of `scope`.
    pub(super) scope: String,
}

impl Grants {
    /// Which form a token for these resources has, of this grant; `part`: of what is derived from it with these scopes.
    pub(crate) async fn form_of(&self, resources: &[String], grant: &str, part: Option<&[String]>) -> Result<TokenForm, ExchangeError> {
        let configured = self.configured();
        let Some(service) = resources.iter().find_map(|resource| configured.offline.find(resource)) else { return Ok(TokenForm::Opaque) };
        // One audience: what a service is shown counts at no other one (RFC 9068 section 5).
        if resources.len() > 1 {
            return Err(ExchangeError::SeveralAudiences);
        }
        if !self.signs_by(service.alg) {
            return Err(ExchangeError::InvalidRequest(format!(
                "This server has no key for {}, by which tokens for that resource are to be signed: falconer keys rotate-openid --rsa brings one.",
                service.alg.as_str()
            )));
        }
        let present = match self.auth.grant_scopes(grant) {
            Some(scopes) => scopes,
            // Another node may have just made it.
            None => {
                self.auth.catch_up().await.map_err(|error| self.read_error(error))?;
                self.auth.grant_scopes(grant).ok_or(ExchangeError::InvalidGrant)?
            }
        };
        let identity = self.auth.directory().grant(grant).map(|grant| grant.record.identity.clone());
        let person = self.login.active_person(&identity.ok_or(ExchangeError::InvalidGrant)?).await?.ok_or(ExchangeError::InvalidGrant)?;
        let present = part.map_or_else(|| present.clone(), |part| present.intersection(&ScopeSet::new(part)));
        let scope = scope_text::write(present.intersection(&service.scopes).iter());
        if scope.len() > LONGEST_SCOPE {
            return Err(ExchangeError::InvalidScope(format!(
                "The grant gives more scopes at that resource than a signed token has room for, {LONGEST_SCOPE} bytes: ask for fewer"
            )));
        }
        Ok(TokenForm::Signed(SignedForm {
            resource: service.resource.clone(),
            alg: service.alg,
            subject: subject_at(&service.resource, &person.id),
            scope,
        }))
    }

    /// Whether there are services that verify tokens by themselves.
    pub fn signs_access_tokens(&self) -> bool {
        !self.configured().offline.is_empty()
    }
}
