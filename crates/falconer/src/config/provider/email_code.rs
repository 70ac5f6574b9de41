//! A provider of the kind `email_code`.

use falconer_login::email_code::EmailCodeSettings;
use falconer_login::mapping::{Attribute, Mapping};
use serde::Deserialize;

use super::section::{Kind, Section, naming_only};

/// The section, as it is written. Whoever typed a code reads mail at the address.
pub type EmailCodeSection = Section<EmailCode>;

/// What it has of its own.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct EmailCode {
    /// Whose addresses sign in: domains, without what is below them, and addresses; `*` alone for everybody's.
    pub domains: Vec<String>,
}

impl Kind for EmailCode {
    /// There is no `refresh`: that somebody still reads mail there, only they can say.
    const COMMON: &'static [&'static str] = &["label", "authoritative_email"];

    fn check_mapping(mapping: &Mapping) -> Result<(), String> {
        naming_only(mapping, [Attribute::Email, Attribute::Subject], "a code by mail")
    }

    fn check(section: &EmailCodeSection) -> Result<(), String> {
        section.settings().check().map_err(|error| error.to_string())
    }
}

impl EmailCodeSection {
    /// The settings.
    pub fn settings(&self) -> EmailCodeSettings {
        EmailCodeSettings { domains: self.domains.clone() }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::provider::Provider;
    use crate::config::provider::examples::{assert_told, assert_told_instead, read};

    const FINE: &str = r#"
[[provider]]
kind = "email_code"
name = "mail"
domains = ["example.com"]
"#;

    #[test]
    fn a_provider_is_read() {
        let config =
            read(&format!("{FINE}label = 'E-mail'\nscopes = ['assume:mozilla-user:{{email}}']\nauthoritative_email = true\n")).unwrap();
        let Provider::EmailCode(mail) = &config.provider[0] else { panic!("another kind") };
        assert_eq!(
            (config.provider[0].label(), config.provider[0].kind(), config.provider[0].refresh_ms()),
            ("E-mail", "email_code", None)
        );
        assert_eq!(mail.settings().domains, ["example.com"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        let lines = [
            ("issuer = 'https://example.com'", "issuer"),
            ("refresh = '1 hour'", "unknown field `refresh`"),
            ("groups = ['a']", "groups"),
            ("scopes = ['assume:x:{username}']", "it says {email} and {sub}"),
            ("scopes = ['assume:x:{group}']", "it says {email} and {sub}"),
            ("scopes = ['assume:x:{email}']", "counts only with `authoritative_email = true`"),
            ("scopes = ['assume:{sub}']", "could choose any role"),
            ("label = ''", "label: write a name"),
        ];
        assert_told(FINE, &lines);
        let instead = [
            ("name = \"mail\"", "name = \"local\"", "taken by something else"),
            ("[\"example.com\"]", "[]", "nobody could sign in"),
            ("[\"example.com\"]", "[\"*.example.com\"]", "neither a domain nor an address"),
            ("[\"example.com\"]", "[\"*\", \"example.com\"]", "everybody"),
            ("domains = [\"example.com\"]", "", "domains"),
        ];
        assert_told_instead(FINE, &instead);
    }
}
