//! What an operator configures of one directory.

use std::time::Duration;

use falconer_store::Secret;
use thiserror::Error;

use super::connection::Address;
use super::protocol::{Dn, FilterError, FilterTemplate, and, is_name, present};

/// Groups inside of groups are followed no deeper.
pub const DEEPEST_NESTING: u8 = 10;

/// A directory has no more servers.
pub const MOST_SERVERS: usize = 8;

/// One directory.
pub struct LdapSettings {
    /// `ldaps://ldap.example.com`, or `ldap://` with STARTTLS. Of several that hold the same, the first that answers is asked.
    pub urls: Vec<String>,
    /// Whether a connection of `ldap://` becomes TLS; by default it does.
    pub start_tls: Option<bool>,
    /// Whether passwords may go over a network in the clear.
    pub insecure: bool,
    /// As whom people and groups are looked for; `None`: as nobody.
    pub bind: Option<ServiceAccount>,
    /// People are below this entry.
    pub base: String,
    /// Finds one person by what they type, `{name}`. What it says besides holds of everybody who may sign in or stay.
    pub user_filter: String,
    /// What holds of everybody who may sign in or stay.
    pub active_filter: Option<String>,
    /// Finds one person who signed in elsewhere, by `{email}` or `{username}`.
    pub lookup_filter: Option<String>,
    /// Where the attributes of a person are.
    pub attributes: UserAttributes,
    /// Where their groups are.
    pub groups: GroupSettings,
    /// Entries of one page of an answer.
    pub page_size: u16,
    /// For everything that one sign-in or one refresh asks, together.
    pub timeout: Duration,
    /// The most connections at a time.
    pub connections: usize,
}

/// A name of the directory and its password.
pub struct ServiceAccount {
    /// `cn=falconer,ou=services,dc=example,dc=com`
    pub dn: String,
    /// Never empty.
    pub password: Secret,
}

/// Names of attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserAttributes {
    /// Never changes, never given to somebody else.
    pub subject: String,
    /// What `{username}` stands for.
    pub username: String,
    /// What `{email}` stands for.
    pub email: String,
    /// For people to read.
    pub name: String,
}

/// Where groups are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSettings {
    /// Groups are below this entry; by default below the base.
    pub base: Option<String>,
    /// Finds the groups of a person, by `{dn}`, `{username}`, `{email}`.
    pub filter: Option<String>,
    /// What a group is called.
    pub attribute: String,
    /// The attribute of a person that lists the names of their groups' entries.
    pub memberof: Option<String>,
    /// So deep groups inside of groups are followed; 0: not.
    pub nested: u8,
}

impl Default for UserAttributes {
    fn default() -> Self {
        UserAttributes { subject: "entryUUID".into(), username: "uid".into(), email: "mail".into(), name: "cn".into() }
    }
}

impl Default for GroupSettings {
    fn default() -> Self {
        GroupSettings { base: None, filter: None, attribute: "cn".into(), memberof: None, nested: 0 }
    }
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LdapSettingsError {
    /// Nowhere to ask, or too many places.
    #[error("urls: write at least one address, and {0} at most")]
    Servers(usize),
    /// A server that is there already.
    #[error("urls: {0} is there twice")]
    ServerTwice(String),
    /// Not where a directory is.
    #[error("url: {0:?} is no address of a directory; write ldaps://ldap.example.com, or ldap:// for STARTTLS")]
    Url(String),
    /// Passwords would be read on the way.
    #[error(
        "url: passwords would go to {0:?} in the clear. Use ldaps://, or leave out `start_tls = false`; `insecure = true` allows it all the same, and \
         without that word plain LDAP is for a directory on this machine only"
    )]
    Plain(String),
    /// Both at once.
    #[error("start_tls: a connection of ldaps:// has TLS from its beginning")]
    StartTlsOfLdaps,
    /// A word that allows nothing.
    #[error("insecure: nothing is in the clear here, so leave it out")]
    InsecureForNothing,
    /// No name of an entry.
    #[error("{setting}: {dn:?} is no name of an entry, such as dc=example,dc=com")]
    Dn {
        /// Which setting.
        setting: &'static str,
        /// As written.
        dn: String,
    },
    /// A name without a password binds as nobody, on many servers with success.
    #[error("bind_password: it is empty")]
    NoPassword,
    /// Half of a pair.
    #[error("bind_dn: it needs bind_password or bind_password_file, and they need it")]
    HalfOfBind,
    /// A filter.
    #[error("{setting}: {error}")]
    Filter {
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it.
        error: FilterError,
    },
    /// Not a name of an attribute.
    #[error("{setting}: {name:?} is no name of an attribute")]
    Attribute {
        /// Which setting.
        setting: &'static str,
        /// As written.
        name: String,
    },
    /// Nothing to nest.
    #[error("nested: it needs group_filter with {{dn}}, or memberof")]
    NothingToNest,
    /// Groups are configured that nothing looks for.
    #[error("group_base: it needs group_filter or memberof")]
    NoGroups,
    /// Out of what makes sense.
    #[error("{setting}: write a number from {least} to {most}")]
    Number {
        /// Which setting.
        setting: &'static str,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
}

/// The settings, read.
pub(crate) struct Checked {
    pub(crate) addresses: Vec<Address>,
    pub(crate) user: FilterTemplate,
    /// What holds of everybody who counts, encoded: what `user_filter` says besides the name, and `active_filter`.
    pub(crate) people: Vec<Vec<u8>>,
    /// Everybody who counts and has an id, encoded.
    pub(crate) anybody: Vec<u8>,
    pub(crate) lookup: FilterTemplate,
    pub(crate) group: Option<FilterTemplate>,
    /// Folded.
    pub(crate) group_base: Dn,
}

impl LdapSettings {
    /// What is wrong with them, if anything.
    pub fn check(&self) -> Result<(), LdapSettingsError> {
        self.read().map(|_| ())
    }

    /// As written, or by default the base.
    pub(crate) fn group_base(&self) -> &str {
        self.groups.base.as_deref().unwrap_or(&self.base)
    }

    pub(crate) fn read(&self) -> Result<Checked, LdapSettingsError> {
        use LdapSettingsError as E;
        let addresses = self.urls.iter().map(|url| Address::parse(url, self.start_tls, self.insecure)).collect::<Result<Vec<_>, _>>()?;
        if !(1..=MOST_SERVERS).contains(&addresses.len()) {
            return Err(E::Servers(MOST_SERVERS));
        }
        if let Some(twice) =
            addresses.iter().enumerate().find(|(number, address)| addresses.iter().take(*number).any(|one| one == *address))
        {
            return Err(E::ServerTwice(format!("{}:{}", twice.1.host, twice.1.port)));
        }
        if let Some(bind) = &self.bind {
            entry_name("bind_dn", &bind.dn)?;
        }
        entry_name("base", &self.base)?;
        let group_base = entry_name("group_base", self.group_base())?.folded();
        if self.bind.as_ref().is_some_and(|bind| bind.password.expose().is_empty()) {
            return Err(E::NoPassword);
        }
        self.check_names()?;
        let filter = |setting: &'static str, text: &str, known: &[&'static str]| {
            FilterTemplate::parse(text, known).map_err(|error| E::Filter { setting, error })
        };
        let names_not = |setting, what| E::Filter { setting, error: FilterError::NamesNot(what) };
        let user = filter("user_filter", &self.user_filter, &["name"])?;
        if !user.names("name") {
            return Err(names_not("user_filter", "{name}"));
        }
        let active = self.active_filter.as_ref().map(|text| filter("active_filter", text, &[])).transpose()?;
        let lookup = self.lookup_filter.clone().unwrap_or_else(|| format!("({}={{email}})", self.attributes.email));
        let lookup = filter("lookup_filter", &lookup, &["email", "username"])?;
        if !lookup.names("email") && !lookup.names("username") {
            return Err(names_not("lookup_filter", "{email} or {username}"));
        }
        let group = self.groups.filter.as_ref().map(|text| filter("group_filter", text, &["dn", "username", "email"])).transpose()?;
        if group.as_ref().is_some_and(|group| !["dn", "username", "email"].iter().any(|name| group.names(name))) {
            return Err(names_not("group_filter", "{dn}, {username} or {email}"));
        }
        if self.groups.nested > 0 && self.groups.memberof.is_none() && !group.as_ref().is_some_and(|group| group.names("dn")) {
            return Err(E::NothingToNest);
        }
        if self.groups.base.is_some() && self.groups.filter.is_none() && self.groups.memberof.is_none() {
            return Err(E::NoGroups);
        }
        let people: Vec<Vec<u8>> = [user.anybody(), active.and_then(|active| active.fill(&[]))].into_iter().flatten().collect();
        let anybody = and(&[&[present(&self.attributes.subject)], people.as_slice()].concat());
        Ok(Checked { addresses, user, people, anybody, lookup, group, group_base })
    }

    /// Names of attributes, and numbers.
    fn check_names(&self) -> Result<(), LdapSettingsError> {
        let UserAttributes { subject, username, email, name } = &self.attributes;
        let names = [
            ("user_attributes.subject", Some(subject)),
            ("user_attributes.username", Some(username)),
            ("user_attributes.email", Some(email)),
            ("user_attributes.name", Some(name)),
            ("group_attribute", Some(&self.groups.attribute)),
            ("memberof", self.groups.memberof.as_ref()),
        ];
        for (setting, name) in names {
            if let Some(name) = name.filter(|name| !is_name(name)) {
                return Err(LdapSettingsError::Attribute { setting, name: name.clone() });
            }
        }
        let numbers = [
            ("nested", u64::from(self.groups.nested), 0, u64::from(DEEPEST_NESTING)),
            ("page_size", u64::from(self.page_size), 1, 1000),
            ("timeout", u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX), 100, 60_000),
            ("connections", u64::try_from(self.connections).unwrap_or(u64::MAX), 1, 64),
        ];
        match numbers.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
            Some((setting, _, least, most)) => Err(LdapSettingsError::Number { setting, least, most }),
            None => Ok(()),
        }
    }
}

/// A name that an entry can have; the root of a tree has none, and nobody is it.
fn entry_name(setting: &'static str, text: &str) -> Result<Dn, LdapSettingsError> {
    let dn = Dn::parse(text).filter(|dn| !dn.is_empty());
    dn.ok_or_else(|| LdapSettingsError::Dn { setting, dn: text.to_owned() })
}
