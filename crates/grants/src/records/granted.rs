//! What a person has granted, and the sites that they have confirmed: to look at and to take back.

use std::collections::BTreeMap;

use falconer_store::GrantRecord;

use crate::consent::describe::{LabelPart, describe};
use crate::grants::Grants;
use falconer_login::LoginError;
use falconer_login::Session;

/// How a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantState {
    /// It can be used.
    Active,
    /// Its time is over.
    Ended,
    /// Somebody took it back.
    Revoked,
}

/// One grant in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantView {
    /// As stored, with a last use that may not be stored yet.
    pub record: GrantRecord,
    /// Checked just now.
    pub state: GrantState,
    /// What was granted, by service.
    pub gives: Vec<ScopeGroup>,
}

/// Scopes of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeGroup {
    /// Such as `notes`.
    pub name: String,
    /// In the order of the set.
    pub scopes: Vec<ScopeInWords>,
}

/// A scope and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeInWords {
    /// As it is.
    pub scope: String,
    /// One sentence.
    pub label: Vec<LabelPart>,
}

/// Groups scopes by service, in words. Groups come by name, `roles` and `other` like the rest.
pub fn in_words<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Vec<ScopeGroup> {
    let mut groups: BTreeMap<String, Vec<ScopeInWords>> = BTreeMap::new();
    for scope in scopes {
        let description = describe(scope);
        groups.entry(description.group).or_default().push(ScopeInWords { scope: scope.to_owned(), label: description.label });
    }
    groups.into_iter().map(|(name, scopes)| ScopeGroup { name, scopes }).collect()
}

impl Grants {
    /// All grants of the person, by whichever identity they are named, newest first, ended and revoked ones too.
    pub async fn grants_of(&self, session: &Session) -> Result<Vec<GrantView>, LoginError> {
        let mut grants = Vec::new();
        for identity in session.person.identities() {
            let more = self.store.grants_of(&identity).await;
            grants.extend(more.map_err(|error| self.read_error(error))?);
        }
        grants.sort_by_key(|grant| std::cmp::Reverse(grant.created_ms));
        let now_ms = self.now_ms();
        let directory = self.auth.directory();
        let with_last_use = |mut grant: GrantRecord| {
            // Uses are stored once a minute; who looks meanwhile sees them too.
            grant.last_used_ms = grant.last_used_ms.max(directory.grant(&grant.id).and_then(|grant| grant.last_used_ms()));
            grant
        };
        Ok(grants.into_iter().map(|grant| view_of(with_last_use(grant), now_ms)).collect())
    }

    /// Takes a grant back, at once. Not found: there is none of this id, or it is somebody else's.
    pub async fn revoke(&self, session: &Session, id: &str) -> Result<(), LoginError> {
        let person = &session.person;
        let grant = self.store.grant(id).await;
        let grant = grant.map_err(|error| self.read_error(error))?;
        if grant.is_none_or(|grant| !person.has(&grant.identity)) {
            return Err(LoginError::NotFound("You have made no such grant.".to_owned()));
        }
        self.login.revoke_grants(&person.identities(), &session.identity, vec![id.to_owned()], "revoked by the person").await
    }

    /// Ids of the roles that were made, changed or deleted with a grant of this person, each once, in the order of the first change: roles
    /// stay as they are when the grant ends, so somebody should look at them. At most the first 1,000 changes count.
    pub async fn role_changes(&self, session: &Session, id: &str) -> Result<Vec<String>, LoginError> {
        let grant = self.store.grant(id).await.map_err(|error| self.read_error(error))?;
        if grant.is_none_or(|grant| !session.person.has(&grant.identity)) {
            return Ok(Vec::new());
        }
        let rows = self.store.grant_history(id, "role", 1_000).await.map_err(|error| self.read_error(error))?;
        let mut roles: Vec<String> = Vec::new();
        for row in rows {
            if !roles.contains(&row.entity_id) {
                roles.push(row.entity_id);
            }
        }
        Ok(roles)
    }

    /// Origins that the person has confirmed by typing the host, with the time of that in milliseconds since 1970.
    pub async fn remembered_origins(&self, session: &Session) -> Result<Vec<(String, i64)>, LoginError> {
        let mut origins = BTreeMap::new();
        for identity in session.person.identities() {
            let more = self.store.remembered_origins(&identity).await;
            for (origin, at_ms) in more.map_err(|error| self.read_error(error))? {
                let last_ms = origins.entry(origin).or_insert(at_ms);
                *last_ms = at_ms.max(*last_ms);
            }
        }
        Ok(origins.into_iter().collect())
    }

    /// The next grant to this origin needs the host typed again.
    pub async fn forget_origin(&self, session: &Session, origin: &str) -> Result<(), LoginError> {
        for identity in session.person.identities() {
            let forgotten = self.store.forget_origin(&identity, origin);
            forgotten.await.map_err(|error| self.store_error(error))?;
        }
        Ok(())
    }
}

fn view_of(record: GrantRecord, now_ms: i64) -> GrantView {
    let state = if record.revoked_ms.is_some() {
        GrantState::Revoked
    } else if now_ms >= record.expires_ms {
        GrantState::Ended
    } else {
        GrantState::Active
    };
    GrantView { state, gives: in_words(record.scopes.iter().map(String::as_str)), record }
}
