use std::collections::BTreeMap;

use falconer_wire::urls;
use http::Uri;
use url::{Position, Url};

use super::refused::Refused;

/// What requests may go to: the services of one root URL, and listed hosts.
#[derive(Clone, Debug)]
pub struct Destinations {
    root_url: String,
    /// The origin by how the first segment of a path names it.
    hosts: BTreeMap<String, String>,
}

/// Why a host can't be on the list.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// Not a host, nor an origin. The text is what was given.
    #[error("`{0}` is no host; write something like https://notes.example.com, or http://127.0.0.1:8081")]
    NotAnOrigin(String),
    /// Two origins of one name. The text is that name.
    #[error("`{0}` is named twice, by two schemes")]
    Twice(String),
}

/// What a request is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Sign it, and pass it on to this URL.
    To(Url),
    /// Sign the URL that the body holds.
    Bewit,
    /// Replace the credentials.
    Credentials,
}

impl Destinations {
    /// `root_url` such as `https://auth.example.com`; `hosts` such as `https://notes.example.com`, `notes.example.com` for the same, or `http://127.0.0.1:8081`.
    pub fn new(root_url: &str, hosts: &[String]) -> Result<Destinations, BadHost> {
        let mut listed = BTreeMap::new();
        for given in hosts {
            let text = if given.contains("://") { given.clone() } else { format!("https://{given}") };
            let bad = || BadHost::NotAnOrigin(given.clone());
            falconer_client::Origin::parse(&text).map_err(|_| bad())?;
            let url = Url::parse(&text).map_err(|_| bad())?;
            let name = url[Position::BeforeHost..Position::AfterPort].to_owned();
            let origin = url.origin().ascii_serialization();
            if listed.insert(name.clone(), origin.clone()).is_some_and(|before| before != origin) {
                return Err(BadHost::Twice(name));
            }
        }
        Ok(Destinations { root_url: root_url.trim_end_matches('/').to_owned(), hosts: listed })
    }

    /// The root URL, without a slash at its end.
    #[must_use]
    pub fn root_url(&self) -> &str {
        &self.root_url
    }

    /// Where a request goes.
    pub(super) fn route(&self, uri: &Uri) -> Result<Route, Refused> {
        if uri.authority().is_some() {
            return Err(Refused::Target("it is a whole URL; the proxy is called as a server, by a path"));
        }
        let target = uri.path_and_query().map(http::uri::PathAndQuery::as_str).unwrap_or_default();
        let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let Some(below) = path.strip_prefix('/') else { return Err(Refused::Target("it is no path")) };
        if path.contains('\\') || path.split('/').any(is_dots) {
            return Err(Refused::Target("it has a segment `.` or `..`, or a backslash, which leads to another address than it says"));
        }
        if query.is_some_and(|query| query.split('&').any(|part| part == "bewit" || part.starts_with("bewit="))) {
            return Err(Refused::SignedAlready);
        }
        let (first, rest) = below.split_once('/').map_or((below, None), |(first, rest)| (first, Some(rest)));
        match (first, rest) {
            ("bewit", None | Some("")) => return Ok(Route::Bewit),
            ("credentials", None | Some("")) => return Ok(Route::Credentials),
            _ => {}
        }
        let host = first.replace("%3A", ":").replace("%3a", ":").replace("%5B", "[").replace("%5D", "]").to_ascii_lowercase();
        let base = if let Some(origin) = self.hosts.get(&host) {
            format!("{origin}/{}", rest.unwrap_or_default())
        } else if host.contains(['.', ':']) {
            return Err(Refused::NotListed(host));
        } else {
            let below = if first == "api" { rest.unwrap_or_default() } else { below };
            let mut segments = below.splitn(3, '/');
            match (segments.next(), segments.next(), segments.next()) {
                (Some(service), Some(version), Some(route)) if is_name(service) && is_version(version) => {
                    urls::api(&self.root_url, service, version, route)
                }
                _ => return Err(Refused::NoRoute),
            }
        };
        let url = query.map_or_else(|| base.clone(), |query| format!("{base}?{query}"));
        Url::parse(&url).map(Route::To).map_err(|_| Refused::Target("it makes no URL"))
    }

    /// A whole URL that may be signed.
    pub(super) fn whole(&self, text: &str) -> Result<Url, Refused> {
        let url = Url::parse(text.trim()).map_err(|error| Refused::BadBody(format!("The body is not a URL: {error}.")))?;
        let origin = url.origin().ascii_serialization();
        let of_root = Url::parse(&self.root_url).is_ok_and(|root| root.origin().ascii_serialization() == origin);
        if !of_root && !self.hosts.values().any(|listed| *listed == origin) {
            return Err(Refused::NotListed(url[Position::BeforeHost..Position::AfterPort].to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::BadBody("The URL in the body names a user or a password, which no signature covers.".to_owned()));
        }
        if url.query_pairs().any(|(name, _)| name == "bewit") {
            return Err(Refused::SignedAlready);
        }
        Ok(url)
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn is_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `.` or `..`, encoded or not: URLs know no such segment.
fn is_dots(segment: &str) -> bool {
    let plain = segment.replace("%2e", ".").replace("%2E", ".");
    plain == "." || plain == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destinations() -> Destinations {
        let hosts = ["notes.example.com", "http://127.0.0.1:8081", "http://[::1]:9", "https://Upper.example:8443/", "http://localhost:7"];
        Destinations::new("https://auth.example.com/", &hosts.map(str::to_owned)).unwrap()
    }

    fn to(target: &str) -> Result<String, &'static str> {
        match destinations().route(&target.parse().unwrap()) {
            Ok(Route::To(url)) => Ok(url.to_string()),
            Ok(Route::Bewit) => Ok("bewit".to_owned()),
            Ok(Route::Credentials) => Ok("credentials".to_owned()),
            Err(refused) => Err(refused.reason()),
        }
    }

    #[test]
    fn paths_lead_to_services_and_to_listed_hosts() {
        for (target, url) in [
            ("/api/auth/v1/ping", "https://auth.example.com/api/auth/v1/ping"),
            ("/auth/v1/ping", "https://auth.example.com/api/auth/v1/ping"),
            ("/api/auth/v1/clients/a%2Fb%7Cc?x=%2F&y", "https://auth.example.com/api/auth/v1/clients/a%2Fb%7Cc?x=%2F&y"),
            ("/api/auth/v1/clients/", "https://auth.example.com/api/auth/v1/clients/"),
            ("/notes.example.com/books/red?page=2", "https://notes.example.com/books/red?page=2"),
            ("/notes.example.com", "https://notes.example.com/"),
            ("/Notes.Example.com/", "https://notes.example.com/"),
            ("/127.0.0.1:8081/api/notes/v1/x", "http://127.0.0.1:8081/api/notes/v1/x"),
            ("/127.0.0.1%3A8081/x", "http://127.0.0.1:8081/x"),
            ("/[::1]:9/x//y", "http://[::1]:9/x//y"),
            ("/upper.example:8443/x", "https://upper.example:8443/x"),
            ("/localhost:7/x", "http://localhost:7/x"),
            ("/bewit", "bewit"),
            ("/bewit/?x", "bewit"),
            ("/credentials", "credentials"),
        ] {
            assert_eq!(to(target).as_deref(), Ok(url), "{target}");
        }
    }

    #[test]
    fn nothing_else_is_signed() {
        for (target, reason) in [
            ("/", "no-route"),
            ("/api", "no-route"),
            ("/api/auth", "no-route"),
            ("/api/auth/v1", "no-route"),
            ("/api//v1/x", "no-route"),
            ("/api/auth/v/x", "no-route"),
            ("/api/auth/1/x", "no-route"),
            ("/auth/login/x", "no-route"),
            ("/api/au%2Fth/v1/x", "no-route"),
            ("/other.example/x", "host-not-listed"),
            ("/notes.example.com:444/x", "host-not-listed"),
            ("/user@notes.example.com/x", "host-not-listed"),
            ("/notes.example.com:8081@127.0.0.1/x", "host-not-listed"),
            ("/127.0.0.1:8082/x", "host-not-listed"),
            ("/auth.example.com/api/auth/v1/ping", "host-not-listed"),
            ("/api/auth/v1/../../x", "bad-target"),
            ("/api/auth/v1/%2e%2E/x", "bad-target"),
            ("/notes.example.com/./x", "bad-target"),
            ("/..", "bad-target"),
            ("http://notes.example.com/x", "bad-target"),
            ("/notes.example.com/x?bewit=abc", "signed-already"),
            ("/api/auth/v1/ping?a=1&bewit=", "signed-already"),
        ] {
            assert_eq!(to(target), Err(reason), "{target}");
        }
    }

    #[test]
    fn urls_to_sign_are_of_the_same_places() {
        let whole = |text: &str| destinations().whole(text).map(|url| url.to_string()).map_err(|refused| refused.reason());
        assert_eq!(whole(" https://notes.example.com/x?y \n").as_deref(), Ok("https://notes.example.com/x?y"));
        assert_eq!(whole("https://auth.example.com/api/auth/v1/ping").as_deref(), Ok("https://auth.example.com/api/auth/v1/ping"));
        for (text, reason) in [
            ("http://notes.example.com/x", "host-not-listed"),
            ("https://notes.example.com:444/", "host-not-listed"),
            ("file:///etc/passwd", "host-not-listed"),
            ("nonsense", "bad-request"),
            ("", "bad-request"),
            ("https://ann@notes.example.com/", "bad-request"),
            ("https://:secret@notes.example.com/", "bad-request"),
            ("https://notes.example.com@evil.example/", "host-not-listed"),
            ("https://notes.example.com/?bewit=x", "signed-already"),
        ] {
            assert_eq!(whole(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn a_list_is_of_origins() {
        for wrong in ["", "https://a/b", "ftp://a", "a b", "https://u@a", "https://a?b"] {
            assert_eq!(
                Destinations::new("https://auth.example.com", &[wrong.to_owned()]).unwrap_err(),
                BadHost::NotAnOrigin(wrong.to_owned())
            );
        }
        let twice = ["http://a.example".to_owned(), "a.example".to_owned()];
        assert_eq!(Destinations::new("https://auth.example.com", &twice).unwrap_err(), BadHost::Twice("a.example".to_owned()));
    }
}
