//! People, as an administrator manages them. The caller has decided that they may: the command line by standing on the machine.

use falconer_auth::{ApiError, By, Revision};
use falconer_scopes::ScopeSet;

use crate::error::LoginError;
use crate::login::Login;
use crate::people::person::{Linked, linked_of};

/// A person and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonView {
    /// Immutable, and means nothing.
    pub id: String,
    /// The identity that names what is new.
    pub name: String,
    /// All identities, ascending.
    pub linked: Vec<Linked>,
    /// The person may not act.
    pub disabled: bool,
    /// What they may do at present, expanded.
    pub scopes: ScopeSet,
    /// Milliseconds since 1970.
    pub created_ms: i64,
}

impl Login {
    /// All people, by name.
    pub fn people(&self) -> Vec<PersonView> {
        let directory = self.auth.directory();
        let mut people: Vec<PersonView> = directory
            .people()
            .map(|person| {
                let linked: Vec<Linked> = directory.linked(&person.record.id).map(AsRef::as_ref).map(linked_of).collect();
                let acts = linked.iter().find(|linked| linked.active);
                PersonView {
                    id: person.record.id.clone(),
                    name: person.record.name.clone(),
                    disabled: person.record.disabled,
                    scopes: acts.and_then(|acts| self.auth.person_scopes(&acts.identity)).unwrap_or_default(),
                    created_ms: person.record.created_ms,
                    linked,
                }
            })
            .collect();
        people.sort_by(|a, b| a.name.cmp(&b.name));
        people
    }

    /// All identities of the person of this one.
    pub(crate) fn identities_of(&self, identity: &str) -> Vec<String> {
        let directory = self.auth.directory();
        let person = directory.person_of(identity);
        person.map(|person| directory.linked(&person.record.id).map(|linked| linked.record.identity.clone()).collect()).unwrap_or_default()
    }

    /// Links an identity with the person of another one. Nobody signs in for it: whoever calls knows that both are one person. All sessions of both end.
    pub async fn link_identity(&self, by: impl Into<By<'_>>, identity: &str, with: &str) -> Result<Revision, ApiError> {
        let revision = self.auth.link_identity(by, identity, with, None).await?;
        self.end_all_sessions(&self.identities_of(identity)).await?;
        Ok(revision)
    }

    /// Makes an identity a person of its own again, and ends the sessions by it.
    pub async fn unlink_identity(&self, by: impl Into<By<'_>>, identity: &str) -> Result<Revision, ApiError> {
        let revision = self.auth.unlink_identity(by, identity).await?;
        self.end_all_sessions(&[identity.to_owned()]).await?;
        Ok(revision)
    }

    /// From now on this identity names new clients and grants of its person.
    pub async fn name_person(&self, by: impl Into<By<'_>>, identity: &str) -> Result<Revision, ApiError> {
        self.auth.name_person(by, identity).await
    }

    /// From now on the person of this identity may not sign in or act, by any identity; all sessions and grants end.
    pub async fn disable_person(&self, by: impl Into<By<'_>>, identity: &str) -> Result<Revision, ApiError> {
        let by = by.into();
        let revision = self.auth.disable_person(by, identity, true).await?;
        let identities = self.identities_of(identity);
        let revoked = self.revoke_all_grants(&identities, &by.name(), "the person was disabled").await;
        revoked.map_err(LoginError::after_a_change)?;
        self.end_all_sessions(&identities).await?;
        Ok(revision)
    }

    /// The person may sign in again. What they granted before stays revoked.
    pub async fn enable_person(&self, by: impl Into<By<'_>>, identity: &str) -> Result<Revision, ApiError> {
        self.auth.disable_person(by, identity, false).await
    }

    async fn end_all_sessions(&self, identities: &[String]) -> Result<(), LoginError> {
        for identity in identities {
            self.end_sessions(identity, None).await.map_err(LoginError::after_a_change)?;
        }
        Ok(())
    }
}
