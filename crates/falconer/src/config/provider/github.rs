//! A provider of the kind `github`.

use std::path::PathBuf;

use falconer_login::github::GithubSettings;
use falconer_login::mapping::{Attribute, Mapping};
use falconer_store::Secret;
use serde::Deserialize;

use super::scim::ScimSection;
use super::section::{Section, for_checks, one_of};
use crate::config::SecretText;

/// The section, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GithubSection {
    /// First part of identities and of the path below `/login`; never reused for another kind or another GitHub.
    pub name: String,
    /// What the button says; by default the name.
    pub label: Option<String>,
    /// How often the provider is asked about people without them, such as `1 hour`; without it only when they sign in.
    pub refresh: Option<String>,
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
    /// Templates of what each person gets.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Groups that count: `<organisation>` and `<organisation>/<team>`; a star at the end stands for any end. Without the list, all.
    pub groups: Option<Vec<String>>,
    /// Whether the primary address, which GitHub has verified, is the person's.
    #[serde(default)]
    pub authoritative_email: bool,
    /// What the directory behind it may push.
    pub scim: Option<ScimSection>,
}

impl Section for GithubSection {
    fn name(&self) -> &str {
        &self.name
    }

    fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }

    fn refresh(&self) -> Option<&str> {
        self.refresh.as_deref()
    }

    fn scim(&self) -> Option<&ScimSection> {
        self.scim.as_ref()
    }

    fn check(&self) -> Result<(), String> {
        one_of("client_secret", self.client_secret.as_ref(), self.client_secret_file.as_ref())?;
        self.settings(for_checks(self.client_secret.as_ref(), self.client_secret_file.as_ref()))?.check().map_err(|error| error.to_string())
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
            email: self.authoritative_email,
        })
    }

    /// What attributes give.
    pub fn mapping(&self) -> Result<Mapping, String> {
        let mapping = Mapping::new(&self.scopes, [], self.groups.clone(), self.authoritative_email).map_err(|error| error.to_string())?;
        // A name that somebody gave up is anybody's the next day.
        let named_alone = mapping.templates().iter().find(|one| one.names(Attribute::Username) && !one.names(Attribute::Subject));
        match named_alone {
            None => Ok(mapping),
            Some(template) => Err(format!(
                "scopes: {:?} names {{username}} without {{sub}}: names change hands at GitHub, and whoever takes one over would get what the one \
                 before had. Write {{sub}}, the number, or both",
                template.text()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Section as _;
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
        assert_eq!((github.label(), settings.groups, settings.email), ("github", true, false));
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
