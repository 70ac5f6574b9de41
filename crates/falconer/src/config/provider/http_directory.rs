//! A provider of the kind `http_directory`, which signs nobody in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use falconer_login::http_directory::{AnswerPaths, HttpDirectorySettings};
use falconer_login::mapping::{Attribute, Mapping};
use falconer_store::Secret;
use serde::Deserialize;

use super::path::MemberPath;
use super::section::{Section, for_checks, one_of};
use crate::config::SecretText;

/// The section, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpDirectorySection {
    /// Under which its answers are kept; never reused for another one.
    pub name: String,
    /// How often it is asked about people without them, such as `1 hour`; without it only when they sign in.
    pub refresh: Option<String>,
    /// Where it is asked, with `{email}` in it.
    pub url: String,
    /// The header that holds the key.
    pub api_key_header: Option<String>,
    /// The key; or `api_key_file`. Without either it is asked as anybody.
    pub api_key: Option<SecretText>,
    /// A file that holds the key.
    pub api_key_file: Option<PathBuf>,
    /// The list of profiles, of which there has to be one; without it the answer is the profile.
    #[serde(default)]
    pub profiles_path: MemberPath,
    /// In the profile: the URL of a second document, which is the profile from then on.
    #[serde(default)]
    pub details_path: MemberPath,
    /// In the profile: what `{username}` stands for.
    #[serde(default)]
    pub username_path: MemberPath,
    /// In the profile: whether somebody vouches for the person.
    #[serde(default)]
    pub vouched_path: MemberPath,
    /// In the profile: groups.
    #[serde(default)]
    pub groups_path: MemberPath,
    /// In the profile: addresses, one of which has to be the one that was asked for.
    #[serde(default)]
    pub email_path: MemberPath,
    /// Whether people for whom nobody vouches get nothing at all.
    #[serde(default)]
    pub require_vouched: bool,
    /// Templates of what each person gets.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Groups that count; a star at the end stands for any end. Without the list, all.
    pub groups: Option<Vec<String>>,
    /// Prefixes of groups, and what the rest of such a name gives instead of what `scopes` say.
    #[serde(default)]
    pub group_prefixes: BTreeMap<String, String>,
}

impl Section for HttpDirectorySection {
    fn name(&self) -> &str {
        &self.name
    }

    /// It has no button.
    fn label(&self) -> &str {
        &self.name
    }

    fn refresh(&self) -> Option<&str> {
        self.refresh.as_deref()
    }

    fn check(&self) -> Result<(), String> {
        one_of("api_key", self.api_key.as_ref(), self.api_key_file.as_ref())?;
        let key = for_checks(self.api_key.as_ref(), self.api_key_file.as_ref());
        if key.is_none() && self.api_key_header.is_some() {
            return Err("api_key_header: write api_key or api_key_file too".to_owned());
        }
        self.mapping()?;
        self.settings(key).check().map_err(|error| error.to_string())
    }
}

impl HttpDirectorySection {
    /// The settings, with the key from wherever it comes.
    pub fn settings(&self, key: Option<Secret>) -> HttpDirectorySettings {
        let header = self.api_key_header.as_deref().unwrap_or("X-API-Key");
        HttpDirectorySettings {
            url: self.url.clone(),
            key: key.map(|key| (header.to_owned(), key)),
            paths: AnswerPaths {
                profiles: self.profiles_path.names(),
                details: self.details_path.names(),
                username: self.username_path.names(),
                vouched: self.vouched_path.names(),
                groups: self.groups_path.names(),
                email: self.email_path.names(),
            },
            require_vouched: self.require_vouched,
        }
    }

    /// What attributes give.
    pub fn mapping(&self) -> Result<Mapping, String> {
        let mapping =
            Mapping::new(&self.scopes, self.group_prefixes.clone(), self.groups.clone(), true).map_err(|error| error.to_string())?;
        let known = [Attribute::Username, Attribute::Group];
        let others = || Attribute::ALL.into_iter().filter(|attribute| !known.contains(attribute));
        match mapping.templates().iter().find(|template| others().any(|attribute| template.names(attribute))) {
            None => Ok(mapping),
            Some(template) => {
                Err(format!("scopes: {:?} names what an HTTP directory does not say; it says {{username}} and {{group}}", template.text()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::provider::Provider;
    use crate::config::provider::examples::{assert_told, assert_told_instead, read};

    const FINE: &str = r#"
[[provider]]
kind = "http_directory"
name = "people"
url = "https://people.example.com/api/users/?email={email}"
username_path = "username"
"#;

    #[test]
    fn a_directory_is_read() {
        let more = "api_key = 'canary'\ngroups_path = ['groups', 'name']\nrefresh = '1 hour'\nscopes = ['assume:x:{group}']\n";
        let config = read(&format!("{FINE}{more}")).unwrap();
        let Provider::HttpDirectory(directory) = &config.provider[0] else { panic!("another kind") };
        let settings = directory.settings(None);
        assert_eq!(
            (settings.paths.groups, config.provider[0].refresh_ms()),
            (vec!["groups".to_owned(), "name".to_owned()], Some(3_600_000))
        );
        assert!(!format!("{config:?}").contains("canary"), "{config:?}");
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        let lines = [
            ("label = 'x'", "label"),
            ("issuer = 'https://people.example.com'", "issuer"),
            ("api_key = 'a'\napi_key_file = 'b'", "give either api_key or api_key_file"),
            ("api_key = ''", "api_key: it is empty"),
            ("api_key = \"a\\nb\"", "other than printable ASCII"),
            ("api_key = 'a'\napi_key_header = 'Host'", "no name of a header"),
            ("api_key_header = 'X-API-Key'", "write api_key or api_key_file too"),
            ("require_vouched = true", "write vouched_path"),
            ("groups_path = ''", "groups_path: a name in it is empty"),
            ("groups_path = 1", "MemberPath"),
            ("scopes = ['assume:x:{email}']", "it says {username} and {group}"),
            ("scopes = ['assume:x:{sub}']", "it says {username} and {group}"),
            ("scopes = ['assume:x:{org}/{team}']", "it says {username} and {group}"),
            ("scopes = ['assume:{username}']", "could choose any role"),
            ("refresh = 'soon'", "refresh: write something like `1 hour`"),
        ];
        assert_told(FINE, &lines);
        let instead = [
            ("https://people", "http://people", "is not https"),
            ("{email}", "x", "needs {email} once"),
            ("https://people.example.com", "https://{email}.example.com", "{email}"),
            ("username_path = \"username\"", "", "nothing would come of an answer"),
            ("name = \"people\"", "name = \"local\"", "taken by something else"),
        ];
        assert_told_instead(FINE, &instead);
    }
}
