//! Whether an access token is signed, and what it says then.

use std::sync::Arc;

use falconer_auth::{SigningAlgorithm, SigningKey};
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
    /// What signs it.
    pub(super) key: Arc<SigningKey>,
    /// Who the person is for the service.
    pub(super) subject: String,
    /// What the grant gives now of what the service asks for, as a value of `scope`.
    pub(crate) scope: String,
}

impl Grants {
    /// Which form a token for these resources has, of this grant; `part`: of what is derived from it with these scopes. `None`: the grant or its person is gone.
    pub(crate) async fn form_of(
        &self,
        resources: &[String],
        grant: &str,
        part: Option<&[String]>,
    ) -> Result<Option<TokenForm>, ExchangeError> {
        let configured = self.configured();
        let service = resources.iter().find_map(|resource| configured.offline.find(resource));
        let Some(service) = service else { return Ok(Some(TokenForm::Opaque)) };
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
        if self.auth.grant_scopes(grant).is_none() {
            // Another node may have just made it.
            self.auth.catch_up().await.map_err(|error| self.read_error(error))?;
        }
        let identity = self.auth.directory().grant(grant).map(|grant| grant.record.identity.clone());
        let (Some(present), Some(identity)) = (self.auth.grant_scopes(grant), identity) else { return Ok(None) };
        let Some(person) = self.login.active_person(&identity).await? else { return Ok(None) };
        let present = part.map_or_else(|| present.clone(), |part| present.intersection(&ScopeSet::new(part)));
        let scope = scope_text::write(present.intersection(&service.scopes).iter());
        if scope.len() > LONGEST_SCOPE {
            return Err(ExchangeError::InvalidScope(format!(
                "The grant gives more scopes at that resource than a signed token has room for, {LONGEST_SCOPE} bytes: ask for fewer"
            )));
        }
        Ok(Some(TokenForm::Signed(SignedForm {
            resource: service.resource.clone(),
            alg: service.alg,
            key: self.signing_key(service.alg).await?,
            subject: subject_at(&service.resource, &person.id),
            scope,
        })))
    }

    /// Whether there are services that verify tokens by themselves.
    pub fn signs_access_tokens(&self) -> bool {
        !self.configured().offline.is_empty()
    }
}
