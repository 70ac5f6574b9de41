//! Finding people, proving who they are, and looking again whether they are still there.

use tokio::time::Instant;

use super::connection::{Bound, Connection, Place, refusal};
use super::error::LdapError;
use super::person::{attributes, subject_value, wanted_attributes};
use super::protocol::{Dn, Entry, Search, SearchScope, and, code, equal};
use super::provider::LdapProvider;
use crate::providers::error::short;
use crate::providers::provider::Attributes;

/// What somebody types, in bytes.
const LONGEST_NAME: usize = 256;
const LONGEST_PASSWORD: usize = 1024;
const WHO: &str = "the search for a person";

impl LdapProvider {
    /// Somebody who types a name and a password.
    pub(super) async fn prove(&self, place: Place, name: &str, password: &str) -> Result<Attributes, LdapError> {
        let begun = Instant::now();
        let proved = match (typable(name), is_sendable(password)) {
            (Some(name), true) => self.pool.until(place.until(), self.search_and_bind(place, name, password)).await,
            _ => Err(LdapError::Wrong),
        };
        if proved == Err(LdapError::Wrong) {
            let steps = begun.elapsed().as_millis() / self.refusals_every.as_millis().max(1) + 1;
            tokio::time::sleep_until(begun + self.refusals_every * u32::try_from(steps).unwrap_or(u32::MAX)).await;
        }
        proved
    }

    async fn search_and_bind(&self, place: Place, name: &str, password: &str) -> Result<Attributes, LdapError> {
        let mut taken = self.pool.take_at(place).await?;
        let connection = &mut taken.connection;
        let filter = self.checked.user.fill(&[("name", name.as_bytes())]).ok_or(LdapError::Wrong)?;
        let found = match self.find(connection, filter, "user_filter").await {
            Err(error @ LdapError::Ambiguous(_)) => {
                tracing::warn!(%error, "nobody is signed in by a name that is not clear");
                None
            }
            found => found?,
        };
        let Some(entry) = found else {
            // The same steps as for somebody who is there.
            connection.bind(&format!("cn=falconer-nobody,{}", self.settings.base), password.as_bytes()).await?;
            return Err(LdapError::Wrong);
        };
        let outcome = connection.bind(&entry.dn, password.as_bytes()).await?;
        match outcome.code {
            code::SUCCESS => {}
            code::INVALID_CREDENTIALS
            | code::CONSTRAINT_VIOLATION
            | code::NO_SUCH_OBJECT
            | code::INAPPROPRIATE_AUTHENTICATION
            | code::INSUFFICIENT_ACCESS
            | code::UNWILLING_TO_PERFORM => {
                tracing::info!(dn = %short(&entry.dn), code = outcome.code, said = %short(&outcome.said), "the directory refuses a person");
                return Err(LdapError::Wrong);
            }
            _ => return Err(refusal("the bind of a person", outcome)),
        }
        // A person sees less of the directory than the service does, or other things.
        self.pool.speak_as_service(connection).await?;
        let person = self.with_groups(connection, &entry).await?;
        self.pool.give_back(taken);
        Ok(person)
    }

    /// Somebody who signed in before. `None`: there is nobody of this id that may sign in.
    pub(super) async fn find_by_subject(&self, subject: &str) -> Result<Option<Attributes>, LdapError> {
        let names = &self.settings.attributes;
        let filter = subject_value(subject, &names.subject).map(|value| equal(&names.subject, &value));
        self.pool.within(self.found_by(filter, "the id of a person")).await
    }

    /// Somebody who signed in elsewhere. `None`: nobody is known by these.
    pub(super) async fn look_up_by(&self, username: Option<&str>, email: Option<&str>) -> Result<Option<Attributes>, LdapError> {
        let values = [("username", username), ("email", email)];
        let values: Vec<(&str, &[u8])> = values.iter().filter_map(|(name, value)| Some((*name, typable((*value)?)?.as_bytes()))).collect();
        let filter = self.checked.lookup.fill(&values);
        self.pool.within(self.found_by(filter, "lookup_filter")).await
    }

    async fn found_by(&self, filter: Option<Vec<u8>>, what: &'static str) -> Result<Option<Attributes>, LdapError> {
        let mut taken = self.pool.take().await?;
        let connection = &mut taken.connection;
        let found = match filter {
            Some(filter) => self.find(connection, filter, what).await?,
            None => None,
        };
        let person = match found {
            Some(entry) => Some(self.with_groups(connection, &entry).await?),
            None => {
                self.expect_people(connection).await?;
                None
            }
        };
        self.pool.give_back(taken);
        Ok(person)
    }

    /// The one entry that a filter finds.
    async fn find(&self, connection: &mut Connection, filter: Vec<u8>, what: &'static str) -> Result<Option<Entry>, LdapError> {
        let filter = and(&[&[filter], self.checked.people.as_slice()].concat());
        let mut found = connection
            .search(&self.below_base(&filter, &wanted_attributes(&self.settings), 2), Bound { what: WHO, most: 2, page_size: None })
            .await?;
        let entry = match (found.pop(), found.is_empty()) {
            (None, _) => return Ok(None),
            (Some(entry), true) => entry,
            (Some(_), false) => return Err(LdapError::Ambiguous(what)),
        };
        // A bind with an empty name is a bind as nobody, which servers welcome.
        match Dn::parse(&entry.dn) {
            Some(dn) if !dn.is_empty() => Ok(Some(entry)),
            _ => Err(LdapError::Dn(short(&entry.dn))),
        }
    }

    /// A directory in which nobody can be seen at all has not lost one person: it, or the right to see them, is broken.
    async fn expect_people(&self, connection: &mut Connection) -> Result<(), LdapError> {
        let search = self.below_base(&self.checked.anybody, &["1.1"], 1);
        let seen = connection.search(&search, Bound { what: WHO, most: 1, page_size: None }).await?;
        if seen.is_empty() { Err(LdapError::NothingVisible) } else { Ok(()) }
    }

    pub(super) fn below_base<'a>(&'a self, filter: &'a [u8], attributes: &'a [&'a str], size_limit: i32) -> Search<'a> {
        let time_limit = self.pool.seconds();
        Search { base: &self.settings.base, scope: SearchScope::Subtree, filter, attributes, size_limit, time_limit }
    }

    async fn with_groups(&self, connection: &mut Connection, entry: &Entry) -> Result<Attributes, LdapError> {
        let person = attributes(entry, &self.settings)?;
        let groups = self.groups(connection, entry, &person).await?;
        Ok(Attributes { groups, ..person })
    }
}

/// A name that somebody can have typed. Some servers read no further than to the first byte 0.
fn typable(name: &str) -> Option<&str> {
    let name = name.trim();
    (!name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(char::is_control)).then_some(name)
}

/// RFC 4513 section 5.1.2: a bind without a password succeeds on many servers, and proves nothing. For some servers a password ends at its first byte 0.
fn is_sendable(password: &str) -> bool {
    !password.is_empty() && password.len() <= LONGEST_PASSWORD && !password.contains('\0')
}
