//! Consent that is remembered: what an application need not ask a person once more, for a while.

use falconer_login::{LoginError, Session, fingerprint};
use falconer_scopes::ScopeSet;
use falconer_store::{ConsentRecord, GrantRecord};

use crate::applications::application::Application;
use crate::consent::request::GrantRequest;
use crate::delivery::application::{Delivery, OAuthDelivery};
use crate::error::GrantError;
use crate::grants::Grants;
use crate::openid::request::asks_for_groups;
use crate::records::granted::ScopeGroup;
use crate::words::published::ScopeWords;

/// Something that a person is not asked once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentView {
    /// The `client_id`.
    pub application: String,
    /// What the grant page calls it.
    pub name: String,
    /// Where its answers go.
    pub origin: String,
    /// What it gets, by service.
    pub gives: Vec<ScopeGroup>,
    /// Whether it learns who the person is.
    pub knows_identity: bool,
    /// With the names of the person's groups.
    pub tells_groups: bool,
    /// From then on they are asked, milliseconds since 1970.
    pub ends_ms: i64,
}

impl Grants {
    /// What the person is not asked once more, by application. What counts no more for another reason than its time is in it: whether it counts is looked at when
    /// an application asks.
    pub async fn consents_of(&self, session: &Session) -> Result<Vec<ConsentView>, LoginError> {
        let (now_ms, words) = (self.now_ms(), self.words());
        let known = self.store.consents_of(&session.person.identity).await.map_err(|error| self.read_error(error))?;
        let mut views = Vec::new();
        for consent in known {
            let Some(application) = self.applications.find(&consent.application) else { continue };
            if ends_ms(&consent, &application) <= now_ms || consent.person != session.person.id {
                continue;
            }
            views.push(ConsentView {
                name: application.name().to_owned(),
                ends_ms: ends_ms(&consent, &application),
                origin: consent.target_origin,
                gives: words.group(consent.scopes.iter().map(String::as_str)),
                knows_identity: !consent.identity_scopes.is_empty(),
                tells_groups: asks_for_groups(&consent.identity_scopes),
                application: consent.application,
            });
        }
        Ok(views)
    }

    /// The person is asked the next time. Nothing when nothing was remembered.
    pub async fn forget_consent(&self, session: &Session, application: &str) -> Result<(), LoginError> {
        let mut has_forgotten_some = false;
        for identity in session.person.identities() {
            let forgotten = self.store.forget_consent(&identity, application).await.map_err(|error| self.store_error(error));
            forgotten.map_err(|error| if has_forgotten_some { error.after_a_change() } else { error })?;
            has_forgotten_some = true;
        }
        Ok(())
    }

    /// The person has said no to an application: it has to ask the next time too.
    pub async fn forget_after_refusal(&self, session: &Session, request: &GrantRequest) -> Result<(), LoginError> {
        match &request.delivery {
            Delivery::OAuth(to) => self.forget_consent(session, to.application.id()).await,
            // Neither is ever answered unasked.
            Delivery::Credentials { .. } | Delivery::Device(_) | Delivery::Widening(_) => Ok(()),
        }
    }

    /// For how long the person may have the application go unasked. `None`: they may not.
    pub(crate) fn remembers_for_ms(&self, request: &GrantRequest) -> Option<i64> {
        let Delivery::OAuth(to) = &request.delivery else { return None };
        // Where nobody is asked there is nothing to remember, but for what is broad.
        Some(to.application.settings.remember_ms).filter(|ms| *ms > 0)
    }

    /// What the last answer was counts, and no earlier one.
    pub(crate) async fn forget_before(
        &self,
        session: &Session,
        remember_ms: Option<i64>,
        request: &GrantRequest,
    ) -> Result<(), GrantError> {
        match (remember_ms, request.application()) {
            (Some(_), Some(application)) => Ok(self.forget_consent(session, application.id()).await?),
            _ => Ok(()),
        }
    }

    /// Remembers what a grant gave. The grant is made: at worst the person is asked the next time.
    pub(crate) async fn remember_consent(&self, session: &Session, remember_ms: i64, request: &GrantRequest, grant: &GrantRecord) {
        let Delivery::OAuth(to) = &request.delivery else { return };
        let now_ms = self.now_ms();
        let identity_scopes = to.openid.as_ref().filter(|_| !grant.identity_for.is_empty()).map(|openid| openid.scopes.clone());
        let consent = ConsentRecord {
            identity: session.person.identity.clone(),
            application: to.application.id().to_owned(),
            person: session.person.id.clone(),
            redirect_uri: to.redirect_uri.clone(),
            target_origin: grant.target_origin.clone(),
            scopes: grant.scopes.clone(),
            identity_scopes: identity_scopes.unwrap_or_default(),
            basis: basis(request, to, &ScopeSet::new(&grant.scopes), &self.words()),
            life_ms: grant.expires_ms.saturating_sub(grant.created_ms),
            at_ms: now_ms,
            expires_ms: now_ms.saturating_add(remember_ms),
        };
        if let Err(error) = self.store.remember_consent(&consent).await {
            tracing::warn!(error = %self.store_error(error), "a consent could not be remembered");
        }
    }

    /// What was remembered of the person and the application that asks, if it covers what it asks for: by the same redirect URI, and no more.
    pub(crate) async fn consent_for(
        &self,
        session: &Session,
        request: &GrantRequest,
        to: &OAuthDelivery,
        scopes: &ScopeSet,
    ) -> Result<Option<ConsentRecord>, LoginError> {
        let application = &to.application;
        if application.settings.remember_ms == 0 {
            return Ok(None);
        }
        let known = self.store.consents_of(&session.person.identity).await.map_err(|error| self.read_error(error))?;
        let covers = |consent: &ConsentRecord| {
            let given = ScopeSet::new(&consent.scopes);
            consent.application == application.id()
                && consent.person == session.person.id
                && self.now_ms() < ends_ms(consent, application)
                && consent.redirect_uri == to.redirect_uri
                && given.satisfies_all(scopes.iter())
                && to.openid.iter().flat_map(|openid| &openid.scopes).all(|scope| consent.identity_scopes.contains(scope))
                && request.ttl_ms_wish.is_none_or(|wish_ms| wish_ms.min(application.settings.max_life_ms) <= consent.life_ms)
                && consent.basis == basis(request, to, &given, &self.words())
        };
        Ok(known.into_iter().find(covers))
    }
}

/// A shorter time that was set since holds for what was remembered before.
fn ends_ms(consent: &ConsentRecord, application: &Application) -> i64 {
    consent.expires_ms.min(consent.at_ms.saturating_add(application.settings.remember_ms))
}

/// What the person looked at besides the scopes: who the application is, at which services it can use them, what for, and what is broad, in the words that the page had for it.
fn basis(request: &GrantRequest, to: &OAuthDelivery, given: &ScopeSet, words: &ScopeWords) -> String {
    let application = &to.application;
    let settings = &application.settings;
    let mut parts: Vec<&str> = vec![&settings.name, &settings.owner, settings.kind.as_str(), "redirect URIs"];
    parts.extend(settings.redirect_uris.iter().map(String::as_str));
    parts.push("scopes");
    parts.extend(application.scopes.iter());
    parts.push("broad");
    let broad: Vec<_> = given.iter().filter(|scope| words.is_broad(scope)).map(|scope| (scope, words.describe(scope))).collect();
    for (scope, description) in &broad {
        parts.push(scope);
        parts.extend(description.label.iter().map(|part| part.text.as_str()));
    }
    if !to.resources.is_empty() {
        parts.push("resources");
        parts.extend(to.resources.iter().map(String::as_str));
    }
    // Whoever wants to do something else is asked about.
    parts.extend(request.purpose.iter().flat_map(|purpose| ["purpose", purpose]));
    fingerprint(parts)
}
