//! The next snapshot: what a change puts into a copy of the present one, or takes out of it.

use std::sync::{Arc, OnceLock};

use falconer_scopes::RoleSet;
use falconer_store::{
    ChangedRecords, ClientRecord, GrantRecord, History, IdentityRecord, IssuerRecord, KeyKind, PersonRecord, Revision, RoleRecord,
};

use super::Snapshot;
use crate::directory::entries::{Grant, Identity, InternalIssuer, Person};
use crate::directory::roles::{Roles, split};

impl Snapshot {
    /// This time is the highest one, also where a later one was stored.
    pub(crate) fn accept_time(&mut self, at_ms: i64) {
        self.highest_ms = at_ms;
    }

    /// This, as it is at a revision that was committed at this time.
    pub(crate) fn at_revision(mut self, revision: Revision, at_ms: i64) -> Snapshot {
        self.revision = revision;
        self.highest_ms = self.highest_ms.max(at_ms);
        self
    }

    /// With the revision and the times that the store gave.
    pub(crate) fn at_stored(self, history: History, revision: Revision, highest_ms: i64) -> Snapshot {
        Snapshot { history, revision, highest_ms, ..self }
    }

    /// Takes over records as the store has them.
    pub(crate) fn put_changed(&mut self, records: ChangedRecords) {
        let ChangedRecords { clients, roles, grants, identities, people, issuers, applications, scope_registries, gone } = records;
        clients.into_iter().for_each(|record| self.put_client(record));
        self.put_roles(roles);
        grants.into_iter().for_each(|record| self.put_grant(record));
        identities.into_iter().for_each(|record| self.put_identity(record));
        people.into_iter().for_each(|record| self.put_person(record));
        issuers.into_iter().for_each(|record| self.put_issuer(record));
        applications.into_iter().for_each(|record| self.put_application(record));
        scope_registries.into_iter().for_each(|record| self.put_scope_registry(record));
        for (kind, key) in gone {
            match kind {
                KeyKind::Client => self.drop_client(&key),
                KeyKind::Role => self.drop_role(&key),
                KeyKind::Grant => self.drop_grant(&key),
                KeyKind::Identity => self.drop_identity(&key),
                KeyKind::Person => self.drop_person(&key),
                KeyKind::Issuer => drop(self.issuers.remove(key.as_str())),
                KeyKind::Application => self.drop_application(&key),
                KeyKind::ScopeRegistry => self.drop_scope_registry(&key),
            }
        }
    }

    /// Adds or replaces a client.
    pub(crate) fn put_client(&mut self, record: ClientRecord) {
        self.clients.put(record);
    }

    /// Puts away the clients of a part that are at hand. Whether there is such a part.
    pub(crate) fn put_clients_away(&mut self, part: usize) -> bool {
        self.clients.put_away(part)
    }

    /// Nothing where it is disabled already, or gone.
    pub(crate) fn disable_client(&mut self, client_id: &str, at_ms: i64) {
        if let Some(record) = self.client_record(client_id).filter(|record| !record.disabled) {
            self.put_client(ClientRecord {
                disabled: true,
                old_token: None,
                last_modified_ms: record.last_modified_ms.max(at_ms),
                ..record
            });
        }
    }

    pub(crate) fn drop_client(&mut self, client_id: &str) {
        self.clients.remove(client_id.as_bytes());
    }

    pub(crate) fn put_roles(&mut self, records: impl IntoIterator<Item = RoleRecord>) {
        for record in records {
            let ((role_id, notes), role) = split(record);
            self.change_roles(self.roles.set.with(role), &role_id);
            self.role_notes.insert(role_id, notes);
        }
    }

    /// The same where the compiled roles are at hand: those of this snapshot with these records.
    pub(crate) fn put_validated_roles(&mut self, records: impl IntoIterator<Item = RoleRecord>, set: RoleSet) {
        let mut changed = Vec::new();
        for record in records {
            let ((role_id, notes), _) = split(record);
            self.role_notes.insert(Arc::clone(&role_id), notes);
            changed.push(role_id);
        }
        let generation = self.roles.generation.after_all(&changed);
        self.roles = Arc::new(Roles { set, generation, anonymous: OnceLock::new() });
    }

    pub(crate) fn drop_role(&mut self, role_id: &str) {
        if self.role_notes.remove(role_id).is_some() {
            self.change_roles(self.roles.set.without(role_id), role_id);
        }
    }

    /// How it would be with this role, or without the one of this id. Nobody answers from it: it shares no memory of expansions, so that
    /// nothing of it is ever mistaken for what is.
    pub(crate) fn planned(&self, role_id: &str, record: Option<RoleRecord>) -> Snapshot {
        let mut next = Snapshot { expansions: Arc::default(), ..self.clone() };
        match record {
            Some(record) => next.put_roles([record]),
            None => next.drop_role(role_id),
        }
        next
    }

    fn change_roles(&mut self, set: RoleSet, changed: &str) {
        let generation = self.roles.generation.after(changed);
        self.roles = Arc::new(Roles { set, generation, anonymous: OnceLock::new() });
    }

    pub(crate) fn put_issuer(&mut self, record: IssuerRecord) {
        let name = Arc::from(record.name.as_str());
        self.issuers.insert(name, Arc::new(InternalIssuer::new(record)));
    }

    pub(crate) fn retire_issuer(&mut self, name: &str, at_ms: i64) {
        if let Some(record) = self.issuers.get(name).map(|issuer| issuer.record.clone()) {
            self.put_issuer(IssuerRecord { retired_ms: Some(at_ms), ..record });
        }
    }

    pub(crate) fn put_grant(&mut self, record: GrantRecord) {
        let before = self.clone();
        self.put_grant_after(record, &before);
    }

    pub(super) fn put_grant_after(&mut self, record: GrantRecord, before: &Snapshot) {
        self.drop_grant(&record.id);
        if record.revoked_ms.is_some() {
            self.note_end_of_grant(&record);
            return;
        }
        let id: Arc<str> = Arc::from(record.id.as_str());
        self.grant_names.insert(Arc::from(record.client_id.as_str()), Arc::clone(&id));
        self.grant_ends.insert((record.expires_ms, Arc::clone(&id)));
        for origin in record.parent.iter().chain(&record.widens) {
            self.grants_by_origin.insert((Arc::from(origin.as_str()), Arc::clone(&id)));
        }
        let grant = Grant::new(record, before.grant(&id).map(Arc::as_ref));
        self.grants.insert(id, Arc::new(grant));
    }

    /// Adds or replaces an identity, with the person that the record names.
    pub(crate) fn put_identity(&mut self, record: IdentityRecord) {
        self.drop_identity(&record.identity);
        let identity: Arc<str> = Arc::from(record.identity.as_str());
        let others = self.linked.get(record.person.as_str()).map(AsRef::as_ref).unwrap_or_default();
        let mut linked: Vec<Arc<str>> = others.iter().chain([&identity]).cloned().collect();
        linked.sort_unstable();
        self.linked.insert(Arc::from(record.person.as_str()), linked.into());
        self.identity_names.insert(Arc::clone(&identity));
        self.identities.insert(identity, Arc::new(Identity { record }));
    }

    /// What the store makes of a write: one that is new is a person of its own, one that is there stays with its person.
    pub(crate) fn write_identity(&mut self, record: IdentityRecord, at_ms: i64) {
        match self.identity(&record.identity).map(|before| before.record.person.clone()) {
            Some(person) => self.put_identity(IdentityRecord { person, ..record }),
            None => {
                self.put_person(PersonRecord::of_one(&record, at_ms));
                self.put_identity(record);
            }
        }
    }

    /// The identity belongs to another person from now on.
    pub(crate) fn move_identity(&mut self, identity: &str, to: &str) {
        if let Some(record) = self.identity(identity).map(|identity| identity.record.clone()) {
            self.put_identity(IdentityRecord { person: to.to_owned(), ..record });
        }
    }

    fn drop_identity(&mut self, identity: &str) {
        let Some(before) = self.identities.remove(identity) else { return };
        self.identity_names.remove(identity);
        let person = before.record.person.as_str();
        let others = self.linked.get(person).map(AsRef::as_ref).unwrap_or_default().iter().filter(|linked| linked.as_ref() != identity);
        let others: Arc<[Arc<str>]> = others.cloned().collect();
        if others.is_empty() {
            self.linked.remove(person);
        } else {
            self.linked.insert(Arc::from(person), others);
        }
    }

    pub(crate) fn put_person(&mut self, record: PersonRecord) {
        self.people.insert(Arc::from(record.id.as_str()), Arc::new(Person { record }));
    }

    pub(crate) fn drop_person(&mut self, id: &str) {
        self.people.remove(id);
    }

    fn drop_grant(&mut self, id: &str) {
        if let Some((id, grant)) = self.grants.remove_with_key(id) {
            self.grant_names.remove(grant.record.client_id.as_str());
            for origin in grant.record.parent.iter().chain(&grant.record.widens) {
                self.grants_by_origin.remove(&(Arc::from(origin.as_str()), Arc::clone(&id)));
            }
            self.grant_ends.remove(&(grant.record.expires_ms, id));
        }
    }

    /// Whether grants ended until then.
    pub(crate) fn has_ended_grants(&self, until_ms: i64) -> bool {
        self.grant_ends.get_min().is_some_and(|(end_ms, _)| *end_ms <= until_ms)
    }

    /// Forgets up to `limit` of the grants that ended until then, the first ones first, but for how they ended.
    pub(crate) fn forget_ended_grants(&mut self, until_ms: i64, limit: usize) {
        let ended = self.grant_ends.iter().take_while(|(end_ms, _)| *end_ms <= until_ms).take(limit);
        let ended: Vec<Arc<str>> = ended.map(|(_, id)| Arc::clone(id)).collect();
        for id in ended {
            if let Some(grant) = self.grants.get(&id) {
                self.note_end_of_grant(&grant.record);
            }
            self.drop_grant(&id);
        }
    }
}
