//! `[provider.scim]`: the directory behind a provider pushes users and groups.

use std::path::PathBuf;

use falconer_login::{SHORTEST_SCIM_TOKEN, ScimBounds, ScimSubjectAttribute};
use serde::Deserialize;

use super::section::one_of;
use crate::config::SecretText;

/// The table, as it is written.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ScimSection {
    /// What the directory proves itself with; or `token_file`.
    pub token: Option<SecretText>,
    /// A file that holds the token.
    pub token_file: Option<PathBuf>,
    /// Which attribute of a user is the subject of their identity.
    #[serde(default)]
    subject: Subject,
    /// Whether the groups of a pushed user are the pushed ones, and no others.
    #[serde(default = "default_true")]
    pub groups: bool,
    /// Whether nobody else signs in than who was pushed.
    #[serde(default = "default_true")]
    pub only_pushed: bool,
    /// So many users the directory may push.
    #[serde(default = "most_users")]
    pub max_users: u32,
    /// And so many groups.
    #[serde(default = "most_groups")]
    pub max_groups: u32,
    /// So many users in one group.
    #[serde(default = "most_group_members")]
    pub max_group_members: u32,
    /// So many users in all of its groups together.
    #[serde(default = "most_members")]
    pub max_members: u32,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
enum Subject {
    #[default]
    #[serde(rename = "externalId")]
    ExternalId,
    #[serde(rename = "userName")]
    UserName,
}

fn default_true() -> bool {
    true
}

fn most_users() -> u32 {
    ScimBounds::default().users
}

fn most_groups() -> u32 {
    ScimBounds::default().groups
}

fn most_group_members() -> u32 {
    ScimBounds::default().group_members
}

fn most_members() -> u32 {
    ScimBounds::default().members
}

impl ScimSection {
    /// Which attribute of a user is the subject of their identity.
    pub fn subject(&self) -> ScimSubjectAttribute {
        match self.subject {
            Subject::ExternalId => ScimSubjectAttribute::ExternalId,
            Subject::UserName => ScimSubjectAttribute::UserName,
        }
    }

    /// How much the directory may push.
    pub fn bounds(&self) -> ScimBounds {
        ScimBounds { users: self.max_users, groups: self.max_groups, group_members: self.max_group_members, members: self.max_members }
    }

    /// What is wrong with it, if anything, as far as no file has to be read.
    pub(super) fn check(&self) -> Result<(), String> {
        one_of("scim.token", self.token.as_ref(), self.token_file.as_ref())?;
        match &self.token {
            None if self.token_file.is_none() => Err("scim: give token_file, or token".to_owned()),
            Some(token) => check_token(token.expose()),
            None => Ok(()),
        }
    }
}

/// What is wrong with a token, if anything.
pub fn check_token(token: &str) -> Result<(), String> {
    if token.len() < SHORTEST_SCIM_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!(
            "scim.token: give at least {SHORTEST_SCIM_TOKEN} characters of ASCII without spaces, so that nobody can guess it; `openssl rand -hex 32` \
             prints some"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use falconer_login::ScimBounds;

    use crate::config::provider::examples::{assert_told, read};

    const FINE: &str = r#"
[[provider]]
kind = "oidc"
name = "company"
issuer = "https://login.example.com"
client_id = "falconer"
"#;

    #[test]
    fn a_directory_is_read_and_not_shown() {
        let config = read(&format!("{FINE}[provider.scim]\ntoken = '{}'\nsubject = 'userName'\n", "canary".repeat(6))).unwrap();
        let scim = config.provider[0].scim().unwrap();
        assert!(scim.groups && scim.only_pushed);
        assert_eq!(scim.bounds(), ScimBounds { users: 100_000, groups: 10_000, group_members: 100_000, members: 1_000_000 });
        assert_eq!(scim.subject().as_str(), "userName");
        assert!(!format!("{config:?}").contains("canary"), "{config:?}");
        assert!(read(FINE).unwrap().provider[0].scim().is_none());
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        let long = "x".repeat(40);
        let lines = [
            ("scim = {}".to_owned(), "scim: give token_file, or token"),
            ("scim = { token = 'short' }".to_owned(), "scim.token: give at least 32 characters"),
            (format!("scim = {{ token = '{long} x' }}"), "scim.token: give at least 32 characters"),
            (format!("scim = {{ token = '{long}', token_file = 'a' }}"), "give either scim.token or scim.token_file"),
            (format!("scim = {{ token = '{long}', subject = 'mail' }}"), "mail"),
            (format!("scim = {{ token = '{long}', tokens = 'mail' }}"), "tokens"),
        ];
        let lines: Vec<(&str, &str)> = lines.iter().map(|(line, said)| (line.as_str(), *said)).collect();
        assert_told(FINE, &lines);
    }
}
