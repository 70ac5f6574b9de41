//! What login writes: grants, people and local accounts go through the store and then into the directory. What programs derive of grants is in `derived.rs`.

pub(crate) mod derived;

use std::sync::Arc;

use falconer_credentials::temporary::{self, Temporary};
use falconer_scopes::{Expression, ScopeSet};
use falconer_store::{GrantRecord, IdentityRecord, Key, Revision, Write};
use serde_json::{Value, json};

use crate::administer::scope_registries::check_words;
use crate::change::acting::step_by;
use crate::change::decide::{Decision, Now};
use crate::directory::entries::Grant;
use crate::directory::records::ScopeRegistries;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved::{self, CURRENT_SCOPES};
use crate::time::{DAY_MS, MINUTE_MS};
use crate::verify::caller::{Authentication, Caller};
use crate::verify::reason::Reason;

/// A certificate can't span more.
const LONGEST_MS: i64 = 31 * DAY_MS;
/// Clocks of services may be this far behind ours.
const EARLY_MS: i64 = 5 * MINUTE_MS;

/// A grant that a person has decided on.
#[derive(Clone, Debug, PartialEq)]
pub struct NewGrant {
    /// Who grants: the identity that names the grant.
    pub identity: String,
    /// The identity by which the person is signed in, for the history.
    pub signed_in_by: String,
    /// The host part of the clientId: encoded as identities are, with the port where it is not the default.
    pub host: String,
    /// The exact target as given; for an application its redirect URI, or `device://<id>` on a device.
    pub target: String,
    /// Scheme, host and port of the target.
    pub target_origin: String,
    /// What is granted: a closed set, equal to its own expansion.
    pub scopes: ScopeSet,
    /// A label: all that was on offer.
    pub everything: bool,
    /// Origins that may learn who the person is.
    pub identity_for: Vec<String>,
    /// The end, at most 31 days from now; milliseconds since the epoch.
    pub expires_ms: i64,
    /// The form's one-time nonce.
    pub nonce: String,
    /// A hash of the choices.
    pub choices: String,
    /// What the person calls it.
    pub name: Option<String>,
    /// What it goes to is called this: for the person's list.
    pub label: String,
    /// The id of the application that gets it.
    pub application: Option<String>,
    /// What it is for, in the words of who asks; [`wrong_text`](derived::wrong_text) has nothing against it.
    pub purpose: Option<String>,
    /// The grant whose holder asks for more and gets this one: a person's own, which counts at that moment. It ends with that one's revocation.
    pub widens: Option<String>,
}

/// A grant and the credentials that stand for it.
pub struct Issued {
    /// As stored.
    pub grant: GrantRecord,
    /// What the target is given.
    pub credentials: Temporary,
    /// Whether this very grant was there already: the button was pressed twice.
    pub repeated: bool,
    /// The revision at which it holds.
    pub revision: Revision,
}

impl Auth {
    /// Makes a grant and signs its credentials.
    ///
    /// The same nonce with the same choices gives the same credentials; with other choices a new grant, and the first is revoked. Errors:
    /// 409 when the first was revoked, or when the scopes are no longer closed because roles have changed (offer again); 403 when the person
    /// lacks a scope; 401 when the person is gone; 400 when the end is not in the next 31 days.
    pub async fn add_grant(&self, new: NewGrant) -> Result<Issued, ApiError> {
        self.add_grant_read_in(new, None).await
    }

    /// The same for what somebody has read in these words of services. 409 too where a service has published others of these scopes since, on whichever server: what they
    /// read may be a high risk now.
    pub async fn add_read_grant(&self, new: NewGrant, words: &ScopeRegistries) -> Result<Issued, ApiError> {
        self.add_grant_read_in(new, Some(words)).await
    }

    async fn add_grant_read_in(&self, new: NewGrant, words: Option<&ScopeRegistries>) -> Result<Issued, ApiError> {
        let new = &new;
        let stored = self.stored_with_nonce(&new.identity, &new.nonce).await?;
        let ((grant, repeated), revision) = self
            .decide(|now| {
                let here = newest_with_nonce(&now.snapshot, &new.identity, &new.nonce);
                // What was not revoked when it was read, and is not here before its end, was revoked since.
                let is_revoked = |grant: &GrantRecord| grant.revoked_ms.is_some() || (here.is_none() && now.now_ms < grant.expires_ms);
                let before = here.as_ref().map(|grant| &grant.record).or(stored.as_ref());
                if let Some(before) = before {
                    if is_revoked(before) {
                        return Err(ApiError::RequestConflict("This grant has been revoked".to_owned()));
                    }
                    if before.choices == new.choices {
                        return Ok(Decision::Keep((before.clone(), true)));
                    }
                }
                self.may_grant(now, new)?;
                check_words(now, words, &new.scopes)?;
                check_widened(now, new)?;
                let record = self.new_grant(now, new)?;
                let mut depends_on = vec![Key::Role];
                depends_on.extend(now.snapshot.identity(&new.identity).map(|identity| now.snapshot.keys_of(identity)).unwrap_or_default());
                depends_on.extend(before.iter().map(|before| Key::Grant(before.id.clone())));
                depends_on.extend(words.map(|_| Key::ScopeRegistries));
                depends_on.extend(new.widens.iter().map(|widened| Key::Grant(widened.clone())));
                let mut step = step_by(now, &new.signed_in_by, "granted", depends_on);
                step.detail = Some(detail_of(new));
                let replaces = before.map(|before| before.id.clone());
                Ok(Decision::Write(step, Write::InsertGrant(record.clone(), replaces), (record, false)))
            })
            .await?;
        let credentials = self.grant_credentials(&grant)?;
        Ok(Issued { grant, credentials, repeated, revision })
    }

    /// The person's newest grant from this form in the store, where also those are that have ended. This node knows of it then, if it has not.
    async fn stored_with_nonce(&self, identity: &str, nonce: &str) -> Result<Option<GrantRecord>, ApiError> {
        if nonce.is_empty() {
            return Ok(None);
        }
        let failed = |error| self.node.store_error(error);
        let found = self.node.store.grant_by_nonce(identity, nonce).await.map_err(failed)?;
        let is_missing = |grant: &GrantRecord| grant.revoked_ms.is_none() && self.directory().grant(&grant.id).is_none();
        if found.as_ref().is_some_and(is_missing) {
            self.catch_up().await.map_err(failed)?;
        }
        Ok(found)
    }

    /// The credentials of a grant, derived again from its issuer and seed.
    pub fn grant_credentials(&self, grant: &GrantRecord) -> Result<Temporary, ApiError> {
        let snapshot = self.directory();
        let issuer = snapshot.issuer(&grant.issuer).ok_or_else(|| ApiError::Internal(format!("no issuer {}", grant.issuer)))?;
        let scopes = [format!("{}{}", reserved::GRANT_SCOPE, grant.id)];
        let name = Some(grant.client_id.as_str());
        temporary::create(&issuer.record.name, &issuer.token, name, &scopes, grant.start_ms, grant.expires_ms, &grant.seed)
            .map_err(|error| ApiError::Internal(format!("grant {}: {error}", grant.id)))
    }

    /// Ends grants that one of these identities names, at once. Those of somebody else, and those that are revoked already, are passed over. What this node does not
    /// know is left to the store, so that nothing is taken for revoked that is not: the caller has read there whose it is.
    pub async fn revoke_grants<S: AsRef<str> + Sync>(
        &self,
        owners: &[S],
        by: &str,
        ids: &[String],
        reason: &str,
    ) -> Result<Revision, ApiError> {
        let is_theirs = |identity: &str| owners.iter().any(|owner| owner.as_ref() == identity);
        self.decide(|now| {
            let ids: Vec<String> = ids
                .iter()
                .filter(|id| now.snapshot.grant(id).is_none_or(|grant| is_theirs(&grant.record.identity)))
                .filter(|id| !now.snapshot.end_of_grant(id).is_some_and(|end| end.is_revoked))
                .cloned()
                .collect();
            if ids.is_empty() {
                return Ok(Decision::Keep(()));
            }
            let depends_on = ids.iter().cloned().map(Key::Grant).collect();
            let write = Write::RevokeGrants { ids, by: by.to_owned(), reason: reason.to_owned() };
            Ok(Decision::Write(step_by(now, by, "revoked", depends_on), write, ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// The grant whose credentials the caller has. 400 for whoever has other credentials, and for a request that is restricted to some scopes, as of
    /// [`Auth::end_own_grant`].
    pub async fn own_grant(&self, who: &Authentication) -> Result<GrantRecord, ApiError> {
        self.decide(|now| {
            let caller = self.acting(now, who)?.caller;
            caller.require_scope(CURRENT_SCOPES.to_owned())?;
            if who.is_restricted() {
                return Err(ApiError::InputError("A request that is restricted by authorizedScopes asks for nothing more".to_owned()));
            }
            let grant = own_grant_of(now, &caller).ok_or_else(no_grant)?;
            Ok(Decision::Keep(grant.record.clone()))
        })
        .await
        .map(|(grant, _)| grant)
    }

    /// Ends the grant whose credentials the caller has, at once. 400 for whoever has other credentials, such as those of a client that was made with the grant: they
    /// are worth less than the grant, and must not end more than themselves. 400 too for a request that is restricted to some scopes: it may be of a program that was
    /// given only these.
    pub async fn end_own_grant(&self, who: &Authentication) -> Result<Revision, ApiError> {
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            acting.caller.require_scope(CURRENT_SCOPES.to_owned())?;
            if who.is_restricted() {
                return Err(ApiError::InputError("A request that is restricted by authorizedScopes ends no grant".to_owned()));
            }
            let grant = own_grant_of(now, &acting.caller).ok_or_else(no_grant)?;
            let ids = vec![grant.record.id.clone()];
            let write = Write::RevokeGrants { ids, by: acting.caller.actor(), reason: "signed out".to_owned() };
            Ok(Decision::Write(acting.step(now, "revoked", Key::Grant(grant.record.id.clone())), write, ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Writes what a provider says about a person.
    pub async fn put_identity(&self, by: &str, identity: &IdentityRecord) -> Result<Revision, ApiError> {
        self.write_person(by, "refreshed", identity, |identity| Write::PutIdentity(identity.clone())).await
    }

    async fn write_person(
        &self,
        by: &str,
        action: &str,
        identity: &IdentityRecord,
        write: impl Fn(&IdentityRecord) -> Write + Send + Sync,
    ) -> Result<Revision, ApiError> {
        reserved::refuse_reserved(&identity.scopes)?;
        self.decide(|now| {
            let step = step_by(now, by, action, vec![Key::Identity(identity.identity.clone())]);
            Ok(Decision::Write(step, write(identity), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Whether the person may grant this now: what the page showed may be old.
    fn may_grant(&self, now: &Now, new: &NewGrant) -> Result<(), ApiError> {
        let identity = now.snapshot.identity(&new.identity);
        let present = identity
            .and_then(|identity| self.node.present_scopes(&now.snapshot, identity, now.now_ms))
            .ok_or_else(|| Reason::PersonInactive { identity: new.identity.clone() })?;
        let required = Expression::all_of(new.scopes.iter().map(str::to_owned));
        if let Some(missing) = required.missing(&present) {
            return Err(ApiError::InsufficientScopes { client_id: Some(new.identity.clone()), missing, required });
        }
        if now.snapshot.expand(new.scopes.iter()) != new.scopes {
            return Err(ApiError::RequestConflict("Roles have changed since the page was shown".to_owned()));
        }
        if new.expires_ms <= now.now_ms || new.expires_ms > now.now_ms.saturating_add(LONGEST_MS) {
            return Err(ApiError::InputError("A grant ends within the next 31 days".to_owned()));
        }
        Ok(())
    }

    fn new_grant(&self, now: &Now, new: &NewGrant) -> Result<GrantRecord, ApiError> {
        let issuer = now.snapshot.current_issuer().ok_or_else(|| ApiError::Internal("no internal issuer".to_owned()))?;
        let id = self.node.new_id();
        Ok(GrantRecord {
            client_id: format!("{}/{}/{id}", new.identity, new.host),
            id,
            identity: new.identity.clone(),
            target: new.target.clone(),
            target_origin: new.target_origin.clone(),
            scopes: new.scopes.to_vec(),
            everything: new.everything,
            identity_for: new.identity_for.clone(),
            created_ms: now.now_ms,
            start_ms: start_of_grant(now, new.expires_ms),
            expires_ms: new.expires_ms,
            issuer: issuer.record.name.clone(),
            seed: format!("{}{}", self.node.slugid(), self.node.slugid()),
            nonce: new.nonce.clone(),
            choices: new.choices.clone(),
            label: new.label.clone(),
            name: new.name.clone(),
            parent: None,
            purpose: new.purpose.clone(),
            application: new.application.clone(),
            widens: new.widens.clone(),
            last_used_ms: None,
            use_count: 0,
            revoked_ms: None,
            revoked_by: None,
            reason: None,
        })
    }
}

/// The grant whose own credentials the caller has. A client that was made with a grant is not the grant: it can be given to somebody else.
pub(crate) fn own_grant_of<'n>(now: &'n Now, caller: &Caller) -> Option<&'n Arc<Grant>> {
    let grant = caller.grant.as_deref().and_then(|id| now.snapshot.grant(id));
    grant.filter(|grant| caller.client_id.as_ref() == Some(&grant.record.client_id))
}

fn no_grant() -> ApiError {
    ApiError::InputError("These are not the credentials of a grant".to_owned())
}

/// What the history says of it; what is not there is left out.
fn detail_of(new: &NewGrant) -> Value {
    let mut detail = json!({"target": new.target_origin, "name": new.name});
    if let Some(members) = detail.as_object_mut() {
        members.extend(new.purpose.iter().map(|purpose| ("purpose".to_owned(), json!(purpose))));
        members.extend(new.widens.iter().map(|widened| ("widens".to_owned(), json!(widened))));
    }
    detail
}

/// Whether the grant whose holder asks for more still counts, and is one of this person's.
fn check_widened(now: &Now, new: &NewGrant) -> Result<(), ApiError> {
    let Some(id) = new.widens.as_deref() else { return Ok(()) };
    let widened = now.snapshot.grant(id).filter(|grant| now.now_ms < grant.record.expires_ms);
    let widened = widened.filter(|grant| now.snapshot.has_living_ancestors(grant, now.now_ms));
    match widened {
        Some(grant) if is_same_person(&now.snapshot, &grant.record.identity, &new.identity) => Ok(()),
        _ => Err(ApiError::RequestConflict("The grant whose holder asks for more has ended".to_owned())),
    }
}

fn is_same_person(snapshot: &Snapshot, one: &str, other: &str) -> bool {
    let person_of = |identity: &str| snapshot.identity(identity).map(|identity| &identity.record.person);
    one == other || person_of(one) == person_of(other)
}

/// The first instant of the certificate of a grant.
fn start_of_grant(now: &Now, expires_ms: i64) -> i64 {
    now.now_ms.saturating_sub(EARLY_MS).max(expires_ms.saturating_sub(LONGEST_MS))
}

/// The person's newest grant from this form that has not ended; an empty nonce is no form.
fn newest_with_nonce(snapshot: &Snapshot, identity: &str, nonce: &str) -> Option<Arc<Grant>> {
    if nonce.is_empty() {
        return None;
    }
    snapshot
        .grants()
        .filter(|grant| grant.record.nonce == nonce)
        .filter(|grant| is_same_person(snapshot, &grant.record.identity, identity))
        .max_by_key(|grant| grant.record.created_ms)
        .cloned()
}
