//! Grants that count, and what is known of those that have ended.

use std::sync::Arc;

use falconer_scopes::ScopeSet;
use falconer_store::GrantRecord;

use super::Snapshot;
use crate::directory::absent_grants::ended::EndOfGrant;
use crate::directory::entries::{Grant, PresentScopes};
use crate::reserved;
use crate::settings::DEEPEST_DERIVED;

/// Bytes of a grant's id.
const GRANT_ID: usize = 22;

impl Snapshot {
    /// One grant. A revoked one is not there, and one that has ended only for a few minutes more.
    pub fn grant(&self, id: &str) -> Option<&Arc<Grant>> {
        self.grants.get(id)
    }

    /// All grants in memory, in no order.
    pub fn grants(&self) -> impl Iterator<Item = &Arc<Grant>> {
        self.grants.values()
    }

    /// What came directly from a grant, by id: what was derived from it, and what its holder asked for beyond it and got.
    pub(crate) fn came_from(&self, grant: &str) -> impl Iterator<Item = &Arc<Grant>> {
        let grant: Arc<str> = Arc::from(grant);
        let from = (Arc::clone(&grant), Arc::from(""));
        let of_grant = self.grants_by_origin.range(from..).take_while(move |(of, _)| *of == grant);
        of_grant.filter_map(|(_, id)| self.grants.get(id))
    }

    /// What was derived from a grant, and not from what was derived, by id.
    pub(crate) fn derived_from<'s>(&'s self, parent: &'s str) -> impl Iterator<Item = &'s Arc<Grant>> {
        self.came_from(parent).filter(move |grant| grant.record.parent.as_deref() == Some(parent))
    }

    /// Whether what a grant was derived from is there, and has not ended at this time.
    pub(crate) fn has_living_ancestors(&self, grant: &Grant, now_ms: i64) -> bool {
        let mut of = Some(grant);
        for _ in 0..=DEEPEST_DERIVED {
            let Some(parent) = of.and_then(|grant| grant.record.parent.as_deref()) else { return true };
            of = self.grants.get(parent).map(Arc::as_ref).filter(|grant| grant.record.expires_ms > now_ms);
            if of.is_none() {
                return false;
            }
        }
        false
    }

    /// How a grant that is not there has ended, where that is remembered. What is remembered of one that is there is of a change that came to nothing.
    pub(crate) fn end_of_grant(&self, id: &str) -> Option<EndOfGrant> {
        if self.grants.contains_key(id) { None } else { self.ended_grants.get(id) }
    }

    /// Remembers how a grant has ended.
    pub(crate) fn note_end_of_grant(&self, grant: &GrantRecord) {
        let end = EndOfGrant { is_revoked: grant.revoked_ms.is_some(), expires_ms: grant.expires_ms };
        self.ended_grants.note(&grant.id, end);
    }

    /// The grant whose certificate names this clientId.
    pub fn grant_named(&self, client_id: &str) -> Option<&Arc<Grant>> {
        self.grant_names.get(client_id).and_then(|id| self.grants.get(id))
    }

    /// Whether a clientId is what the certificate of a grant names, also of one that has ended, for as long as that is remembered. Such a name ends with the grant's id.
    pub(crate) fn is_name_of_grant(&self, client_id: &str) -> bool {
        let has_ended = || client_id.rsplit('/').next().filter(|id| id.len() == GRANT_ID).is_some_and(|id| self.end_of_grant(id).is_some());
        self.grant_named(client_id).is_some() || has_ended()
    }

    /// What a grant gives while the person has just these scopes: what was granted, as far as the person still has it. It is not expanded again,
    /// so that a role that grows later widens nothing.
    pub(crate) fn present_scopes_of_grant(&self, grant: &Grant, of_person: ScopeSet) -> ScopeSet {
        if let Some(known) = grant.present.load().as_ref()
            && known.of_person == of_person
        {
            return known.of_grant.clone();
        }
        let of_grant = grant.scopes.intersection(&of_person).with(reserved::CURRENT_SCOPES);
        grant.present.store(Some(Arc::new(PresentScopes { of_person, of_grant: of_grant.clone() })));
        of_grant
    }
}
