//! What an operator configures of an HTTP directory.

use falconer_store::Secret;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use thiserror::Error;
use url::Url;

use crate::providers::http::is_plain_here;

/// What stands for the address in the URL.
const EMAIL: &str = "{email}";

/// One directory.
pub struct HttpDirectorySettings {
    /// Where it is asked, with `{email}` in the path or the query: `https://people.example.com/api/users/?email={email}`
    pub url: String,
    /// The header with a key, and the key. `None`: it answers everybody.
    pub key: Option<(String, Secret)>,
    /// Where things are in the answer.
    pub paths: AnswerPaths,
    /// Whether people for whom nobody vouches get nothing at all. Groups they never have.
    pub require_vouched: bool,
}

/// Where things are in the answer: names of members, from outside to inside. Empty: it is not there. What lies in a list lies in each of its entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerPaths {
    /// The list of profiles, which has to have one entry. Empty: the answer is the profile.
    pub profiles: Vec<String>,
    /// In the profile: the URL of a second document, which is the profile from then on.
    pub details: Vec<String>,
    /// In the profile: what the person is called there.
    pub username: Vec<String>,
    /// In the profile: whether somebody vouches for the person, true or false.
    pub vouched: Vec<String>,
    /// In the profile: groups.
    pub groups: Vec<String>,
    /// In the profile: the person's addresses, one of which has to be the one that was asked for.
    pub email: Vec<String>,
}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HttpDirectorySettingsError {
    /// Not a URL.
    #[error("url: {0:?} is no URL")]
    NoUrl(String),
    /// Anybody on the way could answer.
    #[error("url: {0:?} is not https; plain http is for a server on this machine only, such as http://127.0.0.1:9000")]
    Plain(String),
    /// Parts that would say something else.
    #[error("url: {0:?} has a user or a fragment; it can have neither")]
    Parts(String),
    /// Nobody could be asked for.
    #[error("url: {0:?} needs {{email}} once, in its path or its query")]
    NoEmail(String),
    /// No header can have the name.
    #[error("api_key_header: {0:?} is no name of a header that can hold a key")]
    Header(String),
    /// Nothing there, or what no header can hold.
    #[error("api_key: it is empty, or holds other than printable ASCII")]
    Key,
    /// It would say nothing.
    #[error("username_path, groups_path: write at least one of them; nothing would come of an answer")]
    NothingRead,
    /// A name that nothing has.
    #[error("{0}: a name in it is empty")]
    EmptyName(&'static str),
    /// It could not be known.
    #[error("require_vouched: write vouched_path, which says where the answer tells it")]
    NoVouched,
}

impl HttpDirectorySettings {
    /// What is wrong with them, if anything.
    pub fn check(&self) -> Result<(), HttpDirectorySettingsError> {
        use HttpDirectorySettingsError as E;
        let url = || self.url.clone();
        let parsed = Url::parse(&self.url.replace(EMAIL, "x")).map_err(|_| E::NoUrl(url()))?;
        if parsed.host().is_none() {
            return Err(E::NoUrl(url()));
        }
        if parsed.scheme() != "https" && !is_plain_here(&parsed) {
            return Err(E::Plain(url()));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() || parsed.fragment().is_some() {
            return Err(E::Parts(url()));
        }
        // What is asked for moves, and nothing else does.
        let other = self.url_for("y@example.com").ok_or_else(|| E::NoEmail(url()))?;
        let moves = other != parsed && other.origin() == parsed.origin();
        if !moves || self.url.matches(EMAIL).count() != 1 || self.url.replace(EMAIL, "").contains(['{', '}']) {
            return Err(E::NoEmail(url()));
        }
        if let Some((header, key)) = &self.key {
            if !is_header(header) {
                return Err(E::Header(header.clone()));
            }
            if key.expose().is_empty() || !key.expose().bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
                return Err(E::Key);
            }
        }
        self.check_paths()
    }

    fn check_paths(&self) -> Result<(), HttpDirectorySettingsError> {
        use HttpDirectorySettingsError as E;
        let paths = &self.paths;
        let all = [
            ("profiles_path", &paths.profiles),
            ("details_path", &paths.details),
            ("username_path", &paths.username),
            ("vouched_path", &paths.vouched),
            ("groups_path", &paths.groups),
            ("email_path", &paths.email),
        ];
        if let Some((name, _)) = all.into_iter().find(|(_, path)| path.iter().any(String::is_empty)) {
            return Err(E::EmptyName(name));
        }
        if paths.username.is_empty() && paths.groups.is_empty() {
            return Err(E::NothingRead);
        }
        if self.require_vouched && paths.vouched.is_empty() { Err(E::NoVouched) } else { Ok(()) }
    }

    /// Where somebody with this address is asked for.
    pub(super) fn url_for(&self, email: &str) -> Option<Url> {
        let email = utf8_percent_encode(email, NON_ALPHANUMERIC).to_string();
        Url::parse(&self.url.replace(EMAIL, &email)).ok()
    }
}

/// Headers with a meaning of their own can't be keys.
fn is_header(name: &str) -> bool {
    let taken =
        ["accept", "connection", "content-length", "content-type", "host", "te", "trailer", "transfer-encoding", "upgrade", "user-agent"];
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    plain && !taken.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: &str) -> HttpDirectorySettings {
        let paths = AnswerPaths { username: vec!["username".to_owned()], ..AnswerPaths::default() };
        HttpDirectorySettings { url: url.to_owned(), key: None, paths, require_vouched: false }
    }

    #[test]
    fn where_somebody_is_asked_for() {
        for fine in ["https://a.example/u?email={email}", "https://a.example/u/{email}/x", "http://127.0.0.1:9000/{email}"] {
            assert_eq!(at(fine).check(), Ok(()), "{fine}");
        }
        use HttpDirectorySettingsError as E;
        let error = |url: &str| at(url).check().unwrap_err();
        assert!(matches!(error("a.example/{email}"), E::NoUrl(_)));
        assert!(matches!(error("http://a.example/{email}"), E::Plain(_)));
        assert!(matches!(error("https://u@a.example/{email}"), E::Parts(_)));
        for wrong in [
            "https://a.example/",
            "https://a.example/{email}{email}",
            "https://{email}/",
            "https://{email}.example/",
            "https://a.example/{email}/{group}",
        ] {
            assert!(matches!(error(wrong), E::NoEmail(_)), "{wrong}");
        }
        assert!(matches!(error("https://a.example/#{email}"), E::Parts(_)));
        let url = at("https://a.example/u?email={email}&x=1").url_for("a+b&c=d@e.example/../").unwrap();
        assert_eq!(url.as_str(), "https://a.example/u?email=a%2Bb%26c%3Dd%40e%2Eexample%2F%2E%2E%2F&x=1");
        assert_eq!(at("https://a.example/u/{email}").url_for("../@x/../y").unwrap().path(), "/u/%2E%2E%2F%40x%2F%2E%2E%2Fy");
    }

    #[test]
    fn keys_and_paths() {
        use HttpDirectorySettingsError as E;
        let with = |change: fn(&mut HttpDirectorySettings)| {
            let mut settings = at("https://a.example/{email}");
            change(&mut settings);
            settings.check()
        };
        assert_eq!(with(|s| s.key = Some(("X-API-Key".into(), Secret::new("k")))), Ok(()));
        for header in ["", "Host", "content-length", "a b", "a:b", "é"] {
            let settings = HttpDirectorySettings { key: Some((header.to_owned(), Secret::new("k"))), ..at("https://a.example/{email}") };
            assert!(matches!(settings.check(), Err(E::Header(_))), "{header}");
        }
        assert_eq!(with(|s| s.key = Some(("X-API-Key".into(), Secret::new("")))), Err(E::Key));
        assert_eq!(with(|s| s.key = Some(("X-API-Key".into(), Secret::new("a\nb")))), Err(E::Key));
        assert_eq!(with(|s| s.paths.username.clear()), Err(E::NothingRead));
        assert_eq!(with(|s| s.paths.groups = vec![String::new()]), Err(E::EmptyName("groups_path")));
        assert_eq!(with(|s| s.require_vouched = true), Err(E::NoVouched));
    }
}
