//! What ends: a person who may not act, their sessions, what they let others do.

use falconer_store::{Key, Revision, Write};
use serde_json::json;

use crate::administer::people::by::By;
use crate::administer::people::linking::known;
use crate::change::decide::Decision;
use crate::error::ApiError;
use crate::node::Auth;

impl Auth {
    /// The person of this identity may not act, or may again. A caller needs the scope for each of their identities, and disables nobody's own person.
    pub async fn disable_person(&self, by: impl Into<By<'_>>, identity: &str, disabled: bool) -> Result<Revision, ApiError> {
        let by = by.into();
        self.decide(|now| {
            let deciding = self.deciding(now, by, identity)?;
            let (known, person) = known(now, identity)?;
            deciding.require_for_all(&now.snapshot, person)?;
            if disabled {
                deciding.refuse_own(&now.snapshot, person, "Nobody disables themselves")?;
            }
            let mut record = person.record.clone();
            if record.disabled == disabled {
                return Ok(Decision::Keep(()));
            }
            record.disabled = disabled;
            record.last_modified_ms = now.now_ms.max(record.last_modified_ms);
            let action = if disabled { "disabled" } else { "enabled" };
            let mut step = deciding.step(now, action, now.snapshot.keys_of(known));
            step.detail = Some(json!({"name": record.name, "disabled": {"before": !disabled, "after": disabled}}));
            Ok(Decision::Write(step, Write::UpdatePerson(record), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Ends all sessions of the person of this identity.
    pub async fn end_sessions_of_person(&self, by: impl Into<By<'_>>, identity: &str) -> Result<Revision, ApiError> {
        let by = by.into();
        self.decide(|now| {
            let deciding = self.deciding(now, by, identity)?;
            let (known, person) = known(now, identity)?;
            deciding.require_for_all(&now.snapshot, person)?;
            let identities = now.snapshot.linked(&person.record.id).map(|linked| linked.record.identity.clone()).collect();
            let step = deciding.step(now, "signed out", now.snapshot.keys_of(known));
            Ok(Decision::Write(step, Write::EndSessions(identities), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Ends a grant of the person of this identity. 404 when there is none of theirs that has not ended.
    pub async fn revoke_grant_of_person(
        &self,
        by: impl Into<By<'_>>,
        identity: &str,
        id: &str,
        reason: &str,
    ) -> Result<Revision, ApiError> {
        let by = by.into();
        self.decide(|now| {
            let deciding = self.deciding(now, by, identity)?;
            let (_, person) = known(now, identity)?;
            deciding.require_for_all(&now.snapshot, person)?;
            let grant = now.snapshot.grant(id).filter(|grant| {
                let theirs = now.snapshot.identity(&grant.record.identity).is_some_and(|owner| owner.record.person == person.record.id);
                theirs && grant.record.revoked_ms.is_none() && grant.record.expires_ms > now.now_ms
            });
            if grant.is_none() {
                return Err(ApiError::ResourceNotFound(format!("{identity} has no such grant")));
            }
            let by = deciding.actor();
            let write = Write::RevokeGrants { ids: vec![id.to_owned()], by, reason: reason.to_owned() };
            let step = deciding.step(now, "revoked", vec![Key::Grant(id.to_owned()), Key::Person(person.record.id.clone())]);
            Ok(Decision::Write(step, write, ()))
        })
        .await
        .map(|((), revision)| revision)
    }
}
