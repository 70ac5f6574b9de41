//! What is kept with a grant, so that its tokens say who the person is as it was granted.

use falconer_login::{LoginError, Session};
use falconer_store::{GrantIdentityRecord, GrantRecord};

use serde_json::Value;

use crate::consent::request::GrantRequest;
use crate::grants::Grants;
use crate::openid::request::OpenIdRequest;

impl Grants {
    /// Whether the application thinks that somebody else is signed in (the `id_token_hint`). A hint that cannot be read says nothing: its key may be gone.
    pub fn is_somebody_else(&self, request: &GrantRequest, session: &Session, issuer: &str) -> bool {
        let hint = request.openid().and_then(|openid| openid.hint.as_deref());
        let claims = hint.and_then(|hint| self.own_claims(hint, issuer));
        claims.is_some_and(|claims| claims.get("sub").and_then(Value::as_str) != Some(&session.person.id))
    }

    /// Keeps what the application is told, where the person has ticked that it may know them.
    pub(crate) async fn remember_identity(
        &self,
        session: &Session,
        request: Option<&OpenIdRequest>,
        grant: &GrantRecord,
    ) -> Result<(), LoginError> {
        let Some(request) = request.filter(|_| grant.identity_for.contains(&grant.target_origin)) else { return Ok(()) };
        let record = GrantIdentityRecord {
            grant: grant.id.clone(),
            subject: session.person.id.clone(),
            scopes: request.scopes.clone(),
            nonce: request.nonce.clone(),
            proved_ms: (session.proved_ms > 0).then_some(session.proved_ms),
            method: session.method.as_str().to_owned(),
            factors: i64::from(session.factors),
            kept_until_ms: grant.expires_ms,
        };
        self.store.put_grant_identity(&record).await.map_err(|error| self.store_error(error))
    }
}
