//! What there is, for an operator who tries the configuration.

use std::collections::BTreeSet;

use super::connection::{Bound, Connection, Protection};
use super::error::LdapError;
use super::person::{attributes, texts, wanted_attributes};
use super::protocol::{Entry, Search, SearchScope, present};
use super::provider::LdapProvider;

/// So many entries are looked at.
const SOME: usize = 100;

impl LdapProvider {
    /// Lines of `what, found`.
    pub(super) async fn describe_directory(&self) -> Result<Vec<(&'static str, String)>, LdapError> {
        self.pool.within(self.probe_connection()).await
    }

    async fn probe_connection(&self) -> Result<Vec<(&'static str, String)>, LdapError> {
        let mut taken = self.pool.take().await?;
        let address = self.pool.address_of(&taken).map(|address| (format!("{}:{}", address.host, address.port), address.protection));
        let (place, protection) = address.unwrap_or_default();
        let connection = &mut taken.connection;
        let protection = match protection {
            Protection::Ldaps => "TLS",
            Protection::StartTls => "STARTTLS",
            Protection::Plain => "nothing: passwords go in the clear",
        };
        let root = self.root(connection).await?;
        let pages = root.values("supportedControl").iter().any(|control| control == b"1.2.840.113556.1.4.319");
        let mut found = vec![
            ("directory", place),
            ("protected by", protection.to_owned()),
            ("asks as", self.pool.service_name().unwrap_or("nobody").to_owned()),
            ("gives pages", if pages { "yes" } else { "no" }.to_owned()),
        ];
        let people = self.some_people(connection).await?;
        if people.is_empty() {
            return Err(LdapError::NothingVisible);
        }
        let more = if people.len() < SOME { "" } else { " or more" };
        found.push(("people below the base", format!("{}{more}", people.len())));
        let names = &self.settings.attributes;
        for (what, name) in [("with an e-mail", &names.email), ("with a username", &names.username)] {
            let count = people.iter().filter(|entry| texts(entry, name).is_ok_and(|values| values.len() == 1)).count();
            found.push((what, format!("{count} of {} have one value of {name}", people.len())));
        }
        // The first whose id can't be used says why.
        for entry in &people {
            attributes(entry, &self.settings)?;
        }
        if self.checked.group.is_some() || self.settings.groups.memberof.is_some() {
            let mut groups = BTreeSet::new();
            for entry in people.iter().take(SOME / 10) {
                groups.extend(self.groups(connection, entry, &attributes(entry, &self.settings)?).await?);
            }
            found.push(("groups of the first people", groups.into_iter().take(SOME / 10).collect::<Vec<_>>().join(", ")));
        }
        self.pool.give_back(taken);
        Ok(found)
    }

    /// What the server says of itself (RFC 4512 section 5.1).
    async fn root(&self, connection: &mut Connection) -> Result<Entry, LdapError> {
        let filter = present("objectClass");
        let search = Search {
            base: "",
            scope: SearchScope::Base,
            filter: &filter,
            attributes: &["supportedControl"],
            size_limit: 1,
            time_limit: self.pool.seconds(),
        };
        let bound = Bound { what: "what it says of itself", most: 1, page_size: None };
        Ok(connection.search(&search, bound).await?.pop().unwrap_or_default())
    }

    async fn some_people(&self, connection: &mut Connection) -> Result<Vec<Entry>, LdapError> {
        let wanted = wanted_attributes(&self.settings);
        let search = self.below_base(&self.checked.anybody, &wanted, i32::try_from(SOME).unwrap_or(i32::MAX));
        connection.search(&search, Bound { what: "people below the base", most: SOME, page_size: None }).await
    }
}
