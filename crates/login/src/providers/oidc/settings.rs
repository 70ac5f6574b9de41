//! What an operator configures of one OpenID provider.

use falconer_store::Secret;
use thiserror::Error;
use url::Url;

use crate::providers::http::{AllowedAddresses, is_plain_here};

/// What each sign-in sends.
const OWN_PARAMETERS: [&str; 12] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "response_mode",
    "request",
    "request_uri",
    "client_secret",
];

/// Claims that say something of the token: all people of the provider, or all sign-ins of a person, would have the same or another one.
const OF_THE_TOKEN: [&str; 17] =
    ["iss", "aud", "azp", "exp", "iat", "nbf", "jti", "nonce", "auth_time", "acr", "amr", "at_hash", "c_hash", "sid", "tid", "ver", "rh"];

/// Claims that change, or that are given to somebody else one day (OpenID Connect Core 1.0 sections 5.1 and 5.7).
const CHANGES_HANDS: [&str; 19] = [
    "email",
    "email_verified",
    "preferred_username",
    "username",
    "upn",
    "unique_name",
    "nickname",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "phone_number",
    "phone_number_verified",
    "address",
    "profile",
    "picture",
    "website",
    "groups",
    "roles",
];

/// One provider.
pub struct OidcSettings {
    /// The issuer, exactly as its discovery document names it.
    pub issuer: String,
    /// What the provider calls this Falconer.
    pub client_id: String,
    /// What it proves itself with; `None`: nothing, PKCE alone.
    pub client_secret: Option<Secret>,
    /// What is asked for: `openid` and others.
    pub request_scopes: Vec<String>,
    /// Whether the userinfo endpoint is asked too.
    pub userinfo: bool,
    /// Whether the provider says in `auth_time` when it asked somebody for their password, and asks again where it is told to. Without it, coming back from it has
    /// to do as a proof that somebody is there.
    pub auth_time: bool,
    /// Where the attributes are.
    pub claims: ClaimNames,
    /// What else the browser carries to the provider, such as `access_type=offline`. An empty `prompt` leaves out the one that `offline_access` brings.
    pub parameters: Vec<(String, String)>,
}

/// Where the attributes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    /// Who somebody is: never changed, and never given to somebody else. `sub`, or a claim of the ID token that a directory can push too.
    pub subject: String,
    /// A list of groups: the name of a claim, then of members inside of it. Empty: there are none.
    pub groups: Vec<String>,
    /// What the person is called there.
    pub username: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        ClaimNames { subject: "sub".to_owned(), groups: Vec::new(), username: "preferred_username".to_owned() }
    }
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// Not a URL.
    #[error("issuer: {0:?} is no URL")]
    NoUrl(String),
    /// Anybody on the way could answer.
    #[error("issuer: {0:?} is not https; plain http is for a provider on this machine only, such as http://127.0.0.1:9000")]
    Plain(String),
    /// Parts that an issuer does not have.
    #[error("issuer: {0:?} has a user, a query or a fragment; an issuer has none")]
    Parts(String),
    /// Of every tenant at once.
    #[error("issuer: {0:?} stands for many issuers; write the one of your organisation")]
    ManyTenants(String),
    /// Nothing there.
    #[error("client_id: it is empty")]
    NoClient,
    /// Nothing there.
    #[error("client_secret: it is empty")]
    NoSecret,
    /// The flow would not be OpenID Connect.
    #[error("request_scopes: `openid` is missing")]
    NoOpenid,
    /// Not a scope of OAuth.
    #[error("request_scopes: {0:?} is no scope of OAuth")]
    RequestScope(String),
    /// It would take the place of what the flow needs.
    #[error("parameters: {0:?} is a parameter that Falconer sends itself")]
    OwnParameter(String),
    /// Many people would be one, or one would be many.
    #[error(
        "subject_claim: {0:?} says something of the token, and not who somebody is; take one that the provider never changes, such as `oid`"
    )]
    OfTheToken(String),
    /// One person would be taken for another one.
    #[error(
        "subject_claim: {0:?} changes, or is given to somebody else one day, who would be taken for the person before; take one that the provider never \
         changes, such as `oid`"
    )]
    ChangesHands(String),
    /// A name that nothing has.
    #[error("{0}: it is empty")]
    EmptyName(&'static str),
}

/// An issuer that was checked.
pub(crate) struct Issuer {
    pub(crate) text: String,
    url: Url,
}

impl OidcSettings {
    /// What is wrong with them, if anything.
    pub fn check(&self) -> Result<(), SettingsError> {
        Issuer::parse(&self.issuer)?;
        if self.client_id.trim().is_empty() {
            return Err(SettingsError::NoClient);
        }
        if self.client_secret.as_ref().is_some_and(|secret| secret.expose().is_empty()) {
            return Err(SettingsError::NoSecret);
        }
        if !self.request_scopes.iter().any(|scope| scope == "openid") {
            return Err(SettingsError::NoOpenid);
        }
        let fine = |scope: &String| !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        if let Some(scope) = self.request_scopes.iter().find(|scope| !fine(scope)) {
            return Err(SettingsError::RequestScope(scope.clone()));
        }
        if let Some((name, _)) = self.parameters.iter().find(|(name, _)| OWN_PARAMETERS.contains(&name.as_str())) {
            return Err(SettingsError::OwnParameter(name.clone()));
        }
        let subject = self.claims.subject.as_str();
        if subject.is_empty() {
            return Err(SettingsError::EmptyName("subject_claim"));
        }
        if OF_THE_TOKEN.contains(&subject) {
            return Err(SettingsError::OfTheToken(subject.to_owned()));
        }
        if CHANGES_HANDS.contains(&subject)
            || self.claims.username == subject
            || self.claims.groups.first().is_some_and(|first| first == subject)
        {
            return Err(SettingsError::ChangesHands(subject.to_owned()));
        }
        if self.claims.username.is_empty() {
            return Err(SettingsError::EmptyName("username_claim"));
        }
        if self.claims.groups.iter().any(String::is_empty) {
            return Err(SettingsError::EmptyName("groups_claim"));
        }
        Ok(())
    }
}

impl OidcSettings {
    /// What the browser carries besides what each sign-in needs. A refresh token is given for asking for consent only (OpenID Connect Core 1.0 section 11).
    /// `again`: the provider should ask the person, although it knows the browser (section 3.1.2.1, `prompt` and `max_age`).
    pub(crate) fn more_parameters(&self, reauthenticate: bool) -> Vec<(&str, &str)> {
        let asks = self.request_scopes.iter().any(|scope| scope == "offline_access");
        let said = self.parameters.iter().find(|(name, _)| name == "prompt").map(|(_, value)| value.as_str());
        let usual = said.unwrap_or(if asks { "consent" } else { "" });
        let prompt = match (reauthenticate, self.auth_time, usual.split(' ').any(|word| word == "consent")) {
            (false, ..) => usual,
            (true, true, false) => "login",
            (true, true, true) => "login consent",
            (true, false, false) => "select_account",
            (true, false, true) => "select_account consent",
        };
        let taken = |name: &str| name == "prompt" || (name == "max_age" && reauthenticate);
        let others = self.parameters.iter().filter(|(name, _)| !taken(name));
        let mut parameters: Vec<(&str, &str)> = others.map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if !prompt.is_empty() {
            parameters.push(("prompt", prompt));
        }
        if reauthenticate && self.auth_time {
            parameters.push(("max_age", "0"));
        }
        parameters
    }
}

impl Issuer {
    pub(crate) fn parse(text: &str) -> Result<Issuer, SettingsError> {
        let url = Url::parse(text).map_err(|_| SettingsError::NoUrl(text.to_owned()))?;
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(SettingsError::Parts(text.to_owned()));
        }
        if text.contains('{') {
            return Err(SettingsError::ManyTenants(text.to_owned()));
        }
        let issuer = Issuer { text: text.to_owned(), url };
        if issuer.url.scheme() == "https" || is_plain_here(&issuer.url) {
            return Ok(issuer);
        }
        Err(SettingsError::Plain(text.to_owned()))
    }

    /// `<issuer>/.well-known/openid-configuration`
    pub(crate) fn discovery_url(&self) -> Option<Url> {
        Url::parse(&format!("{}/.well-known/openid-configuration", self.text.trim_end_matches('/'))).ok()
    }

    /// What is wrong with an address that the provider has named, if anything. Plain http counts only where the issuer itself is plain.
    pub(crate) fn fault_of(&self, url: &Url) -> Option<&'static str> {
        let plain_allowed = self.url.scheme() == "http";
        if url.scheme() != "https" && !(plain_allowed && is_plain_here(url)) {
            return Some("it is not https");
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Some("it has a user or a fragment");
        }
        None
    }

    /// The issuer's own host was named by the operator; every other one by the provider.
    pub(crate) fn allowed_addresses(&self, url: &Url) -> AllowedAddresses {
        if self.url.host() == url.host() { AllowedAddresses::Own } else { AllowedAddresses::Public }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuers() {
        for fine in [
            "https://login.example.com",
            "https://a.example/realms/x/",
            "http://127.0.0.1:9000",
            "http://localhost:9000/x",
            "https://10.0.0.1",
        ] {
            assert!(Issuer::parse(fine).is_ok(), "{fine}");
        }
        use SettingsError as E;
        let error = |text: &str| Issuer::parse(text).map(|_| ()).unwrap_err();
        assert!(matches!(error("login.example.com"), E::NoUrl(_)));
        assert!(matches!(error("http://login.example.com"), E::Plain(_)));
        assert!(matches!(error("http://10.0.0.1"), E::Plain(_)));
        assert!(matches!(error("https://a.example/?x"), E::Parts(_)));
        assert!(matches!(error("https://u@a.example/"), E::Parts(_)));
        assert!(matches!(error("https://login.microsoftonline.com/{tenantid}/v2.0"), E::ManyTenants(_)));
    }

    #[test]
    fn what_a_browser_carries_along() {
        let settings = |auth_time: bool, scopes: &[&str], parameters: &[(&str, &str)]| OidcSettings {
            issuer: String::new(),
            client_id: String::new(),
            client_secret: None,
            request_scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            userinfo: false,
            auth_time,
            claims: ClaimNames::default(),
            parameters: parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let offline = ["openid", "offline_access"];
        let text = |settings: &OidcSettings, reauthenticate: bool| {
            let parts = settings.more_parameters(reauthenticate);
            parts.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
        };
        for (settings, first, repeated) in [
            (settings(true, &["openid"], &[]), "", "prompt=login&max_age=0"),
            (settings(true, &offline, &[]), "prompt=consent", "prompt=login consent&max_age=0"),
            (settings(true, &offline, &[("prompt", "")]), "", "prompt=login&max_age=0"),
            (
                settings(true, &offline, &[("prompt", "select_account"), ("max_age", "60"), ("hd", "x")]),
                "max_age=60&hd=x&prompt=select_account",
                "hd=x&prompt=login&max_age=0",
            ),
            (settings(false, &["openid"], &[]), "", "prompt=select_account"),
            (
                settings(false, &offline, &[("access_type", "offline")]),
                "access_type=offline&prompt=consent",
                "access_type=offline&prompt=select_account consent",
            ),
        ] {
            assert_eq!((text(&settings, false).as_str(), text(&settings, true).as_str()), (first, repeated));
        }
    }

    #[test]
    fn addresses_of_a_provider() {
        let url = |text: &str| Url::parse(text).unwrap();
        let far = Issuer::parse("https://login.example.com").unwrap();
        assert_eq!(far.fault_of(&url("https://keys.example.net/x")), None);
        assert!(far.fault_of(&url("http://127.0.0.1/x")).is_some() && far.fault_of(&url("file:///etc/passwd")).is_some());
        assert!(far.fault_of(&url("https://u@login.example.com/")).is_some());
        assert_eq!(far.allowed_addresses(&url("https://login.example.com/keys")), AllowedAddresses::Own);
        assert_eq!(far.allowed_addresses(&url("https://10.0.0.1/keys")), AllowedAddresses::Public);
        let here = Issuer::parse("http://127.0.0.1:9000").unwrap();
        assert_eq!(here.fault_of(&url("http://127.0.0.1:9000/keys")), None);
        assert!(here.fault_of(&url("http://10.0.0.1/keys")).is_some());
    }
}
