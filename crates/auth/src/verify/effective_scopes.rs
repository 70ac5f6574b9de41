//! What a grant, a person, and a client that depends on one of them may do at present.

use std::sync::Arc;

use falconer_scopes::ScopeSet;
use falconer_store::{Creator, Key};

use crate::directory::clients::client::Client;
use crate::directory::entries::{Grant, Identity, Person};
use crate::directory::snapshot::Snapshot;
use crate::node::{Auth, Node};
use crate::reserved::CURRENT_SCOPES;
use crate::settings::DEEPEST_DERIVED;
use crate::verify::reason::{GrantState, Reason};

/// A grant that has not ended, and what it gives.
pub(crate) struct ActiveGrant<'s> {
    pub(crate) grant: &'s Arc<Grant>,
    /// The one that names it.
    pub(crate) identity: &'s Arc<Identity>,
    /// Not to be expanded again: a role that grew later would widen it.
    pub(crate) scopes: ScopeSet,
}

/// The limits of a client that was made with a grant, or that belongs to a person.
#[derive(Default)]
pub(crate) struct Bounds {
    /// The client has what lies within all of these.
    pub(crate) within: Vec<ScopeSet>,
    /// It ends here at the latest.
    pub(crate) ends_ms: Option<i64>,
}

/// The rows that a decision depends on. They are noted for a change only, which must not happen when one of them is another by then.
pub(crate) struct DependsOn(Option<Vec<Key>>);

impl DependsOn {
    pub(crate) fn noted() -> DependsOn {
        DependsOn(Some(Vec::new()))
    }

    pub(crate) fn not_noted() -> DependsOn {
        DependsOn(None)
    }

    pub(crate) fn note(&mut self, key: impl FnOnce() -> Key) {
        if let Some(keys) = &mut self.0 {
            keys.push(key());
        }
    }

    pub(crate) fn note_all(&mut self, more: impl FnOnce() -> Vec<Key>) {
        if let Some(keys) = &mut self.0 {
            keys.extend(more());
        }
    }

    pub(crate) fn keys(self) -> Vec<Key> {
        self.0.unwrap_or_default()
    }
}

impl Bounds {
    pub(crate) fn apply(&self, scopes: ScopeSet) -> ScopeSet {
        self.within.iter().fold(scopes, |scopes, bound| scopes.intersection(bound))
    }
}

impl Node {
    /// What the person behind an identity may do at present, expanded, without anonymous: `None` when the identity or the person is unknown or disabled.
    ///
    /// It is what all linked identities give together: but for those that are disabled, and those of which the provider's answer is too old.
    pub(crate) fn present_scopes(&self, snapshot: &Snapshot, identity: &Identity, now_ms: i64) -> Option<ScopeSet> {
        let person = snapshot.person(&identity.record.person)?;
        if identity.record.disabled { None } else { self.present_scopes_of_person(snapshot, person, now_ms) }
    }

    /// The same for a person: `None` when they, or all their identities, are disabled.
    pub(crate) fn present_scopes_of_person(&self, snapshot: &Snapshot, person: &Person, now_ms: i64) -> Option<ScopeSet> {
        let active = || snapshot.linked(&person.record.id).filter(|linked| !linked.record.disabled);
        if person.record.disabled || active().next().is_none() {
            return None;
        }
        let fresh = |provider: &str, refreshed_ms: i64| !self.is_too_old(provider, refreshed_ms, now_ms);
        let vouched = active().map(|linked| &linked.record).filter(|record| fresh(&record.provider, record.refreshed_ms));
        Some(snapshot.expansion_of_people(vouched.flat_map(|record| {
            let added = record.additions.iter().filter(|addition| fresh(&addition.provider, addition.refreshed_ms));
            std::iter::once(record.scopes.as_slice()).chain(added.map(|addition| addition.scopes.as_slice()))
        })))
    }

    /// Whether an answer that a provider gave about somebody at this time no longer counts.
    pub(crate) fn is_too_old(&self, provider: &str, refreshed_ms: i64, now_ms: i64) -> bool {
        let age_ms = now_ms.saturating_sub(refreshed_ms);
        self.settings.max_age_ms(provider).is_some_and(|max| age_ms > max)
    }

    /// Looks a grant up and checks, in this order, that it was not revoked, has not ended, and is of somebody who may act.
    pub(crate) fn active_grant<'s>(&self, snapshot: &'s Snapshot, id: &str, now_ms: i64) -> Result<ActiveGrant<'s>, Reason> {
        let refuse = |state| Reason::Grant { id: id.to_owned(), state };
        let Some(grant) = snapshot.grant(id) else {
            return Err(refuse(match snapshot.end_of_grant(id) {
                Some(end) if end.is_revoked => GrantState::Revoked,
                Some(end) if now_ms >= end.expires_ms => GrantState::Ended,
                Some(_) | None => GrantState::Unknown,
            }));
        };
        // INVARIANT: no snapshot holds a revoked one. It would not count here either.
        if grant.record.revoked_ms.is_some() {
            return Err(refuse(GrantState::Revoked));
        }
        if now_ms >= grant.record.expires_ms {
            return Err(refuse(GrantState::Ended));
        }
        let identity = snapshot.identity(&grant.record.identity).ok_or_else(|| refuse(GrantState::AccountUnknown))?;
        let of_person = self.present_scopes(snapshot, identity, now_ms).ok_or_else(|| refuse(GrantState::AccountInactive))?;
        let scopes = snapshot.present_scopes_of_grant(grant, of_person);
        let scopes = if grant.record.parent.is_some() { within_ancestors(snapshot, grant, scopes, now_ms)? } else { scopes };
        Ok(ActiveGrant { grant, identity, scopes })
    }

    /// The limits of a client; an error when what it depends on has ended.
    pub(crate) fn bounds(&self, snapshot: &Snapshot, client: &Client, now_ms: i64, depends_on: &mut DependsOn) -> Result<Bounds, Reason> {
        let mut bounds = Bounds::default();
        if let Some(id) = client.grant() {
            let active = self.active_grant(snapshot, id, now_ms)?;
            bounds.ends_ms = Some(active.grant.record.expires_ms);
            depends_on.note(|| Key::Grant(id.to_owned()));
            depends_on.note_all(|| snapshot.keys_of(active.identity));
            bounds.within.push(active.scopes);
        }
        for owner in snapshot.owners(client.id()) {
            let present =
                self.present_scopes(snapshot, owner, now_ms).ok_or_else(|| Reason::OwnerInactive { client_id: client.id().to_owned() })?;
            depends_on.note_all(|| snapshot.keys_of(owner));
            bounds.within.push(present);
        }
        Ok(bounds)
    }

    /// What a person or a client may do at present, with anonymous, and the rows that say so. `None`: there is none of this name that may do anything, or nobody knows
    /// which of two it is.
    pub(crate) fn scopes_of_holder(&self, snapshot: &Snapshot, name: &str, kind: Creator, now_ms: i64) -> Option<(ScopeSet, Vec<Key>)> {
        let mut depends_on = DependsOn::noted();
        depends_on.note(|| Key::Role);
        let identity = snapshot.identity(name).filter(|_| kind != Creator::Client);
        let client = snapshot.client(name).filter(|_| kind != Creator::Person);
        let scopes = match (identity, client) {
            (Some(identity), None) => {
                depends_on.note_all(|| snapshot.keys_of(identity));
                self.present_scopes(snapshot, identity, now_ms)?
            }
            (None, Some(client)) => {
                if client.is_disabled() || now_ms >= client.expires_ms() {
                    return None;
                }
                depends_on.note(|| Key::Client(name.to_owned()));
                let bounds = self.bounds(snapshot, client, now_ms, &mut depends_on).ok()?;
                bounds.apply(snapshot.expansion_of(client).scopes)
            }
            (None, None) | (Some(_), Some(_)) => return None,
        };
        Some((scopes.union(snapshot.anonymous()), depends_on.keys()))
    }

    /// What a client may do at present, without anonymous: its expansion within its bounds; nothing when what it depends on has ended.
    pub(crate) fn effective_scopes(&self, snapshot: &Snapshot, client: &Client, now_ms: i64) -> ScopeSet {
        match self.bounds(snapshot, client, now_ms, &mut DependsOn::not_noted()) {
            Ok(bounds) => bounds.apply(snapshot.expansion_of(client).scopes),
            Err(_) => ScopeSet::default(),
        }
    }
}

/// What a derived grant gives: nothing that those above it do not give, and nothing when one of them has ended.
fn within_ancestors(snapshot: &Snapshot, grant: &Grant, scopes: ScopeSet, now_ms: i64) -> Result<ScopeSet, Reason> {
    let ended = |id: &str, state| Reason::Grant { id: id.to_owned(), state };
    let (id, mut scopes, mut of) = (&grant.record.id, scopes, grant);
    for _ in 0..=DEEPEST_DERIVED {
        let Some(parent) = of.record.parent.as_deref() else { return Ok(scopes.with(CURRENT_SCOPES)) };
        let Some(above) = snapshot.grant(parent) else {
            return Err(match snapshot.end_of_grant(parent) {
                Some(end) if end.is_revoked => ended(id, GrantState::Revoked),
                Some(end) if now_ms >= end.expires_ms => ended(id, GrantState::Ended),
                // The store may know it.
                Some(_) | None => ended(parent, GrantState::Unknown),
            });
        };
        if above.record.revoked_ms.is_some() {
            return Err(ended(id, GrantState::Revoked));
        }
        if now_ms >= above.record.expires_ms {
            return Err(ended(id, GrantState::Ended));
        }
        (scopes, of) = (scopes.intersection(&above.scopes), above);
    }
    // INVARIANT: nobody derives so deeply.
    Err(ended(id, GrantState::Ended))
}

impl Auth {
    /// What the person behind an identity may do at present, expanded, without anonymous: what all linked identities give together. `None`: unknown, gone or
    /// disabled. Empty: the providers' answers are older than `identity.max_age`, and the person has to sign in again.
    pub fn person_scopes(&self, identity: &str) -> Option<ScopeSet> {
        let snapshot = self.node.directory.load();
        let identity = snapshot.identity(identity)?;
        self.node.present_scopes(&snapshot, identity, self.now_ms())
    }

    /// What a grant gives at present, without anonymous; `None` when it has ended in any way.
    pub fn grant_scopes(&self, id: &str) -> Option<ScopeSet> {
        let snapshot = self.node.directory.load();
        self.node.active_grant(&snapshot, id, self.now_ms()).ok().map(|active| active.scopes)
    }
}
