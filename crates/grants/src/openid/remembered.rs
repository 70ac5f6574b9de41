//! What is kept with a grant, so that its tokens say who the person is as it was granted.

use falconer_login::{LoginError, Session};
use falconer_store::{GrantIdentityRecord, GrantRecord, SessionApplication};

use serde_json::Value;

use crate::applications::application::Application;
use crate::consent::request::GrantRequest;
use crate::delivery::application::Delivery;
use crate::grants::Grants;

impl Grants {
    /// Whether the application thinks that somebody else is signed in (the `id_token_hint`). A hint that cannot be read says nothing: its key may be gone.
    pub fn is_somebody_else(&self, request: &GrantRequest, session: &Session, issuer: &str) -> bool {
        let hint = request.openid().and_then(|openid| openid.hint.as_deref());
        let claims = hint.and_then(|hint| self.own_claims(hint, issuer));
        claims.is_some_and(|claims| claims.get("sub").and_then(Value::as_str) != Some(&session.person.id))
    }

    /// Keeps what the application is told, where the person has ticked that it may know them.
    pub(crate) async fn remember_identity(&self, session: &Session, request: &GrantRequest, grant: &GrantRecord) -> Result<(), LoginError> {
        let Some(openid) = request.openid().filter(|_| grant.identity_for.contains(&grant.target_origin)) else { return Ok(()) };
        let sid = match &request.delivery {
            Delivery::OAuth(to) => self.note_application(session, &to.application).await?,
            // A device stays signed in when its person leaves the browser in which they let it in.
            Delivery::Device(_) | Delivery::Credentials { .. } | Delivery::Widening(_) => None,
        };
        let record = GrantIdentityRecord {
            grant: grant.id.clone(),
            subject: session.person.id.clone(),
            scopes: openid.scopes.clone(),
            nonce: openid.nonce.clone(),
            proved_ms: (session.proved_ms > 0).then_some(session.proved_ms),
            method: session.method.as_str().to_owned(),
            factors: i64::from(session.factors),
            sid,
            kept_until_ms: grant.expires_ms,
        };
        self.store.put_grant_identity(&record).await.map_err(|error| self.store_error(error))
    }

    /// Notes that an application is to be told when the session ends. What it calls the session; `None`: it is told nothing.
    async fn note_application(&self, session: &Session, application: &Application) -> Result<Option<String>, LoginError> {
        let uri = &application.settings.backchannel_logout_uri;
        if uri.is_empty() {
            return Ok(None);
        }
        let known = SessionApplication {
            session: session.id.clone(),
            application: application.id().to_owned(),
            sid: self.login.draw::<16>(),
            subject: session.person.id.clone(),
            uri: uri.clone(),
            kept_until_ms: session.expires_ms,
        };
        let sid = self.store.note_session_application(&known).await.map_err(|error| self.store_error(error))?;
        // It has ended since the page was sent.
        sid.ok_or(LoginError::SignedOut).map(Some)
    }
}
