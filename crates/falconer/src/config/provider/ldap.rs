//! `kind = "ldap"`: a directory of people and groups.

use std::path::PathBuf;
use std::time::Duration;

use falconer_login::ldap::{GroupSettings, LdapSettings, ServiceAccount, UserAttributes};
use falconer_login::mapping::Mapping;
use falconer_store::Secret;
use serde::Deserialize;

use super::section::{Kind, Section, for_checks, one_of, without_organisations};
use crate::config::SecretText;

/// The section, as it is written.
pub type LdapSection = Section<Ldap>;

/// What it has of its own.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Ldap {
    /// It signs nobody in, and adds to what the other providers say.
    #[serde(default)]
    pub only_authorizes: bool,
    /// `ldaps://ldap.example.com`, or `ldap://` with STARTTLS.
    pub url: Option<String>,
    /// Several servers that hold the same: the first that answers is asked.
    #[serde(default)]
    pub urls: Vec<String>,
    /// Whether a connection of `ldap://` becomes TLS.
    pub start_tls: Option<bool>,
    /// Whether passwords may go over a network in the clear.
    #[serde(default)]
    pub insecure: bool,
    /// Certificates of the authorities that count, instead of those of the system.
    pub ca_file: Option<PathBuf>,
    /// As whom people and groups are looked for.
    pub bind_dn: Option<String>,
    /// Its password; or `bind_password_file`.
    pub bind_password: Option<SecretText>,
    /// A file that holds the password.
    pub bind_password_file: Option<PathBuf>,
    /// People are below this entry.
    pub base: String,
    /// Finds one person by what they type.
    #[serde(default = "user_filter")]
    pub user_filter: String,
    /// What holds of everybody who may sign in or stay.
    pub active_filter: Option<String>,
    /// Finds one person who signed in elsewhere.
    pub lookup_filter: Option<String>,
    /// Where the attributes of a person are.
    #[serde(default)]
    pub user_attributes: Attributes,
    /// Groups are below this entry.
    pub group_base: Option<String>,
    /// Finds the groups of a person.
    pub group_filter: Option<String>,
    /// What a group is called.
    pub group_attribute: Option<String>,
    /// The attribute of a person that lists the names of their groups' entries.
    pub memberof: Option<String>,
    /// So deep groups inside of groups are followed.
    #[serde(default)]
    pub nested: u8,
    /// Entries of one page.
    #[serde(default = "page_size")]
    pub page_size: u16,
    /// For everything that one sign-in or one refresh asks, together.
    #[serde(default = "timeout")]
    pub timeout: String,
    /// The most connections at a time.
    #[serde(default = "connections")]
    pub connections: usize,
}

/// Names of attributes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Attributes {
    /// Never changes, never given to somebody else.
    pub subject: Option<String>,
    /// What `{username}` stands for.
    pub username: Option<String>,
    /// What `{email}` stands for.
    pub email: Option<String>,
    /// For people to read.
    pub name: Option<String>,
}

fn user_filter() -> String {
    "(uid={name})".to_owned()
}

fn page_size() -> u16 {
    200
}

fn timeout() -> String {
    "8 seconds".to_owned()
}

fn connections() -> usize {
    8
}

impl Kind for Ldap {
    const COMMON: &'static [&'static str] = &["label", "refresh", "groups", "group_prefixes", "authoritative_email", "scim"];

    fn check_mapping(mapping: &Mapping) -> Result<(), String> {
        without_organisations(mapping)
    }

    fn check(section: &LdapSection) -> Result<(), String> {
        if section.only_authorizes && section.common().scim.is_some() {
            return Err("scim: nobody signs in here, so that there is nobody to push".to_owned());
        }
        let (written, file) = (section.bind_password.as_ref(), section.bind_password_file.as_ref());
        one_of("bind_password", written, file)?;
        if (written.is_some() || file.is_some()) != section.bind_dn.is_some() {
            return Err("bind_dn: it needs bind_password or bind_password_file, and they need it".to_owned());
        }
        if section.url.is_some() != section.urls.is_empty() {
            return Err("url: write it, or urls with several; one of the two".to_owned());
        }
        let plain = section.start_tls == Some(false) && section.url.iter().chain(&section.urls).all(|url| url.starts_with("ldap:"));
        if section.ca_file.is_some() && plain {
            return Err("ca_file: there is no TLS here".to_owned());
        }
        section.settings(for_checks(written, file))?.check().map_err(|error| error.to_string())
    }
}

impl LdapSection {
    /// The settings, with the password from wherever it comes.
    pub fn settings(&self, bind_password: Option<Secret>) -> Result<LdapSettings, String> {
        let timeout_ms = falconer_wire::time_expression::parse_ms(&self.timeout);
        let timeout_ms = timeout_ms.map_err(|error| format!("timeout: write something like `8 seconds`: {error}"))?;
        let bind = self.bind_dn.clone().zip(bind_password).map(|(dn, password)| ServiceAccount { dn, password });
        let usual = UserAttributes::default();
        let attributes = self.user_attributes.clone();
        Ok(LdapSettings {
            urls: self.url.iter().chain(&self.urls).cloned().collect(),
            start_tls: self.start_tls,
            insecure: self.insecure,
            bind,
            base: self.base.clone(),
            user_filter: self.user_filter.clone(),
            active_filter: self.active_filter.clone(),
            lookup_filter: self.lookup_filter.clone(),
            attributes: UserAttributes {
                subject: attributes.subject.unwrap_or(usual.subject),
                username: attributes.username.unwrap_or(usual.username),
                email: attributes.email.unwrap_or(usual.email),
                name: attributes.name.unwrap_or(usual.name),
            },
            groups: GroupSettings {
                base: self.group_base.clone(),
                filter: self.group_filter.clone(),
                attribute: self.group_attribute.clone().unwrap_or(GroupSettings::default().attribute),
                memberof: self.memberof.clone(),
                nested: self.nested,
            },
            page_size: self.page_size,
            timeout: Duration::from_millis(timeout_ms.unsigned_abs()),
            connections: self.connections,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::provider::examples::{assert_told, assert_told_instead, read};

    const FINE: &str = r#"
[[provider]]
kind = "ldap"
name = "company"
url = "ldaps://ldap.example.com"
base = "dc=example,dc=com"
"#;

    #[test]
    fn one_server_or_several() {
        let several = FINE.replace("url = \"ldaps://ldap.example.com\"", "urls = ['ldaps://a.example.com', 'ldaps://b.example.com']");
        let config = read(&several).unwrap();
        let crate::config::Provider::Ldap(ldap) = &config.provider[0] else { panic!("another kind") };
        assert_eq!(ldap.settings(None).unwrap().urls, ["ldaps://a.example.com", "ldaps://b.example.com"]);
        for (urls, expected) in [
            ("", "one of the two"),
            ("urls = []", "one of the two"),
            ("url = 'ldaps://a'\nurls = ['ldaps://b']", "one of the two"),
            ("urls = ['ldaps://a', 'ldaps://A:636/']", "a:636 is there twice"),
            ("urls = ['ldaps://a', 'https://b']", "is no address of a directory"),
            (
                "urls = ['ldaps://1','ldaps://2','ldaps://3','ldaps://4','ldaps://5','ldaps://6','ldaps://7','ldaps://8','ldaps://9']",
                "8 at most",
            ),
        ] {
            let error = read(&FINE.replace("url = \"ldaps://ldap.example.com\"", urls)).unwrap_err();
            assert!(format!("{error:#}").contains(expected), "{urls}: {error:#}");
        }
    }

    #[test]
    fn a_directory_is_read() {
        let more = "bind_dn = 'cn=falconer,dc=example,dc=com'\nbind_password = '123'\nuser_attributes = { subject = 'objectGUID' }\nonly_authorizes = true\nrefresh = '1 hour'\n";
        let config = read(&format!("{FINE}{more}")).unwrap();
        let crate::config::Provider::Ldap(ldap) = &config.provider[0] else { panic!("another kind") };
        let settings = ldap.settings(None).unwrap();
        assert_eq!((settings.attributes.subject.as_str(), settings.attributes.email.as_str()), ("objectGUID", "mail"));
        assert!(!format!("{config:?}").contains("123"), "{config:?}");
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        let lines = [
            ("bse = 'x'", "bse"),
            ("user_attributes = { uid = 'x' }", "uid"),
            ("bind_dn = 'cn=a'", "bind_dn: it needs bind_password"),
            ("bind_password = 'a'", "bind_dn: it needs bind_password"),
            ("bind_dn = 'cn=a'\nbind_password = ''", "bind_password: it is empty"),
            ("bind_dn = 'cn=a'\nbind_password = 'a'\nbind_password_file = 'b'", "give either bind_password or bind_password_file"),
            ("bind_dn = 'falconer'\nbind_password = 'a'", "bind_dn: \"falconer\" is no name of an entry"),
            ("user_filter = '(uid={user})'", "user_filter: it names {user}; there are {name}"),
            ("user_filter = '(uid=ann)'", "user_filter: it does not name {name}"),
            ("user_filter = 'uid={name}'", "user_filter: a filter begins with a bracket"),
            ("active_filter = '(uid={name})'", "active_filter: it names {name}; there are none here"),
            ("lookup_filter = '(uid=*)'", "lookup_filter: it does not name {email} or {username}"),
            ("group_filter = '(member={name})'", "group_filter: it names {name}; there are {dn}, {username}, {email}"),
            ("group_filter = '(cn=*)'", "group_filter: it does not name {dn}, {username} or {email}"),
            ("group_base = 'ou=groups'", "group_base: it needs group_filter or memberof"),
            ("group_base = 'x'\nmemberof = 'memberOf'", "group_base: \"x\" is no name of an entry"),
            ("memberof = 'member of'", "memberof: \"member of\" is no name of an attribute"),
            ("nested = 1", "nested: it needs group_filter with {dn}, or memberof"),
            ("nested = 11\nmemberof = 'memberOf'", "nested: write a number from 0 to 10"),
            ("page_size = 0", "page_size: write a number from 1 to 1000"),
            ("connections = 0", "connections: write a number from 1 to 64"),
            ("timeout = 'soon'", "timeout: write something like"),
            ("timeout = '2 minutes'", "timeout: write a number from"),
            ("start_tls = true", "start_tls: a connection of ldaps:// has TLS"),
            ("insecure = true", "insecure: nothing is in the clear here"),
            ("scopes = ['assume:x:{mail}']", "names {mail}; there are {email}"),
        ];
        assert_told(FINE, &lines);
        let instead = [
            ("ldaps://ldap.example.com", "https://ldap.example.com", "is no address of a directory"),
            ("url = \"ldaps://ldap.example.com\"", "url = \"ldap://ldap.example.com\"\nstart_tls = false", "in the clear"),
            (
                "url = \"ldaps://ldap.example.com\"",
                "url = \"ldap://127.0.0.1\"\nstart_tls = false\nca_file = 'x'",
                "ca_file: there is no TLS here",
            ),
            ("base = \"dc=example,dc=com\"", "base = \"\"", "base: \"\" is no name of an entry"),
            ("base = \"dc=example,dc=com\"\n", "", "base"),
        ];
        assert_told_instead(FINE, &instead);
    }
}
