//! The kind `ldap`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use url::Url;

use super::connection::Pool;
use super::person::{attributes, entry_of, texts};
use super::settings::{Checked, LdapSettings, LdapSettingsError};
use crate::providers::error::ProviderError;
use crate::providers::provider::{
    Answer, Attempt, Attributes, Directory, Found, IdentityProvider, Keeper, Known, Refreshed, SignInStart, Turn,
};

/// Where the names of groups are in an entry that an operator writes.
const GROUPS: &str = "groups";
/// A refusal goes out at the next full one of these, counted from the question: it does not tell how many steps there were.
const REFUSALS_EVERY: Duration = Duration::from_millis(250);

/// A directory that is asked over LDAP.
pub struct LdapProvider {
    pub(super) settings: LdapSettings,
    pub(super) checked: Checked,
    pub(super) pool: Pool,
    pub(super) refusals_every: Duration,
}

impl LdapProvider {
    /// `tls` is what certificates are verified with. Nobody is asked yet.
    pub fn new(mut settings: LdapSettings, mut tls: rustls::ClientConfig) -> Result<LdapProvider, LdapSettingsError> {
        let checked = settings.read()?;
        // Those of HTTP.
        tls.alpn_protocols.clear();
        let service = settings.bind.take();
        let pool = Pool::new(checked.addresses.clone(), Arc::new(tls), service, settings.timeout, settings.connections);
        Ok(LdapProvider { settings, checked, pool, refusals_every: REFUSALS_EVERY })
    }

    /// Refusals go out at the next full one of these instead of a quarter of a second.
    #[must_use]
    pub fn refusing_every(self, refusals_every: Duration) -> LdapProvider {
        LdapProvider { refusals_every, ..self }
    }
}

#[async_trait]
impl IdentityProvider for LdapProvider {
    fn sign_in_start(&self) -> SignInStart {
        SignInStart::Password
    }

    fn known_by(&self) -> String {
        // Names of attributes are the same whatever the case (RFC 4512 section 2.5).
        format!("ldap {}", self.settings.attributes.subject.to_ascii_lowercase())
    }

    /// Nobody goes away.
    async fn begin(&self, _: &Attempt, _: i64) -> Result<Url, ProviderError> {
        Err(ProviderError::UnknownProvider)
    }

    async fn turn(&self) -> Result<Turn, ProviderError> {
        Ok(Turn(Some(self.pool.place().await?)))
    }

    async fn finish(&self, turn: Turn, _: &Attempt, answer: &Answer, now_ms: i64) -> Result<Found, ProviderError> {
        let Answer::Password { name, password } = answer else { return Err(ProviderError::NoCode) };
        let place = match turn.0 {
            Some(place) => place,
            None => self.pool.place().await?,
        };
        Ok(found(self.prove(place, name, password).await?, Some(now_ms)))
    }

    async fn refresh(&self, known: &Known<'_>, _: &dyn Keeper, _: i64) -> Result<Refreshed, ProviderError> {
        let person = self.find_by_subject(known.subject).await?;
        Ok(person.map_or(Refreshed::Gone, |person| Refreshed::Still(found(person, None))))
    }

    async fn probe(&self, _: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
        Ok(self.describe_directory().await?)
    }

    /// `claims` are an entry: names of attributes, each with a text or a list of texts, and `groups`.
    fn attributes(&self, claims: &Map<String, Value>) -> Result<Attributes, ProviderError> {
        let entry = entry_of(claims)?;
        let mut groups = texts(&entry, GROUPS)?;
        groups.sort_unstable();
        groups.dedup();
        Ok(Attributes { groups, ..attributes(&entry, &self.settings)? })
    }
}

#[async_trait]
impl Directory for LdapProvider {
    async fn look_up(&self, known: &Known<'_>, _: i64) -> Result<Option<Attributes>, ProviderError> {
        Ok(self.look_up_by(known.username, known.email).await?)
    }

    fn read_answer(&self, answer: &Map<String, Value>) -> Result<Option<Attributes>, ProviderError> {
        self.attributes(answer).map(Some)
    }

    async fn probe(&self, _: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
        Ok(self.describe_directory().await?)
    }
}

/// There is nothing to ask again with but the id.
fn found(attributes: Attributes, proved_ms: Option<i64>) -> Found {
    Found { attributes, handle: None, proved_ms }
}
