//! A provider of the kind `http_directory`, which signs nobody in.

use std::path::PathBuf;

use falconer_login::http_directory::{AnswerPaths, HttpDirectorySettings};
use falconer_login::mapping::{Attribute, Mapping};
use falconer_store::Secret;
use serde::Deserialize;

use super::path::MemberPath;
use super::section::{Kind, Section, for_checks, naming_only, one_of};
use crate::config::SecretText;

/// The section, as it is written. Its answers are kept under the name, and it has no button.
pub type HttpDirectorySection = Section<HttpDirectory>;

/// What it has of its own.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct HttpDirectory {
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
}

impl Kind for HttpDirectory {
    const COMMON: &'static [&'static str] = &["refresh", "groups", "group_prefixes"];
    /// It is asked for an address that counted elsewhere.
    const ADDRESSES_COUNT: bool = true;

    fn check_mapping(mapping: &Mapping) -> Result<(), String> {
        naming_only(mapping, [Attribute::Username, Attribute::Group], "an HTTP directory")
    }

    fn check(section: &HttpDirectorySection) -> Result<(), String> {
        let (written, file) = (section.api_key.as_ref(), section.api_key_file.as_ref());
        one_of("api_key", written, file)?;
        let key = for_checks(written, file);
        if key.is_none() && section.api_key_header.is_some() {
            return Err("api_key_header: write api_key or api_key_file too".to_owned());
        }
        section.settings(key).check().map_err(|error| error.to_string())
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
            ("label = 'x'", "unknown field `label`"),
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
