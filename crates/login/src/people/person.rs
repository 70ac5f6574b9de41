//! A person: who somebody is to Falconer, whichever way they signed in.

use falconer_auth::{Identity, Snapshot};
use falconer_store::PersonRecord;

use crate::error::LoginError;
use crate::login::Login;

/// A person as the pages show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Immutable, and means nothing.
    pub id: String,
    /// `<provider>/<subject>` of the identity that names what is new, such as `local/ann`: the one that the person chose or, while that may not act, the one that
    /// was asked for.
    pub identity: String,
    /// For display only.
    pub display_name: String,
    /// If the provider gave one.
    pub email: Option<String>,
    /// Whether the provider says so and is trusted to.
    pub email_verified: bool,
    /// As the providers of all identities say that may act; each once.
    pub groups: Vec<String>,
    /// All identities of the person, ascending.
    pub linked: Vec<Linked>,
}

/// One of a person's identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// `<provider>/<subject>`
    pub identity: String,
    /// For display only.
    pub display_name: String,
    /// Whether it counts: nobody signs in by one that may not act.
    pub active: bool,
}

impl Person {
    /// All identities of the person.
    pub fn identities(&self) -> Vec<String> {
        self.linked.iter().map(|linked| linked.identity.clone()).collect()
    }

    /// Whether the identity is one of the person's.
    pub fn has(&self, identity: &str) -> bool {
        self.linked.iter().any(|linked| linked.identity == identity)
    }
}

impl Login {
    /// The person behind an identity, if both may act. Somebody unknown is looked for in the store once.
    pub async fn active_person(&self, identity: &str) -> Result<Option<Person>, LoginError> {
        if self.auth.directory().person_of(identity).is_none() {
            let caught_up = self.auth.catch_up().await;
            caught_up.map_err(|error| self.read_error(error))?;
        }
        let directory = self.auth.directory();
        let known = directory.identity(identity).filter(|known| !known.record.disabled);
        let person = known.and_then(|known| directory.person(&known.record.person)).filter(|person| !person.record.disabled);
        Ok(known.zip(person).map(|(known, person)| person_of(&directory, &person.record, known)))
    }

    /// The id of a person who is new.
    pub(crate) fn new_person_id(&self) -> String {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        PersonRecord::id_from_random(bytes)
    }
}

fn person_of(directory: &Snapshot, person: &PersonRecord, asked_for: &Identity) -> Person {
    let chosen = directory.identity(&person.name).filter(|chosen| !chosen.record.disabled && chosen.record.person == person.id);
    let name = &chosen.map_or(asked_for, AsRef::as_ref).record;
    let active = directory.linked(&person.id).filter(|linked| !linked.record.disabled);
    let mut groups: Vec<String> = active.flat_map(|linked| linked.record.groups.iter().cloned()).collect();
    groups.sort_unstable();
    groups.dedup();
    Person {
        id: person.id.clone(),
        identity: name.identity.clone(),
        display_name: name.display_name.clone(),
        email: name.email.clone(),
        email_verified: name.email_verified,
        groups,
        linked: directory.linked(&person.id).map(AsRef::as_ref).map(linked_of).collect(),
    }
}

pub(crate) fn linked_of(identity: &Identity) -> Linked {
    Linked {
        identity: identity.record.identity.clone(),
        display_name: identity.record.display_name.clone(),
        active: !identity.record.disabled,
    }
}
