//! A provider of the kind `oidc`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use falconer_login::mapping::Mapping;
use falconer_login::oidc::{ClaimNames, OidcSettings};
use falconer_store::Secret;
use serde::Deserialize;

use super::path::MemberPath;
use super::section::{Kind, Section, one_of, without_organisations};
use crate::config::SecretText;

/// The section, as it is written.
pub type OidcSection = Section<Oidc>;

/// What it has of its own.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The issuer, exactly as the provider writes it.
    pub issuer: String,
    /// What the provider calls this server.
    pub client_id: String,
    /// What it proves itself with; or `client_secret_file`. Without either, PKCE alone.
    pub client_secret: Option<SecretText>,
    /// A file that holds the secret.
    pub client_secret_file: Option<PathBuf>,
    /// The claim of the ID token that says who somebody is; by default `sub`.
    pub subject_claim: Option<String>,
    /// The claim that lists groups, or the path to it.
    #[serde(default)]
    pub groups_claim: MemberPath,
    /// The claim that `{username}` stands for.
    pub username_claim: Option<String>,
    /// What is asked of the provider.
    pub request_scopes: Option<Vec<String>>,
    /// What else the browser carries to the provider, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Whether the userinfo endpoint is asked too.
    #[serde(default)]
    pub userinfo: bool,
    /// Whether the provider asks people again where it is told to, and says when it did.
    #[serde(default = "default_true")]
    pub auth_time: bool,
}

fn default_true() -> bool {
    true
}

impl Kind for Oidc {
    const COMMON: &'static [&'static str] = &["label", "refresh", "groups", "group_prefixes", "authoritative_email", "scim"];

    fn check_mapping(mapping: &Mapping) -> Result<(), String> {
        without_organisations(mapping)
    }

    fn check(section: &OidcSection) -> Result<(), String> {
        one_of("client_secret", section.client_secret.as_ref(), section.client_secret_file.as_ref())?;
        let client_secret = section.client_secret.as_ref().map(|secret| Secret::new(secret.expose()));
        section.settings(client_secret).check().map_err(|error| error.to_string())
    }
}

impl OidcSection {
    /// The settings, with the secret from wherever it comes.
    pub fn settings(&self, client_secret: Option<Secret>) -> OidcSettings {
        OidcSettings {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret,
            request_scopes: self.request_scopes.clone().unwrap_or_else(|| self.usual_scopes()),
            userinfo: self.userinfo,
            auth_time: self.auth_time,
            claims: self.claim_names(),
            parameters: self.parameters.clone().into_iter().collect(),
        }
    }

    /// Without `offline_access` the provider gives nothing to ask again with (OpenID Connect Core 1.0 section 11).
    fn usual_scopes(&self) -> Vec<String> {
        let offline = self.common().refresh.is_some().then_some("offline_access");
        ["openid", "profile", "email"].into_iter().chain(offline).map(str::to_owned).collect()
    }

    fn claim_names(&self) -> ClaimNames {
        let usual = ClaimNames::default();
        let subject = self.subject_claim.clone().unwrap_or(usual.subject);
        ClaimNames { subject, groups: self.groups_claim.names(), username: self.username_claim.clone().unwrap_or(usual.username) }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::provider::Provider;
    use crate::config::provider::examples::{assert_told, assert_told_instead, read};

    const FINE: &str = r#"
[[provider]]
kind = "oidc"
name = "company"
issuer = "https://login.example.com"
client_id = "falconer"
"#;

    #[test]
    fn a_provider_is_read() {
        let config = read(&format!("{FINE}client_secret = '123'\ngroups_claim = ['realm_access', 'roles']\n")).unwrap();
        let Provider::Oidc(oidc) = &config.provider[0] else { panic!("another kind") };
        assert_eq!(
            (config.provider[0].label(), oidc.claim_names().groups.as_slice()),
            ("company", ["realm_access".to_owned(), "roles".to_owned()].as_slice())
        );
        assert!(!format!("{config:?}").contains("123"), "{config:?}");
    }

    #[test]
    fn what_is_asked_again_needs_a_token_for_that() {
        let asks = |line: &str| {
            let config = read(&format!("{FINE}{line}\n")).unwrap();
            let Provider::Oidc(oidc) = &config.provider[0] else { panic!("another kind") };
            oidc.settings(None).request_scopes.contains(&"offline_access".to_owned())
        };
        assert!(!asks("") && asks("refresh = '1 hour'") && !asks("refresh = '1 hour'\nrequest_scopes = ['openid']"));
    }

    /// Each of them was an error of the first person who signs in, or of nobody, if it were not one of reading the file.
    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        let lines = [
            ("lable = 'x'", "unknown field `lable`, expected one of `issuer`"),
            ("lable = 'x'", "there are also `name`, `scopes`, `label`"),
            ("scopes = 'x'", "scopes"),
            ("client_secret = ''", "client_secret: it is empty"),
            ("client_secret = 'a'\nclient_secret_file = 'b'", "give either client_secret or client_secret_file"),
            ("request_scopes = ['email']", "`openid` is missing"),
            ("request_scopes = ['openid', 'a b']", "is no scope of OAuth"),
            ("scopes = ['assume:x:{mail}']", "names {mail}; there are {email}"),
            ("scopes = ['assume:{group}']", "could choose any role"),
            ("scopes = ['assume:x:{email}']", "counts only with `authoritative_email = true`"),
            ("scopes = ['assume:*']", "could choose any role"),
            ("scopes = ['assume:login-identity:x']", "only Falconer gives"),
            ("group_prefixes = { 'a' = 'assume:x:y' }", "names no {group}"),
            ("groups_claim = ''", "groups_claim: it is empty"),
            ("groups_claim = 1", "MemberPath"),
            ("username_claim = ''", "username_claim: it is empty"),
            ("subject_claim = ''", "subject_claim: it is empty"),
            ("subject_claim = 'aud'", "says something of the token"),
            ("subject_claim = 'email'", "is given to somebody else one day"),
            ("subject_claim = 'login'\nusername_claim = 'login'", "is given to somebody else one day"),
            ("subject_claim = ['a', 'b']", "expected a string"),
            ("label = ''", "label: write a name"),
            ("refresh = 'soon'", "refresh: write something like `1 hour`"),
            ("refresh = '2 seconds'", "refresh: `2 seconds` is too often"),
            ("parameters = { state = 'x' }", "\"state\" is a parameter that Falconer sends itself"),
            ("scopes = ['assume:x:{org}']", "only a provider of the kind `github` has"),
        ];
        assert_told(FINE, &lines);
        let instead = [
            ("name = \"company\"", "name = \"local\"", "taken by something else"),
            ("name = \"company\"", "name = \"Company\"", "no name of a provider"),
            ("https://login", "http://login", "is not https"),
            ("https://login.example.com", "login.example.com", "is no URL"),
            ("https://login.example.com", "https://login.microsoftonline.com/{tenantid}/v2.0", "stands for many issuers"),
            ("client_id = \"falconer\"", "client_id = \"\"", "client_id: it is empty"),
            ("client_id = \"falconer\"\n", "", "client_id"),
            ("kind = \"oidc\"", "kind = \"saml\"", "saml"),
            ("kind = \"oidc\"\n", "", "kind"),
        ];
        assert_told_instead(FINE, &instead);
    }
}
