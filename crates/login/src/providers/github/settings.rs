//! What an operator configures of GitHub.

use falconer_store::Secret;
use thiserror::Error;
use url::Url;

use crate::providers::http::{AllowedAddresses, is_plain_here};

/// One GitHub.
pub struct GithubSettings {
    /// Where an Enterprise server is, such as `https://github.example.com`; `None`: github.com.
    pub url: Option<String>,
    /// What GitHub calls this Falconer.
    pub client_id: String,
    /// What it proves itself with. GitHub knows no clients without one.
    pub client_secret: Secret,
    /// Organisations whose members sign in, and whose teams count: `<login>`, or `<login>:<number>`. `None`: everybody, and all of them.
    pub organizations: Option<Vec<String>>,
    /// Whether the person's organisations and teams are asked for.
    pub groups: bool,
    /// Whether the person's addresses are asked for.
    pub email: bool,
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GithubSettingsError {
    /// Not a URL.
    #[error("url: {0:?} is no URL")]
    NoUrl(String),
    /// Anybody on the way could answer.
    #[error("url: {0:?} is not https; plain http is for a server on this machine only, such as http://127.0.0.1:9000")]
    Plain(String),
    /// More than an origin.
    #[error("url: {0:?} has a user, a path, a query or a fragment; write the server alone, such as https://github.example.com")]
    Parts(String),
    /// The API is found from the server's own address.
    #[error("url: {0:?} is the API; write the address at which people sign in")]
    Api(String),
    /// Nothing there.
    #[error("client_id: it is empty")]
    NoClient,
    /// Nothing there.
    #[error("client_secret: it is missing or empty; GitHub knows no clients without one")]
    NoSecret,
    /// Nobody could sign in.
    #[error("organizations: the list is empty: nobody could sign in. Leave it out to let everybody sign in")]
    NoOrganizations,
    /// Not what an organisation is called.
    #[error("organizations: {0:?} is neither the login of an organisation nor `<login>:<number>`")]
    Organization(String),
    /// One name, two meanings.
    #[error("organizations: {0:?} is there twice")]
    Twice(String),
}

/// The addresses of one GitHub.
pub(super) struct Places {
    /// The scheme, host and port at which people sign in, without a slash at the end.
    pub(super) web: String,
    /// Where the API begins, with a slash at the end.
    pub(super) api: String,
    /// Which addresses these hosts may have: github.com never lies inside of somebody's network.
    pub(super) allowed_addresses: AllowedAddresses,
    /// Whether all its people are managed by their company: those are hidden from strangers.
    pub(super) only_managed_people: bool,
}

impl Places {
    pub(super) fn of(url: Option<&str>) -> Result<Places, GithubSettingsError> {
        use GithubSettingsError as E;
        let own = || url.unwrap_or_default().to_owned();
        let parsed = Url::parse(url.unwrap_or("https://github.com")).map_err(|_| E::NoUrl(own()))?;
        let host = parsed.host_str().ok_or_else(|| E::NoUrl(own()))?.to_owned();
        if parsed.scheme() != "https" && !is_plain_here(&parsed) {
            return Err(E::Plain(own()));
        }
        let bare = parsed.path() == "/" && parsed.query().is_none() && parsed.fragment().is_none();
        if !bare || !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(E::Parts(own()));
        }
        let with_residence = host.ends_with(".ghe.com");
        if host == "api.github.com" || (with_residence && host.starts_with("api.")) {
            return Err(E::Api(own()));
        }
        let web = parsed.as_str().trim_end_matches('/').to_owned();
        let (api, allowed_addresses) = match host.as_str() {
            "github.com" => ("https://api.github.com/".to_owned(), AllowedAddresses::Public),
            host if with_residence => (format!("https://api.{host}/"), AllowedAddresses::Public),
            _ => (format!("{web}/api/v3/"), AllowedAddresses::Own),
        };
        Ok(Places { web, api, allowed_addresses, only_managed_people: with_residence })
    }
}

/// An organisation of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Organization {
    /// As the operator wrote it: so it is called in groups.
    pub(super) login: String,
    /// The number, which never changes hands.
    pub(super) id: Option<u64>,
}

impl std::fmt::Display for Organization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.id {
            Some(id) => write!(f, "{} ({id})", self.login),
            None => f.write_str(&self.login),
        }
    }
}

impl Organization {
    fn parse(text: &str) -> Result<Organization, GithubSettingsError> {
        let wrong = || GithubSettingsError::Organization(text.to_owned());
        let (login, id) = match text.split_once(':') {
            Some((login, id)) if id.bytes().all(|byte| byte.is_ascii_digit()) => (login, Some(id.parse().map_err(|_| wrong())?)),
            Some(_) => return Err(wrong()),
            None => (text, None),
        };
        if !is_login(login) || id == Some(0) {
            return Err(wrong());
        }
        Ok(Organization { login: login.to_owned(), id })
    }

    pub(super) fn parse_all(texts: &[String]) -> Result<Vec<Organization>, GithubSettingsError> {
        let mut all: Vec<Organization> = Vec::new();
        for text in texts {
            let one = Organization::parse(text)?;
            if all.iter().any(|other| other.login.eq_ignore_ascii_case(&one.login) || (one.id.is_some() && other.id == one.id)) {
                return Err(GithubSettingsError::Twice(text.clone()));
            }
            all.push(one);
        }
        if all.is_empty() { Err(GithubSettingsError::NoOrganizations) } else { Ok(all) }
    }

    /// Whether it is the one of this name and number. A name counts only where no number was written.
    pub(super) fn is(&self, login: &str, id: u64) -> bool {
        self.id.map_or_else(|| self.login.eq_ignore_ascii_case(login), |own| own == id)
    }
}

/// What people and organisations can be called: letters, digits and hyphens, and an underscore in front of what names a company.
pub(super) fn is_login(text: &str) -> bool {
    (1..=100).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

impl GithubSettings {
    /// What is wrong with them, if anything.
    pub fn check(&self) -> Result<(), GithubSettingsError> {
        Places::of(self.url.as_deref())?;
        if self.client_id.trim().is_empty() {
            return Err(GithubSettingsError::NoClient);
        }
        if self.client_secret.expose().is_empty() {
            return Err(GithubSettingsError::NoSecret);
        }
        self.organizations()?;
        Ok(())
    }

    pub(super) fn organizations(&self) -> Result<Option<Vec<Organization>>, GithubSettingsError> {
        self.organizations.as_deref().map(Organization::parse_all).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_github_is() {
        let places = |url: Option<&str>| Places::of(url).map(|places| (places.web, places.api, places.allowed_addresses));
        let at = |web: &str, api: &str, allowed_addresses| Ok((web.to_owned(), api.to_owned(), allowed_addresses));
        assert_eq!(places(None), at("https://github.com", "https://api.github.com/", AllowedAddresses::Public));
        assert_eq!(places(Some("https://github.com/")), at("https://github.com", "https://api.github.com/", AllowedAddresses::Public));
        assert_eq!(places(Some("https://octo.ghe.com")), at("https://octo.ghe.com", "https://api.octo.ghe.com/", AllowedAddresses::Public));
        let own = at("https://git.example.com:8443", "https://git.example.com:8443/api/v3/", AllowedAddresses::Own);
        assert_eq!(places(Some("https://git.example.com:8443")), own);
        assert!(places(Some("http://127.0.0.1:9000")).is_ok());
        use GithubSettingsError as E;
        assert!(matches!(places(Some("git.example.com")), Err(E::NoUrl(_))));
        assert!(matches!(places(Some("http://git.example.com")), Err(E::Plain(_))));
        for parts in ["https://u@git.example.com", "https://git.example.com/x", "https://git.example.com/?x", "https://git.example.com/#x"]
        {
            assert!(matches!(places(Some(parts)), Err(E::Parts(_))), "{parts}");
        }
        for api in ["https://api.github.com", "https://api.octo.ghe.com/"] {
            assert!(matches!(places(Some(api)), Err(E::Api(_))), "{api}");
        }
    }

    #[test]
    fn organizations() {
        let parse = |texts: &[&str]| Organization::parse_all(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let all = parse(&["mozilla", "taskcluster:3838"]).unwrap();
        assert!(all[0].is("Mozilla", 7) && !all[0].is("mozilla2", 7));
        assert!(all[1].is("renamed", 3838) && !all[1].is("taskcluster", 3839));
        for wrong in ["", "a b", "a/b", "a:", "a:b", "a:0", "a:1:2", "é", "*", "a:99999999999999999999", ":1"] {
            assert!(parse(&[wrong]).is_err(), "{wrong}");
        }
        assert!(matches!(parse(&["a", "A"]), Err(GithubSettingsError::Twice(_))));
        assert!(matches!(parse(&["a:1", "b:1"]), Err(GithubSettingsError::Twice(_))));
        assert!(matches!(parse(&[]), Err(GithubSettingsError::NoOrganizations)));
    }
}
