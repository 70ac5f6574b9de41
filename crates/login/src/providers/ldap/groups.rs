//! The groups of a person: those that their entry names, those that name them, and groups that hold such groups.

use std::collections::{BTreeSet, HashSet};

use super::connection::{Bound, Connection};
use super::error::LdapError;
use super::person::texts;
use super::protocol::{Dn, Entry, Search, SearchScope, code, or, present};
use super::provider::LdapProvider;
use crate::providers::error::short;
use crate::providers::mapping::MOST_GROUPS;
use crate::providers::provider::Attributes;

/// Groups that one question asks about.
const AT_ONCE: usize = 50;
const WHAT: &str = "the groups of a person";
/// `group_attribute` that stands for the whole name of a group's entry.
const WHOLE_NAME: &str = "dn";

/// What is known so far.
#[derive(Default)]
struct Known {
    /// Names of entries, folded. Each is looked at once, so that circles end.
    seen: HashSet<Dn>,
    /// What the groups are called.
    names: BTreeSet<String>,
}

/// A group's entry that was not looked at yet.
struct Group {
    dn: String,
    /// What it is called; `None`: the entry has to say it.
    name: Option<Vec<String>>,
}

impl LdapProvider {
    /// What the groups of a person are called, in order, each once.
    pub(super) async fn groups(&self, connection: &mut Connection, entry: &Entry, person: &Attributes) -> Result<Vec<String>, LdapError> {
        let mut known = Known::default();
        let mut next = Vec::new();
        if let Some(memberof) = &self.settings.groups.memberof {
            next.extend(self.named_by(entry, memberof, &mut known)?);
        }
        if let Some(filter) = &self.checked.group {
            let values = [("dn", Some(entry.dn.as_str())), ("username", person.username.as_deref()), ("email", person.email.as_deref())];
            let values: Vec<(&str, &[u8])> = values.iter().filter_map(|(name, value)| Some((*name, (*value)?.as_bytes()))).collect();
            let filled = filter.fill(&values);
            next.extend(self.naming(connection, filled, &mut known).await?);
        }
        for depth in 0..=self.settings.groups.nested {
            if next.is_empty() {
                break;
            }
            let deeper = depth < self.settings.groups.nested;
            next = self.level(connection, next, deeper, &mut known).await?;
        }
        Ok(known.names.into_iter().collect())
    }

    /// Notes what these groups are called, and gives the groups that hold them.
    async fn level(
        &self,
        connection: &mut Connection,
        groups: Vec<Group>,
        deeper: bool,
        known: &mut Known,
    ) -> Result<Vec<Group>, LdapError> {
        let mut above = Vec::new();
        let memberof = self.settings.groups.memberof.as_deref().filter(|_| deeper);
        for group in &groups {
            known.names.extend(group.name.iter().flatten().cloned());
            if group.name.is_none() || memberof.is_some() {
                let Some(entry) = self.entry_of_group(connection, &group.dn).await? else { continue };
                if group.name.is_none() {
                    known.names.extend(texts(&entry, &self.settings.groups.attribute)?);
                }
                if let Some(memberof) = memberof {
                    above.extend(self.named_by(&entry, memberof, known)?);
                }
            }
        }
        if let Some(filter) = self.checked.group.as_ref().filter(|filter| deeper && filter.names("dn")) {
            for some in groups.chunks(AT_ONCE) {
                let filters: Vec<Vec<u8>> = some.iter().filter_map(|group| filter.fill(&[("dn", group.dn.as_bytes())])).collect();
                let filter = (!filters.is_empty()).then(|| or(&filters));
                above.extend(self.naming(connection, filter, known).await?);
            }
        }
        Ok(above)
    }

    /// The groups that an attribute lists. Only those below `group_base` are groups: others may have been named by somebody else.
    fn named_by(&self, entry: &Entry, memberof: &str, known: &mut Known) -> Result<Vec<Group>, LdapError> {
        if entry.is_cut(memberof) {
            return Err(LdapError::TooManyGroups(MOST_GROUPS));
        }
        let mut groups = Vec::new();
        for text in texts(entry, memberof)? {
            let Some(dn) = Dn::parse(&text) else {
                tracing::warn!(dn = %short(&entry.dn), group = %short(&text), "the name of a group can't be read, so that it does not count");
                continue;
            };
            if self.is_new(&dn, known)? {
                let attribute = self.settings.groups.attribute.as_str();
                let own = if attribute == WHOLE_NAME { Some(text.as_str()) } else { dn.own(attribute) };
                groups.push(Group { name: own.map(|name| vec![name.to_owned()]), dn: text });
            }
        }
        Ok(groups)
    }

    /// The groups that a filter finds.
    async fn naming(&self, connection: &mut Connection, filter: Option<Vec<u8>>, known: &mut Known) -> Result<Vec<Group>, LdapError> {
        let Some(filter) = filter else { return Ok(Vec::new()) };
        let attribute = self.settings.groups.attribute.as_str();
        // 1.1 is no attribute: names of entries come by themselves (RFC 4511 section 4.5.1.8).
        let wanted = [if attribute == WHOLE_NAME { "1.1" } else { attribute }];
        let search = Search {
            base: self.settings.group_base(),
            scope: SearchScope::Subtree,
            filter: &filter,
            attributes: &wanted,
            size_limit: 0,
            time_limit: self.pool.seconds(),
        };
        let bound = Bound { what: WHAT, most: MOST_GROUPS, page_size: Some(self.settings.page_size) };
        let mut groups = Vec::new();
        for entry in connection.search(&search, bound).await? {
            let dn = Dn::parse(&entry.dn).filter(|dn| !dn.is_empty()).ok_or_else(|| LdapError::Dn(short(&entry.dn)))?;
            if self.is_new(&dn, known)? {
                let names = if attribute == WHOLE_NAME { vec![entry.dn.clone()] } else { texts(&entry, attribute)? };
                groups.push(Group { name: Some(names), dn: entry.dn });
            }
        }
        Ok(groups)
    }

    /// Whether it is a group that was not seen yet.
    fn is_new(&self, dn: &Dn, known: &mut Known) -> Result<bool, LdapError> {
        let dn = dn.folded();
        if !dn.is_within(&self.checked.group_base) || !known.seen.insert(dn) {
            return Ok(false);
        }
        if known.seen.len() > MOST_GROUPS { Err(LdapError::TooManyGroups(MOST_GROUPS)) } else { Ok(true) }
    }

    /// `None`: it is not there, or may not be seen.
    async fn entry_of_group(&self, connection: &mut Connection, dn: &str) -> Result<Option<Entry>, LdapError> {
        let mut wanted = vec![self.settings.groups.attribute.as_str()];
        wanted.extend(self.settings.groups.memberof.as_deref());
        let search = Search {
            base: dn,
            scope: SearchScope::Base,
            filter: &present("objectClass"),
            attributes: &wanted,
            size_limit: 1,
            time_limit: self.pool.seconds(),
        };
        let bound = Bound { what: WHAT, most: 1, page_size: None };
        match connection.search(&search, bound).await {
            Ok(entries) => Ok(entries.into_iter().next()),
            Err(LdapError::Refused { code: code::NO_SUCH_OBJECT, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
