//! What a person says to somebody who has a grant of theirs and asks for more.

use std::sync::Arc;

use falconer_auth::NewGrant;
use falconer_login::{LoginError, Session};
use falconer_scopes::ScopeSet;
use falconer_store::{DeviceRequestRecord, GrantIdentityRecord, GrantRecord};

use crate::applications::application::Application;
use crate::consent::broad::{ALWAYS, Expansions};
use crate::consent::request::GrantRequest;
use crate::delivery::application::Delivery;
use crate::error::{AfterGrant, GrantError};
use crate::grants::Grants;
use crate::records::form::may_be_ours;
use crate::records::granted::{ScopeGroup, name_of};
use crate::targets::in_words::DEVICE;
use crate::targets::target::Target;

/// The page after Grant.
const DONE: &str = "/me/grants?done=widened";

/// Who asks for more, and beyond which grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Widening {
    /// The grant that they have. Nothing of it changes.
    pub grant: GrantRecord,
    /// Those that it was derived from, the nearest first.
    pub above: Vec<GrantRecord>,
    /// What it gives at this moment, by service.
    pub gives: Vec<ScopeGroup>,
    /// Why, in their words.
    pub reason: String,
    /// When they asked, milliseconds since 1970.
    pub requested_ms: i64,
    /// Something was granted already: only the form that did it has anything more to say.
    pub answered: bool,
    pub(crate) application: Option<Arc<Application>>,
    pub(crate) site: Target,
    id: String,
}

impl Widening {
    /// What is granted: what the grant gives, and what was ticked, to whoever has it.
    pub(crate) fn beyond(&self, kept: ScopeSet, new: NewGrant) -> NewGrant {
        let GrantRecord { id, identity, client_id, .. } = &self.grant;
        let host = client_id.strip_prefix(&format!("{identity}/")).and_then(|rest| rest.strip_suffix(&format!("/{id}")));
        NewGrant {
            host: host.map_or(new.host, str::to_owned),
            target: self.grant.target.clone(),
            target_origin: self.grant.target_origin.clone(),
            scopes: ScopeSet::new(kept.iter().chain(new.scopes.iter())),
            everything: false,
            identity_for: self.grant.identity_for.clone(),
            label: self.grant.label.clone(),
            purpose: Some(self.reason.clone()),
            widens: Some(id.clone()),
            ..new
        }
    }
}

/// A request that nobody has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRequest {
    /// What the address of its page names it by.
    pub id: String,
    /// Of the grant: `https://notes.example.com`.
    pub site: String,
    /// The name that the administrator registered.
    pub name: Option<String>,
    /// Why, in the words of who asks.
    pub reason: String,
    /// How many scopes more are asked for; 0: only more time.
    pub scopes: usize,
    /// When they asked, milliseconds since 1970.
    pub requested_ms: i64,
}

impl Grants {
    /// What somebody asks for who has a grant of this person, by the id of the request. Not found: it is nobody's, somebody else's, refused or over.
    pub async fn widening_request(&self, session: &Session, id: &str) -> Result<GrantRequest, LoginError> {
        let (record, grant) = self.waiting_for(session, id).await?;
        let application = self.known_application(&record.application);
        if application.is_none() && !record.application.is_empty() {
            return Err(not_found());
        }
        // It may be registered for less since it asked.
        let may_get = |scope: &str| application.as_ref().is_none_or(|application| application.scopes.satisfies(scope));
        let held = self.auth.grant_scopes(&grant.id).unwrap_or_default();
        let mut above = Vec::new();
        let mut parent = grant.parent.clone();
        while let Some(id) = parent.take_if(|_| above.len() < falconer_auth::DEEPEST_DERIVED) {
            let Some(found) = self.store.grant(&id).await.map_err(|error| self.read_error(error))? else { break };
            parent = found.parent.clone();
            above.push(found);
        }
        let device = || Target::of_device(grant.target.strip_prefix(DEVICE).unwrap_or(&grant.target));
        Ok(GrantRequest {
            target: Target::parse(&grant.target).unwrap_or_else(|_| device()),
            description: String::new(),
            scopes: record.scopes.iter().filter(|scope| may_get(scope) && !held.satisfies(scope)).cloned().collect(),
            identity: false,
            audience: Vec::new(),
            ttl_ms_wish: record.life_ms,
            expires_ms_wish: None,
            // What the one before is called goes on.
            name_wish: grant.name.clone().unwrap_or_default(),
            purpose: None,
            canonical: format!("id={id}"),
            delivery: Delivery::Widening(Box::new(Widening {
                gives: self.words().group(held.iter().filter(|scope| *scope != ALWAYS)),
                reason: record.reason.unwrap_or_default(),
                requested_ms: record.created_ms,
                answered: record.grant.is_some(),
                site: Target::parse(&grant.target_origin).unwrap_or_else(|_| device()),
                id: record.user_hash,
                application,
                above,
                grant,
            })),
        })
    }

    /// Nothing is given, and whoever asks is told so.
    pub async fn refuse_widening(&self, session: &Session, id: &str) -> Result<(), LoginError> {
        let (record, _) = self.waiting_for(session, id).await?;
        let refused = self.store.answer_device_request(&record.user_hash, None, self.now_ms()).await;
        if refused.map_err(|error| self.store_error(error))? { Ok(()) } else { Err(not_found()) }
    }

    /// What waits for an answer of this person, oldest first.
    pub async fn waiting_requests(&self, session: &Session) -> Result<Vec<WaitingRequest>, LoginError> {
        let now_ms = self.now_ms();
        let mut waiting = Vec::new();
        for identity in session.person.identities() {
            let open = self.store.open_requests_of(&identity, now_ms).await.map_err(|error| self.read_error(error))?;
            for request in open {
                let Some(grant) = self.grant_behind(&request).await? else { continue };
                waiting.push(WaitingRequest {
                    id: request.user_hash,
                    site: grant.target_origin.clone(),
                    name: name_of(&grant).map(str::to_owned),
                    reason: request.reason.unwrap_or_default(),
                    scopes: request.scopes.len(),
                    requested_ms: request.created_ms,
                });
            }
        }
        waiting.sort_by(|one, other| (one.requested_ms, &one.id).cmp(&(other.requested_ms, &other.id)));
        Ok(waiting)
    }

    /// What the grant gives at this moment, as a closed set: it goes on in the other one. A role that has grown since is not in it, only what it gave.
    pub(crate) fn kept_of(&self, widening: &Widening, expansions: &Expansions<'_>) -> ScopeSet {
        let held = self.auth.grant_scopes(&widening.grant.id).unwrap_or_default();
        let is_kept = |scope: &&str| *scope != ALWAYS && held.satisfies_all(expansions.expansion(scope).iter());
        ScopeSet::new(held.iter().filter(is_kept))
    }

    /// Gives whoever asked a grant that was made for it, unless it was answered meanwhile, or is over: then the grant ends.
    pub(crate) async fn answer_widening(&self, to: &Widening, grant: &GrantRecord) -> Result<String, AfterGrant> {
        // Whoever was told who the person is goes on to be.
        if let Some(told) = self.grant_identity(&to.grant.id).await?.filter(|_| !grant.identity_for.is_empty()) {
            let record = GrantIdentityRecord { grant: grant.id.clone(), kept_until_ms: grant.expires_ms, ..told };
            self.store.put_grant_identity(&record).await.map_err(|error| self.store_error(error))?;
        }
        let answered = self.store.answer_device_request(&to.id, Some(&grant.id), self.now_ms()).await;
        if answered.map_err(|error| self.store_error(error))? {
            return Ok(DONE.to_owned());
        }
        let identity = std::slice::from_ref(&grant.identity);
        self.login.revoke_grants(identity, &grant.identity, vec![grant.id.clone()], "the request for it was answered before").await?;
        Err(AfterGrant::ended(GrantError::RequestGone))
    }

    /// A request that has not ended and was not refused, of somebody who has a grant of this person that counts.
    async fn waiting_for(&self, session: &Session, id: &str) -> Result<(DeviceRequestRecord, GrantRecord), LoginError> {
        self.login.check_clock()?;
        if !may_be_ours(id) {
            return Err(not_found());
        }
        let found = self.store.device_request_of_person(id).await.map_err(|error| self.read_error(error))?;
        let record = found.filter(|record| record.denied_ms.is_none() && self.now_ms() < record.expires_ms).ok_or_else(not_found)?;
        let grant = self.grant_behind(&record).await?.filter(|grant| session.person.has(&grant.identity)).ok_or_else(not_found)?;
        Ok((record, grant))
    }

    /// The grant beyond which is asked, where it counts.
    pub(crate) async fn grant_behind(&self, record: &DeviceRequestRecord) -> Result<Option<GrantRecord>, LoginError> {
        match &record.for_grant {
            Some(id) => self.live_grant(id).await,
            None => Ok(None),
        }
    }
}

fn not_found() -> LoginError {
    LoginError::NotFound(
        "No such request waits for you. Requests end after half an hour, with their grant, and once they were answered.".to_owned(),
    )
}
