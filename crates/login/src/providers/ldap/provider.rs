//! The kind `ldap`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::connection::Pool;
use super::error::LdapError;
use super::person::{attributes, entry_of, texts};
use super::settings::{Checked, LdapSettings, LdapSettingsError};
use crate::providers::provider::Attributes;

/// Where the names of groups are in an entry that an operator writes.
const GROUPS: &str = "groups";

/// A directory that is asked over LDAP.
pub struct LdapProvider {
    pub(super) settings: LdapSettings,
    pub(super) checked: Checked,
    pub(super) pool: Pool,
}

impl LdapProvider {
    /// `tls` is what certificates are verified with. Nobody is asked yet.
    pub fn new(mut settings: LdapSettings, mut tls: rustls::ClientConfig) -> Result<LdapProvider, LdapSettingsError> {
        let checked = settings.read()?;
        // Those of HTTP.
        tls.alpn_protocols.clear();
        let service = settings.bind.take();
        let pool = Pool::new(checked.address.clone(), Arc::new(tls), service, settings.timeout, settings.connections);
        Ok(LdapProvider { settings, checked, pool })
    }

    /// What an entry says of a person, written as JSON: names of attributes, each with a text or a list of texts, and `groups`.
    pub fn describe(&self, claims: &Map<String, Value>) -> Result<Attributes, LdapError> {
        let entry = entry_of(claims)?;
        let mut groups = texts(&entry, GROUPS)?;
        groups.sort_unstable();
        groups.dedup();
        Ok(Attributes { groups, ..attributes(&entry, &self.settings)? })
    }
}
