//! The naive model: what the writes come to that the database has committed, revision by revision, and who would be let in at each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use falconer_auth::Snapshot;
use falconer_scopes::{Role, naive};
use falconer_store::{ClientRecord, Loaded, Revision, RoleRecord, Step, Write};

/// Clients and roles at one revision. A last use is no change.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct State {
    pub clients: BTreeMap<String, ClientRecord>,
    pub roles: BTreeMap<String, RoleRecord>,
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
        }
    }

    pub fn of_snapshot(snapshot: &Snapshot) -> State {
        State {
            clients: snapshot.clients("").map(|client| (client.id().to_owned(), plain(&client.record()))).collect(),
            roles: snapshot.role_records().map(|role| (role.role_id.clone(), role)).collect(),
        }
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
            tokens,
        }
    }

    pub fn last(&self) -> (Revision, Arc<State>) {
        self.states.last_key_value().map(|(revision, state)| (*revision, state.clone())).unwrap()
    }

    pub fn at(&self, revision: Revision) -> Option<Arc<State>> {
        self.states.get(&revision).cloned()
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
