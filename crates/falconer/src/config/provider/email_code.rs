//! A provider of the kind `email_code`.

use falconer_login::email_code::EmailCodeSettings;
use falconer_login::mapping::{Attribute, Mapping};
use serde::Deserialize;

use super::section::Section;

/// The section, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailCodeSection {
    /// First part of identities and of the path below `/login`; never reused for another kind.
    pub name: String,
    /// What the button says; by default the name.
    pub label: Option<String>,
    /// Whose addresses sign in: domains, without what is below them, and addresses; `*` alone for everybody's.
    pub domains: Vec<String>,
    /// Templates of what each person gets.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether the address, at which the person reads mail, is the person's.
    #[serde(default)]
    pub authoritative_email: bool,
}

impl Section for EmailCodeSection {
    fn name(&self) -> &str {
        &self.name
    }

    fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }

    /// That somebody still reads mail there, only they can say.
    fn refresh(&self) -> Option<&str> {
        None
    }

    fn check(&self) -> Result<(), String> {
        self.mapping()?;
        self.settings().check().map_err(|error| error.to_string())
    }
}

impl EmailCodeSection {
    /// The settings.
    pub fn settings(&self) -> EmailCodeSettings {
        EmailCodeSettings { domains: self.domains.clone() }
    }

    /// What attributes give.
    pub fn mapping(&self) -> Result<Mapping, String> {
        let mapping = Mapping::new(&self.scopes, [], None, self.authoritative_email).map_err(|error| error.to_string())?;
        let known = [Attribute::Subject, Attribute::Email];
        let names_another = |template: &&falconer_login::mapping::Template| {
            Attribute::ALL.into_iter().any(|attribute| !known.contains(&attribute) && template.names(attribute))
        };
        match mapping.templates().iter().find(names_another) {
            None => Ok(mapping),
            Some(template) => {
                Err(format!("scopes: {:?} names what a code by mail does not say; it says {{email}} and {{sub}}", template.text()))
            }
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
kind = "email_code"
name = "mail"
domains = ["example.com"]
"#;

    #[test]
    fn a_provider_is_read() {
        let config =
            read(&format!("{FINE}label = 'E-mail'\nscopes = ['assume:mozilla-user:{{email}}']\nauthoritative_email = true\n")).unwrap();
        let Provider::EmailCode(mail) = &config.provider[0] else { panic!("another kind") };
        assert_eq!((mail.label(), config.provider[0].kind(), config.provider[0].refresh_ms()), ("E-mail", "email_code", None));
        assert_eq!(mail.settings().domains, ["example.com"]);
    }

    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        let lines = [
            ("issuer = 'https://example.com'", "issuer"),
            ("refresh = '1 hour'", "refresh"),
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
