//! What is kept with a grant, so that its tokens say who the person is as it was granted.

use falconer_login::{LoginError, Session};
use falconer_store::{GrantIdentityRecord, GrantRecord, SessionApplication};

use serde_json::Value;

use crate::applications::application::Application;
use crate::consent::request::GrantRequest;
use crate::delivery::application::Delivery;
use crate::delivery::redirect::encode_component;
use crate::grants::Grants;
use crate::oauth::request::parameters::Parameters;

/// The parameter of our own pages that says for whom a request is: `<subject>.<MAC>`.
const FOR_SUBJECT: &str = "for_subject";
/// No person has this id.
const NOBODY: &str = "";
/// What that MAC is for.
const FOR_SUBJECT_PURPOSE: &str = "falconer subject of a request";

impl Grants {
    /// The request with the person whom it is for, where the application has sent an ID token of theirs (`id_token_hint`). That goes round with it, through a sign-in, and
    /// however the person of the browser changes (OpenID Connect Core 1.0 section 3.1.2.2). A hint that can't be read says nothing: its key may be gone. What goes round
    /// was read once: where it can't be verified any more, as after a restart with other form keys, the request is for nobody who sits there.
    pub(crate) fn for_subject(&self, mut request: GrantRequest, parameters: &Parameters, issuer: &str) -> GrantRequest {
        let Delivery::OAuth(to) = &mut request.delivery else { return request };
        let Some(openid) = &mut to.openid else { return request };
        let one = |name| parameters.one(name).ok().flatten();
        let hinted = one("id_token_hint").and_then(|hint| self.own_claims(hint, issuer));
        let hinted = hinted.and_then(|claims| claims.get("sub").and_then(Value::as_str).map(str::to_owned));
        let id = to.application.id();
        // Under a MAC: an application that names a person without an ID token of theirs would learn whether they are the one who sits there.
        let verified = |carried: &str| {
            let (subject, mac) = carried.rsplit_once('.')?;
            self.login.has_mac(FOR_SUBJECT_PURPOSE, &[id, subject], mac).then(|| subject.to_owned())
        };
        let carried = parameters.one(FOR_SUBJECT).map_or(Some(""), |carried| carried);
        openid.subject = hinted.or_else(|| carried.map(|carried| verified(carried).unwrap_or_else(|| NOBODY.to_owned())));
        if let Some(subject) = &openid.subject {
            let mac = self.login.mac(FOR_SUBJECT_PURPOSE, &[id, subject]);
            request.canonical = format!("{}&{FOR_SUBJECT}={}", request.canonical, encode_component(&format!("{subject}.{mac}")));
        }
        request
    }

    /// Whether the answer is for somebody else.
    pub fn is_somebody_else(&self, request: &GrantRequest, session: &Session) -> bool {
        let subject = request.openid().and_then(|openid| openid.subject.as_ref());
        subject.is_some_and(|subject| *subject != session.person.id)
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
