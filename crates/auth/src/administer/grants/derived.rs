//! Derived grants: whoever has a grant takes a part of it, for less time, for one task. Nobody is asked, because nothing is added.

use std::sync::Arc;

use falconer_scopes::{Expression, ScopeSet};
use falconer_store::{GrantRecord, Key, MOST_DERIVED_GRANTS, Write};
use serde_json::json;

use crate::administer::grants::{Issued, own_grant_of, start_of_grant};
use crate::change::acting::step_by;
use crate::change::decide::{Decision, Now};
use crate::directory::entries::Grant;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved;
use crate::settings::DEEPEST_DERIVED;
use crate::time::HOUR_MS;
use crate::unseen::is_unseen;
use crate::verify::caller::Authentication;
use crate::verify::effective_scopes::ActiveGrant;

/// So many that have not ended may be derived from one that a person gave, directly or one from the other. The store counts too, because other servers derive as well.
pub const MOST_DERIVED: usize = MOST_DERIVED_GRANTS as usize;
/// Longest purpose of a grant, in characters.
pub const LONGEST_PURPOSE: usize = 200;
/// How long one lasts if nobody says it.
const ORDINARY_MS: i64 = HOUR_MS;

/// A part of a grant.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDerivedGrant {
    /// What of it; satisfied by what the grant gives at that moment.
    pub scopes: Vec<String>,
    /// The end, not later than that of the grant; milliseconds since the epoch. `None`: an hour, or when the grant ends.
    pub expires_ms: Option<i64>,
    /// What it is for, for the person's list.
    pub purpose: Option<String>,
}

impl Auth {
    /// Derives a grant from the one whose own credentials have signed. Errors: 400 for what can't be derived, 401 and 403 as for any call, 409 beyond [`MOST_DERIVED`].
    pub async fn derive_grant(&self, who: &Authentication, new: &NewDerivedGrant) -> Result<Issued, ApiError> {
        self.derive(new, |now| {
            let caller = self.acting(now, who)?.caller;
            let parent = own_grant_of(now, &caller)
                .ok_or_else(|| ApiError::InputError("A grant is derived with the credentials of a grant; these are of none".to_owned()))?;
            Ok((parent.record.id.clone(), caller.scopes))
        })
        .await
    }

    /// The same for whoever shows an access token of the grant, which has been checked.
    pub async fn derive_from(&self, parent: &str, new: &NewDerivedGrant) -> Result<Issued, ApiError> {
        // The store has the token, and so has the grant: another server may have made it a moment ago.
        if self.directory().grant(parent).is_none() {
            self.catch_up().await.map_err(|error| self.node.store_error(error))?;
        }
        self.derive(new, |now| {
            let active = self.node.active_grant(&now.snapshot, parent, now.now_ms)?;
            Ok((parent.to_owned(), active.scopes))
        })
        .await
    }

    /// `held` gives the parent, and what of it the caller holds.
    async fn derive(
        &self,
        new: &NewDerivedGrant,
        held: impl Fn(&Now) -> Result<(String, ScopeSet), ApiError> + Send + Sync,
    ) -> Result<Issued, ApiError> {
        check(new)?;
        let (record, revision) = self
            .decide(|now| {
                let snapshot = &now.snapshot;
                let (parent, held) = held(now)?;
                let active = self.node.active_grant(snapshot, &parent, now.now_ms)?;
                let above = &active.grant.record;
                if ancestors(snapshot, active.grant).count() >= DEEPEST_DERIVED {
                    return Err(ApiError::InputError(format!("At most {DEEPEST_DERIVED} grants are derived one from the other")));
                }
                let given = ancestors(snapshot, active.grant).last().unwrap_or(active.grant);
                if living_below(snapshot, &given.record.id, now.now_ms, MOST_DERIVED) == MOST_DERIVED {
                    let text = format!("{MOST_DERIVED} grants are derived already from the one that the person gave");
                    return Err(ApiError::RequestConflict(text));
                }
                let record = self.new_derived(now, new, &active, &held)?;
                let mut depends_on = vec![Key::Role, Key::Grant(parent.clone())];
                depends_on.extend(ancestors(snapshot, active.grant).map(|grant| Key::Grant(grant.record.id.clone())));
                depends_on.extend(snapshot.keys_of(active.identity));
                let mut step = step_by(now, &above.client_id, "derived", depends_on);
                step.grant = Some(parent.clone());
                step.detail = Some(json!({"parent": parent, "purpose": record.purpose}));
                Ok(Decision::Write(step, Write::InsertGrant(record.clone(), None), record))
            })
            .await?;
        let credentials = self.grant_credentials(&record)?;
        Ok(Issued { grant: record, credentials, repeated: false, revision })
    }

    fn new_derived(&self, now: &Now, new: &NewDerivedGrant, active: &ActiveGrant<'_>, held: &ScopeSet) -> Result<GrantRecord, ApiError> {
        let above = &active.grant.record;
        let required = Expression::all_of(new.scopes.iter().cloned());
        if let Some(missing) = required.missing(held).or_else(|| required.missing(&active.scopes)) {
            return Err(ApiError::insufficient(Some(&above.client_id), missing, required));
        }
        let expanded = now.snapshot.expand_completely(&new.scopes);
        let expanded = expanded.ok_or_else(|| ApiError::InputError("The scopes lead to too many roles".to_owned()))?;
        // What a scope leads to is in it only as far as the grant has it.
        let scopes = expanded.intersection(&active.scopes).intersection(held);
        let expires_ms = new.expires_ms.unwrap_or_else(|| now.now_ms.saturating_add(ORDINARY_MS).min(above.expires_ms));
        if expires_ms <= now.now_ms || expires_ms > above.expires_ms {
            return Err(ApiError::InputError("A derived grant ends in the future, and not later than what it is derived from".to_owned()));
        }
        let issuer = now.snapshot.current_issuer().ok_or_else(|| ApiError::Internal("no internal issuer".to_owned()))?;
        let id = self.node.new_id();
        Ok(GrantRecord {
            client_id: format!("{}{id}", above.client_id.strip_suffix(&above.id).unwrap_or_default()),
            id,
            scopes: scopes.to_vec(),
            everything: false,
            // Who the person is was told to the site that asked, and to nobody that it hands a part on to.
            identity_for: Vec::new(),
            created_ms: now.now_ms,
            start_ms: start_of_grant(now, expires_ms),
            expires_ms,
            issuer: issuer.record.name.clone(),
            seed: format!("{}{}", self.node.slugid(), self.node.slugid()),
            nonce: String::new(),
            choices: String::new(),
            name: None,
            parent: Some(above.id.clone()),
            purpose: new.purpose.clone(),
            widens: None,
            last_used_ms: None,
            use_count: 0,
            revoked_ms: None,
            revoked_by: None,
            reason: None,
            ..above.clone()
        })
    }
}

/// What can be said without looking anything up.
fn check(new: &NewDerivedGrant) -> Result<(), ApiError> {
    reserved::refuse_reserved(&new.scopes)?;
    if new.scopes.is_empty() {
        return Err(ApiError::InputError("A derived grant has at least one scope".to_owned()));
    }
    match new.purpose.as_deref().and_then(|purpose| wrong_text("purpose", purpose)) {
        Some(problem) => Err(ApiError::InputError(problem)),
        None => Ok(()),
    }
}

/// Why a purpose or a reason, as `what` calls it, can't be shown.
pub fn wrong_text(what: &str, text: &str) -> Option<String> {
    if text.chars().count() > LONGEST_PURPOSE {
        return Some(format!("A {what} has at most {LONGEST_PURPOSE} characters"));
    }
    if text.trim().is_empty() {
        return Some(format!("A {what} is not empty"));
    }
    text.chars().any(is_unseen).then(|| format!("A {what} has no control characters, and none that nobody sees"))
}

/// The grants that one was derived from, the nearest first; as far as they are known here.
pub(crate) fn ancestors<'s>(snapshot: &'s Snapshot, grant: &'s Grant) -> impl Iterator<Item = &'s Arc<Grant>> {
    let above = |grant: &Grant| grant.record.parent.as_deref().and_then(|parent| snapshot.grant(parent));
    // The store could say that two are derived from each other, and nothing may go round.
    std::iter::successors(above(grant), move |grant| above(grant)).take(DEEPEST_DERIVED)
}

/// How many that have not ended are derived from a grant, directly or one from the other; no more than `most` are counted.
fn living_below(snapshot: &Snapshot, id: &str, now_ms: i64, most: usize) -> usize {
    let mut count = 0_usize;
    for grant in snapshot.derived_from(id).filter(|grant| grant.record.expires_ms > now_ms) {
        if count == most {
            break;
        }
        count = count.saturating_add(1);
        count = count.saturating_add(living_below(snapshot, &grant.record.id, now_ms, most.saturating_sub(count)));
    }
    count
}
