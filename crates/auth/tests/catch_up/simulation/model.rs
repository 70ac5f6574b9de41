//! The naive model: what the writes come to that the database has committed, revision by revision, and who would be let in at each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use falconer_auth::Snapshot;
use falconer_scopes::{Role, naive};
use falconer_store::{ClientRecord, GrantRecord, IdentityRecord, Loaded, PersonRecord, Revision, RoleRecord, Step, Write};

use super::people::PEOPLE;

/// What a node answers from, at one revision. A last use is no change.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct State {
    pub clients: BTreeMap<String, ClientRecord>,
    pub roles: BTreeMap<String, RoleRecord>,
    pub identities: BTreeMap<String, IdentityRecord>,
    pub people: BTreeMap<String, PersonRecord>,
    /// Those that were not revoked.
    pub grants: BTreeMap<String, GrantRecord>,
}

/// Who is let in, and with what.
#[derive(Debug, PartialEq)]
pub enum Naive {
    Allowed(Vec<String>),
    Refused,
}

impl State {
    pub fn of_loaded(loaded: &Loaded) -> State {
        State {
            clients: loaded.clients.iter().map(|client| (client.client_id.clone(), plain(client))).collect(),
            roles: loaded.roles.iter().map(|role| (role.role_id.clone(), role.clone())).collect(),
            identities: loaded.identities.iter().map(|identity| (identity.identity.clone(), identity.clone())).collect(),
            people: loaded.people.iter().map(|person| (person.id.clone(), person.clone())).collect(),
            grants: loaded.grants.iter().map(|grant| (grant.id.clone(), unused(grant))).collect(),
        }
    }

    pub fn of_snapshot(snapshot: &Snapshot) -> State {
        State {
            clients: snapshot.clients("").map(|client| (client.id(), plain(&client.record()))).collect(),
            roles: snapshot.role_records().map(|role| (role.role_id.clone(), role)).collect(),
            identities: PEOPLE
                .iter()
                .filter_map(|id| snapshot.identity(id))
                .map(|known| (known.record.identity.clone(), known.record.clone()))
                .collect(),
            people: snapshot.people().map(|person| (person.record.id.clone(), person.record.clone())).collect(),
            grants: snapshot.grants().map(|grant| (grant.record.id.clone(), unused(&grant.record))).collect(),
        }
    }

    /// Whether this is what somebody holds who has seen all of it. Grants that had ended at the time of some change may be missing there.
    pub fn is_held_as(&self, held: &State, highest_ever_ms: i64) -> bool {
        let is_known = |(id, grant): (&String, &GrantRecord)| held.grants.get(id) == Some(grant);
        let same = |state: &State| State { grants: BTreeMap::new(), ..state.clone() };
        same(self) == same(held)
            && held.grants.keys().all(|id| self.grants.contains_key(id))
            && self
                .grants
                .iter()
                .all(|grant| is_known(grant) || (!held.grants.contains_key(grant.0) && grant.1.expires_ms <= highest_ever_ms))
    }

    /// Whether whoever makes this grant may act, and has what it gives.
    fn may_make(&self, grant: &GrantRecord) -> Option<()> {
        let identity = self.identities.get(&grant.identity).filter(|identity| !identity.disabled)?;
        self.people.get(&identity.person).filter(|person| !person.disabled)?;
        grant.scopes.iter().all(|scope| identity.scopes.contains(scope)).then_some(())
    }

    /// What was given beyond a grant goes with it, however long the ones in between have ended.
    fn revoke(&mut self, id: &str) {
        self.grants.remove(id);
        let widening: Vec<String> =
            self.grants.values().filter(|grant| grant.widens.as_deref() == Some(id)).map(|grant| grant.id.clone()).collect();
        widening.iter().for_each(|id| self.revoke(id));
    }

    /// What a grant gives of these scopes at this time; `None`: it counts for nothing.
    pub fn given_by(&self, id: &str, scopes: &[&'static str], now_ms: i64) -> Option<Vec<&'static str>> {
        let grant = self.grants.get(id).filter(|grant| now_ms < grant.expires_ms)?;
        let identity = self.identities.get(&grant.identity).filter(|identity| !identity.disabled)?;
        self.people.get(&identity.person).filter(|person| !person.disabled)?;
        let has = |list: &[String], scope: &str| list.iter().any(|had| had == scope);
        Some(scopes.iter().copied().filter(|scope| has(&grant.scopes, scope) && has(&identity.scopes, scope)).collect())
    }

    pub fn verdict(&self, client_id: &str, token: &str, now_ms: i64) -> Naive {
        let Some(client) = self.clients.get(client_id).filter(|client| client.access_token.expose() == token) else {
            return Naive::Refused;
        };
        if client.disabled || client.expires_us < now_ms * 1000 {
            return Naive::Refused;
        }
        let roles: Vec<_> = self.roles.values().map(|role| Role { role_id: role.role_id.clone(), scopes: role.scopes.clone() }).collect();
        let own_scopes: Vec<String> = client.scopes.iter().cloned().chain(["assume:anonymous".to_owned()]).collect();
        Naive::Allowed(naive::expand(&roles, &own_scopes, naive::literal))
    }
}

fn unused(grant: &GrantRecord) -> GrantRecord {
    GrantRecord { last_used_ms: None, use_count: 0, ..grant.clone() }
}

fn plain(client: &ClientRecord) -> ClientRecord {
    ClientRecord { last_date_used_ms: 0, ..client.clone() }
}

/// Everything that was committed.
pub struct Model {
    states: BTreeMap<Revision, Arc<State>>,
    /// When each revision was committed, in the time of the run.
    at_ms: BTreeMap<Revision, i64>,
    /// Descriptions that calls have written; each call has its own.
    written: BTreeMap<String, Revision>,
    /// Of calls whose caller was told that nothing was done.
    never: BTreeSet<String>,
    /// The highest time of any change. It may have been corrected since.
    pub highest_ever_ms: i64,
    /// Tokens that clients have or had.
    pub tokens: Vec<(String, String)>,
}

impl Model {
    pub fn new(loaded: &Loaded) -> Model {
        let state = State::of_loaded(loaded);
        let tokens = state.clients.values().map(|client| (client.client_id.clone(), client.access_token.expose().to_owned())).collect();
        Model {
            states: [(loaded.revision, Arc::new(state))].into(),
            at_ms: [(loaded.revision, 0)].into(),
            written: BTreeMap::new(),
            never: BTreeSet::new(),
            highest_ever_ms: loaded.highest_ms,
            tokens,
        }
    }

    pub fn last(&self) -> (Revision, Arc<State>) {
        self.states.last_key_value().map(|(revision, state)| (*revision, state.clone())).unwrap()
    }

    pub fn at(&self, revision: Revision) -> Option<Arc<State>> {
        self.states.get(&revision).cloned()
    }

    /// What was at these revisions and between them.
    pub fn between(&self, from: Revision, to: Revision) -> impl Iterator<Item = &Arc<State>> {
        self.states.range(from..=to).map(|(_, state)| state)
    }

    /// The newest revision at this moment of the run.
    pub fn newest_at(&self, ms: i64) -> Revision {
        self.at_ms.iter().rev().find(|(_, at_ms)| **at_ms <= ms).map_or(Revision(0), |(revision, _)| *revision)
    }

    /// A caller was told that nothing was done.
    pub fn must_never_be(&mut self, description: &str) -> Result<(), String> {
        self.never.insert(description.to_owned());
        match self.written.get(description) {
            Some(revision) => Err(format!("{description} was not done, it was said, and is there since {revision:?}")),
            None => Ok(()),
        }
    }

    /// The database has committed this step. Says what is wrong with it.
    pub fn take(&mut self, step: &Step, write: &Write, revision: Revision, now_ms: i64) -> Result<(), String> {
        // Also of a step that makes no revision.
        self.highest_ever_ms = self.highest_ever_ms.max(step.at_ms);
        let (last, before) = self.last();
        if revision == last {
            return Ok(());
        }
        if revision.0 != last.0 + 1 {
            return Err(format!("{revision:?} comes after {last:?}"));
        }
        let mut next = State::clone(&before);
        match write {
            Write::InsertClient(record) | Write::UpdateClient(record) => {
                if let Some(before) = before.clients.get(&record.client_id) {
                    says_what_it_changes(&step.action, before, record)?;
                }
                if before.clients.get(&record.client_id).is_none_or(|known| known.description != record.description) {
                    self.describe(&record.description, revision)?;
                }
                self.tokens.push((record.client_id.clone(), record.access_token.expose().to_owned()));
                next.clients.insert(record.client_id.clone(), plain(record));
            }
            Write::DeleteClient(client_id) => drop(next.clients.remove(client_id)),
            Write::InsertRoles(records) => {
                for record in records {
                    self.describe(&record.description, revision)?;
                    next.roles.insert(record.role_id.clone(), record.clone());
                }
            }
            Write::UpdateRole(record) => {
                self.describe(&record.description, revision)?;
                next.roles.insert(record.role_id.clone(), record.clone());
            }
            Write::DeleteRole(role_id) => drop(next.roles.remove(role_id)),
            Write::PutIdentity(record) => {
                self.describe(&record.display_name, revision)?;
                next.people.entry(record.person.clone()).or_insert_with(|| PersonRecord::of_one(record, step.at_ms));
                next.identities.insert(record.identity.clone(), record.clone());
            }
            Write::UpdatePerson(record) => {
                let before = before.people.get(&record.id).ok_or("nobody is there to be changed")?;
                if (&before.name, before.disabled) == (&record.name, record.disabled) {
                    return Err(format!("\"{}\" changes nothing of {}", step.action, record.id));
                }
                next.people.insert(record.id.clone(), PersonRecord { created_ms: before.created_ms, ..record.clone() });
            }
            Write::InsertGrant(record, None) => {
                self.describe(&record.label, revision)?;
                if before.may_make(record).is_none() {
                    return Err(format!("the grant {} gives what its person did not have", record.id));
                }
                if record.widens.as_ref().is_some_and(|widened| !before.grants.contains_key(widened)) {
                    return Err(format!("the grant {} widens one that was revoked", record.id));
                }
                next.grants.insert(record.id.clone(), unused(record));
            }
            Write::RevokeGrants { ids, .. } => ids.iter().for_each(|id| next.revoke(id)),
            Write::AcceptTime | Write::InsertIssuer(_) => {}
            other => return Err(format!("the model has no {other:?}")),
        }
        self.states.insert(revision, Arc::new(next));
        self.at_ms.insert(revision, now_ms);
        Ok(())
    }

    fn describe(&mut self, description: &str, revision: Revision) -> Result<(), String> {
        if self.never.contains(description) {
            return Err(format!("{description} was not done, it was said, and is there at {revision:?}"));
        }
        match self.written.insert(description.to_owned(), revision) {
            Some(before) => Err(format!("{description} was done twice, at {before:?} and {revision:?}")),
            None => Ok(()),
        }
    }
}

/// A write that was decided on what somebody else has changed since takes that back: it changes more than its action says.
fn says_what_it_changes(action: &str, before: &ClientRecord, after: &ClientRecord) -> Result<(), String> {
    let flag = before.disabled != after.disabled;
    let token = before.access_token.expose() != after.access_token.expose();
    let content = (&before.description, &before.scopes, before.expires_us) != (&after.description, &after.scopes, after.expires_us);
    let is_fine = match action {
        "updated" => !flag && !token,
        "client disabled" | "client enabled" => !token && !content,
        "access token reset" => !flag && !content,
        _ => false,
    };
    if is_fine { Ok(()) } else { Err(format!("\"{action}\" of {} took back what another call had changed", after.client_id)) }
}
