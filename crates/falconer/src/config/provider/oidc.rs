//! `[[provider]]`: where people sign in besides local accounts. Everything that can be said of one without asking it is an error of reading the file, so
//! that it names the line.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;

use falconer_login::mapping::Mapping;
use falconer_login::oidc::{ClaimNames, OidcSettings};
use falconer_store::Secret;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::SecretText;

/// One provider, by its kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Provider {
    /// OpenID Connect.
    Oidc(OidcProvider),
}

/// An OpenID provider whose settings were checked, as far as they can be without asking it.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct OidcProvider(#[serde(deserialize_with = "checked")] OidcSection);

/// The section, as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSection {
    /// First part of identities and of the path below `/login`; never reused for another kind or issuer.
    pub name: String,
    /// What the button says; by default the name.
    pub label: Option<String>,
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
    /// The claim that lists groups, or the path to it.
    #[serde(default)]
    pub groups_claim: ClaimPath,
    /// The claim that `{username}` stands for.
    pub username_claim: Option<String>,
    /// Whether an address that the provider has verified is the person's.
    #[serde(default)]
    pub authoritative_email: bool,
    /// What is asked of the provider.
    pub request_scopes: Option<Vec<String>>,
    /// Whether the userinfo endpoint is asked too.
    #[serde(default)]
    pub userinfo: bool,
}

/// A claim, or a path of claims inside of claims.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub enum ClaimPath {
    /// There are no groups.
    #[default]
    None,
    /// `"groups"`
    Claim(String),
    /// `["realm_access", "roles"]`
    Path(Vec<String>),
}

impl Deref for OidcProvider {
    type Target = OidcSection;

    fn deref(&self) -> &OidcSection {
        &self.0
    }
}

fn checked<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OidcSection, D::Error> {
    let section = OidcSection::deserialize(deserializer)?;
    section.check().map_err(|why| D::Error::custom(format!("provider {}: {why}", section.name)))?;
    Ok(section)
}

impl Provider {
    /// Its name.
    pub fn name(&self) -> &str {
        let Provider::Oidc(oidc) = self;
        &oidc.name
    }

    /// Its kind, as it is written.
    pub fn kind(&self) -> &'static str {
        let Provider::Oidc(_) = self;
        "oidc"
    }
}

impl OidcSection {
    fn check(&self) -> Result<(), String> {
        falconer_login::check_provider_name(&self.name)?;
        let label = self.label();
        if label.trim().is_empty() || label.chars().count() > 60 || label.chars().any(char::is_control) {
            return Err("label: write a name for people to read, 60 characters at most".to_owned());
        }
        if self.client_secret.is_some() && self.client_secret_file.is_some() {
            return Err("give either client_secret or client_secret_file".to_owned());
        }
        self.mapping()?;
        self.settings(self.client_secret.as_ref().map(|secret| Secret::new(secret.expose()))).check().map_err(|error| error.to_string())
    }

    /// What the button says.
    pub fn label(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }

    /// The settings, with the secret from wherever it comes.
    pub fn settings(&self, client_secret: Option<Secret>) -> OidcSettings {
        OidcSettings {
            issuer: self.issuer.clone(),
            client_id: self.client_id.clone(),
            client_secret,
            request_scopes: self.request_scopes.clone().unwrap_or_else(|| ["openid", "profile", "email"].map(str::to_owned).into()),
            userinfo: self.userinfo,
            claims: self.claim_names(),
        }
    }

    /// What attributes give.
    pub fn mapping(&self) -> Result<Mapping, String> {
        let mapping = Mapping::new(&self.scopes, self.group_prefixes.clone(), self.groups.clone(), self.authoritative_email);
        mapping.map_err(|error| error.to_string())
    }

    fn claim_names(&self) -> ClaimNames {
        let groups = match &self.groups_claim {
            ClaimPath::None => Vec::new(),
            ClaimPath::Claim(claim) => vec![claim.clone()],
            ClaimPath::Path(path) => path.clone(),
        };
        let username = self.username_claim.clone().unwrap_or_else(|| ClaimNames::default().username);
        ClaimNames { groups, username }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    const FINE: &str = r#"
[[provider]]
kind = "oidc"
name = "company"
issuer = "https://login.example.com"
client_id = "falconer"
"#;

    fn read(text: &str) -> Result<Config, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::read(Some(file.path()), std::iter::empty()).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn a_provider_is_read() {
        let config = read(&format!("{FINE}client_secret = '123'\ngroups_claim = ['realm_access', 'roles']\n")).unwrap();
        let super::Provider::Oidc(oidc) = &config.provider[0];
        assert_eq!(
            (oidc.label(), oidc.claim_names().groups.as_slice()),
            ("company", ["realm_access".to_owned(), "roles".to_owned()].as_slice())
        );
        assert!(!format!("{config:?}").contains("123"), "{config:?}");
    }

    /// Each of them was an error of the first person who signs in, or of nobody, if it were not one of reading the file.
    #[test]
    fn what_is_wrong_is_told_with_file_and_line() {
        for (line, said) in [
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
            ("groups_claim = 1", "ClaimPath"),
            ("username_claim = ''", "username_claim: it is empty"),
            ("label = ''", "label: write a name"),
            ("refresh = '1 hour'", "refresh"),
        ] {
            let error = read(&format!("{FINE}{line}\n")).unwrap_err();
            assert!(error.contains(said) && error.contains("line 2"), "{line}: {error}");
        }
        for (from, to, said) in [
            ("name = \"company\"", "name = \"local\"", "taken by something else"),
            ("name = \"company\"", "name = \"Company\"", "no name of a provider"),
            ("https://login", "http://login", "is not https"),
            ("https://login.example.com", "login.example.com", "is no URL"),
            ("https://login.example.com", "https://login.microsoftonline.com/{tenantid}/v2.0", "stands for many issuers"),
            ("client_id = \"falconer\"", "client_id = \"\"", "client_id: it is empty"),
            ("client_id = \"falconer\"\n", "", "client_id"),
            ("kind = \"oidc\"", "kind = \"ldap\"", "ldap"),
            ("kind = \"oidc\"\n", "", "kind"),
        ] {
            let error = read(&FINE.replace(from, to)).unwrap_err();
            assert!(error.contains(said) && error.contains("at line "), "{to}: {error}");
        }
    }
}
