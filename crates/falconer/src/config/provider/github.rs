//! A provider of the kind `github`.

use std::path::PathBuf;

use falconer_login::github::GithubSettings;
use falconer_login::mapping::{Attribute, Mapping};
use falconer_store::Secret;
use serde::Deserialize;

use super::section::{Kind, Section, for_checks, one_of};
use crate::config::SecretText;

/// The section, as it is written. Groups are `<organisation>` and `<organisation>/<team>`; the address is the primary one.
pub type GithubSection = Section<Github>;

/// What it has of its own.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Github {
    /// Where an Enterprise server is; by default github.com.
    pub url: Option<String>,
    /// What GitHub calls this server.
    pub client_id: String,
    /// What it proves itself with; or `client_secret_file`.
    pub client_secret: Option<SecretText>,
    /// A file that holds the secret.
    pub client_secret_file: Option<PathBuf>,
    /// Organisations whose members sign in, and whose teams count: `<login>`, or `<login>:<number>`. Without the list, everybody and all.
    pub organizations: Option<Vec<String>>,
}

impl Kind for Github {
    const COMMON: &'static [&'static str] = &["label", "refresh", "groups", "authoritative_email", "scim"];

    fn check_mapping(mapping: &Mapping) -> Result<(), String> {
        // A name that somebody gave up is anybody's the next day.
        let named_alone = mapping.templates().iter().find(|one| one.names(Attribute::Username) && !one.names(Attribute::Subject));
        match named_alone {
            None => Ok(()),
            Some(template) => Err(format!(
                "scopes: {:?} names {{username}} without {{sub}}: names change hands at GitHub, and whoever takes one over would get what the one \
                 before had. Write {{sub}}, the number, or both",
                template.text()
            )),
        }
    }

    fn check(section: &GithubSection) -> Result<(), String> {
        let (written, file) = (section.client_secret.as_ref(), section.client_secret_file.as_ref());
        one_of("client_secret", written, file)?;
        section.settings(for_checks(written, file))?.check().map_err(|error| error.to_string())
    }
}

impl GithubSection {
    /// The settings, with the secret from wherever it comes.
    pub fn settings(&self, client_secret: Option<Secret>) -> Result<GithubSettings, String> {
        Ok(GithubSettings {
            url: self.url.clone(),
            client_id: self.client_id.clone(),
            client_secret: client_secret.unwrap_or_else(|| Secret::new("")),
            organizations: self.organizations.clone(),
            groups: self.organizations.is_some() || self.mapping()?.asks_for_groups(),
            email: self.common().authoritative_email,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::provider::Provider;
    use crate::config::provider::examples::{assert_told, assert_told_instead, read};

    const FINE: &str = r#"
[[provider]]
kind = "github"
name = "github"
client_id = "Iv1.0123456789abcdef"
client_secret_file = "/etc/falconer/github.secret"
"#;

    #[test]
    fn a_provider_is_read() {
        let text = FINE.replace("client_secret_file = \"/etc/falconer/github.secret\"", "client_secret = \"canary\"");
        let config = read(&format!("{text}organizations = ['mozilla:131524']\nscopes = ['assume:team:{{org}}/{{team}}']\n")).unwrap();
        let Provider::Github(github) = &config.provider[0] else { panic!("another kind") };
        let settings = github.settings(None).unwrap();
        assert_eq!((config.provider[0].label(), settings.groups, settings.email), ("github", true, false));
        assert!(!format!("{config:?}").contains("canary"), "{config:?}");
        let config = read(&format!("{FINE}scopes = ['assume:x:{{sub}}/{{username}}']\nauthoritative_email = true\n")).unwrap();
        let Provider::Github(github) = &config.provider[0] else { panic!("another kind") };
        let settings = github.settings(None).unwrap();
        assert!(!settings.groups && settings.email, "GitHub is asked for no more than is used");
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        let lines = [
            ("issuer = 'https://github.com'", "issuer"),
            ("client_secret = 'a'", "give either client_secret or client_secret_file"),
            ("url = 'http://github.example.com'", "is not https"),
            ("url = 'github.example.com'", "is no URL"),
            ("url = 'https://github.example.com/api/v3'", "write the server alone"),
            ("url = 'https://api.github.com'", "is the API"),
            ("organizations = []", "nobody could sign in"),
            ("organizations = ['a b']", "neither the login of an organisation"),
            ("organizations = ['a:0']", "neither the login of an organisation"),
            ("organizations = ['a', 'A']", "is there twice"),
            ("organizations = [131524]", "string"),
            ("scopes = ['assume:x:{username}']", "names change hands at GitHub"),
            ("scopes = ['assume:x:{org}/{username}']", "names change hands at GitHub"),
            ("scopes = ['assume:x:{team}']", "every organisation can have a team of that name"),
            ("scopes = ['assume:x:{org}{team}']", "nobody could tell where one ends"),
            ("scopes = ['assume:{org}/{team}']", "could choose any role"),
            ("scopes = ['assume:x:{email}']", "counts only with `authoritative_email = true`"),
            ("label = ''", "label: write a name"),
        ];
        assert_told(FINE, &lines);
        let instead = [
            ("name = \"github\"", "name = \"GitHub\"", "no name of a provider"),
            ("Iv1.0123456789abcdef", " ", "client_id: it is empty"),
            ("client_secret_file = \"/etc/falconer/github.secret\"", "", "GitHub knows no clients without one"),
            ("client_secret_file = \"/etc/falconer/github.secret\"", "client_secret = \"\"", "GitHub knows no clients without one"),
        ];
        assert_told_instead(FINE, &instead);
    }
}
