//! A provider of the kind `oidc`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use falconer_login::mapping::Mapping;
use falconer_login::oidc::{ClaimNames, OidcSettings};
use falconer_store::Secret;
use serde::Deserialize;

use super::path::MemberPath;
use super::scim::ScimSection;
use super::section::{Section, one_of, without_organisations};
use crate::config::SecretText;

/// The section, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSection {
    /// First part of identities and of the path below `/login`; never reused for another kind or issuer.
    pub name: String,
    /// What the button says; by default the name.
    pub label: Option<String>,
    /// How often the provider is asked about people without them, such as `1 hour`; without it only when they sign in.
    pub refresh: Option<String>,
    /// The issuer, exactly as the provider writes it.
    pub issuer: String,
    /// What the provider calls this server.
    pub client_id: String,
    /// What it proves itself with; or `client_secret_file`. Without either, PKCE alone.
    pub client_secret: Option<SecretText>,
    /// A file that holds the secret.
    pub client_secret_file: Option<PathBuf>,
    /// Templates of what each person gets.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Groups that count; a star at the end stands for any end. Without the list, all.
    pub groups: Option<Vec<String>>,
    /// Prefixes of groups, and what the rest of such a name gives instead of what `scopes` say.
    #[serde(default)]
    pub group_prefixes: BTreeMap<String, String>,
    /// The claim of the ID token that says who somebody is; by default `sub`.
    pub subject_claim: Option<String>,
    /// The claim that lists groups, or the path to it.
    #[serde(default)]
    pub groups_claim: MemberPath,
    /// The claim that `{username}` stands for.
    pub username_claim: Option<String>,
    /// Whether an address that the provider has verified is the person's.
    #[serde(default)]
    pub authoritative_email: bool,
    /// What the directory behind it may push.
    pub scim: Option<ScimSection>,
    /// What is asked of the provider.
    pub request_scopes: Option<Vec<String>>,
    /// What else the browser carries to the provider, by name.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Whether the userinfo endpoint is asked too.
    #[serde(default)]
    pub userinfo: bool,
    /// Whether the provider asks people again where it is told to, and says when it did.
    #[serde(default = "yes")]
    pub auth_time: bool,
}

fn yes() -> bool {
    true
}

impl Section for OidcSection {
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
        without_organisations(&self.mapping()?)?;
        self.settings(self.client_secret.as_ref().map(|secret| Secret::new(secret.expose()))).check().map_err(|error| error.to_string())
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
        let offline = self.refresh.is_some().then_some("offline_access");
        ["openid", "profile", "email"].into_iter().chain(offline).map(str::to_owned).collect()
    }

    /// What attributes give.
    pub fn mapping(&self) -> Result<Mapping, String> {
        let mapping = Mapping::new(&self.scopes, self.group_prefixes.clone(), self.groups.clone(), self.authoritative_email);
        mapping.map_err(|error| error.to_string())
    }

    fn claim_names(&self) -> ClaimNames {
        let usual = ClaimNames::default();
        let subject = self.subject_claim.clone().unwrap_or(usual.subject);
        ClaimNames { subject, groups: self.groups_claim.names(), username: self.username_claim.clone().unwrap_or(usual.username) }
    }
}

#[cfg(test)]
mod tests {
    use super::Section as _;
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
            (oidc.label(), oidc.claim_names().groups.as_slice()),
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
            ("lable = 'x'", "lable"),
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
