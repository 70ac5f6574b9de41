//! A person: who somebody is to Falconer, whichever way they signed in.

use falconer_store::IdentityRecord;

use crate::error::LoginError;
use crate::login::Login;

/// A person as the pages show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// `<provider>/<subject>`, such as `local/ann`.
    pub identity: String,
    /// The provider's configured name.
    pub provider: String,
    /// The provider's immutable id of the person.
    pub subject: String,
    /// For display only.
    pub display_name: String,
    /// If the provider gave one.
    pub email: Option<String>,
    /// Whether the provider says so and is trusted to.
    pub email_verified: bool,
    /// As the provider says.
    pub groups: Vec<String>,
}

impl Login {
    /// The person, if they may act. Somebody unknown is looked for in the store once.
    pub(crate) async fn active_person(&self, identity: &str) -> Result<Option<Person>, LoginError> {
        if self.auth.directory().person(identity).is_none() {
            let caught_up = self.auth.catch_up().await;
            caught_up.map_err(|error| self.store_error(error))?;
        }
        let directory = self.auth.directory();
        let person = directory.person(identity);
        Ok(person.filter(|person| !person.record.disabled).map(|person| person_of(&person.record)))
    }
}

fn person_of(record: &IdentityRecord) -> Person {
    Person {
        identity: record.identity.clone(),
        provider: record.provider.clone(),
        subject: record.subject.clone(),
        display_name: record.display_name.clone(),
        email: record.email.clone(),
        email_verified: record.email_verified,
        groups: record.groups.clone(),
    }
}
