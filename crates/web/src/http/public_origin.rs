//! The one configured public origin, and what follows from it: cookie name, HSTS, what a form may say in `Origin`.

use falconer_auth::authority;
use url::Url;

/// Scheme, host and port under which browsers reach Falconer: `https://auth.example.com`, or http on a loopback host.
///
/// Every link, cookie and origin check uses this value, never the `Host` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicOrigin {
    text: String,
    https: bool,
    host: String,
    port: u16,
}

/// Why a configured origin can't be used; said to the operator at the start.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PublicOriginError {
    /// Not a URL at all.
    #[error("root_url: `{0}` is no URL; write something like https://auth.example.com")]
    NotAUrl(String),
    /// An IPv4 address with numbers left out, or not in decimals.
    #[error("root_url: `{0}` leads browsers to {1}: write the whole address")]
    NotMeant(String, String),
    /// Has a path, query, fragment or user.
    #[error("root_url: `{0}` must be an origin: scheme, host and port only, such as https://auth.example.com")]
    NotAnOrigin(String),
    /// Neither https nor http on loopback.
    #[error(
        "root_url: `{0}` is neither https nor http on this machine (localhost); without https everybody on the way could read the credentials. Put a TLS proxy in front and give its https URL"
    )]
    NotSecure(String),
}

impl PublicOrigin {
    /// This server, as it is named to people.
    pub(crate) fn server(&self) -> falconer_grants::ServerAddress<'_> {
        falconer_grants::ServerAddress { authority: self.authority(), origin: self.as_str() }
    }

    /// Reads `https://host[:port]`, or `http://` with a loopback host, with or without a slash at the end.
    ///
    /// # Errors
    /// Any other scheme, host or a longer URL: [`PublicOriginError`], to be printed as it is.
    pub fn parse(text: &str) -> Result<Self, PublicOriginError> {
        let url = Url::parse(text).map_err(|_| PublicOriginError::NotAUrl(text.to_owned()))?;
        let Some(host) = url.host() else {
            return Err(PublicOriginError::NotAnOrigin(text.to_owned()));
        };
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some()
        {
            return Err(PublicOriginError::NotAnOrigin(text.to_owned()));
        }
        let as_browsers_read_it = url.origin().ascii_serialization();
        if matches!(host, url::Host::Ipv4(_)) && !text.contains(&host.to_string()) {
            return Err(PublicOriginError::NotMeant(text.to_owned(), as_browsers_read_it));
        }
        let https = match url.scheme() {
            "https" => true,
            "http" if authority::is_loopback(&host.to_string()) => false,
            "http" => return Err(PublicOriginError::NotSecure(text.to_owned())),
            _ => return Err(PublicOriginError::NotAnOrigin(text.to_owned())),
        };
        Ok(PublicOrigin {
            text: as_browsers_read_it,
            https,
            host: host.to_string(),
            port: url.port_or_known_default().unwrap_or(if https { 443 } else { 80 }),
        })
    }

    /// As a browser serializes it: no slash at the end, no default port.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether cookies are `Secure` and HSTS is sent.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host without port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's default included.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `auth.example.com` or `localhost:8080`: how pages name this installation.
    pub fn authority(&self) -> &str {
        self.text.split_once("://").map_or(self.text.as_str(), |(_, rest)| rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_loopback_are_taken() {
        for (given, text, authority, port) in [
            ("https://auth.example.com", "https://auth.example.com", "auth.example.com", 443),
            ("https://auth.example.com/", "https://auth.example.com", "auth.example.com", 443),
            ("https://auth.example.com:8443", "https://auth.example.com:8443", "auth.example.com:8443", 8443),
            ("http://localhost:8080", "http://localhost:8080", "localhost:8080", 8080),
            ("http://127.0.0.1:80", "http://127.0.0.1", "127.0.0.1", 80),
            ("http://[::1]:9", "http://[::1]:9", "[::1]:9", 9),
            ("http://a.localhost", "http://a.localhost", "a.localhost", 80),
        ] {
            let origin = PublicOrigin::parse(given).unwrap();
            assert_eq!((origin.as_str(), origin.authority(), origin.port()), (text, authority, port));
            assert_eq!(origin.is_https(), given.starts_with("https"));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for insecure in ["http://auth.example.com", "http://10.0.0.1:8080", "http://localhost.example.com"] {
            assert_eq!(PublicOrigin::parse(insecure), Err(PublicOriginError::NotSecure(insecure.to_owned())));
        }
        for more in ["https://a.example/x", "https://a.example/?q", "https://u@a.example", "ftp://a.example", "data:x"] {
            assert_eq!(PublicOrigin::parse(more), Err(PublicOriginError::NotAnOrigin(more.to_owned())));
        }
        for other in ["https://1.2.3", "https://0x7f.1"] {
            assert!(matches!(PublicOrigin::parse(other), Err(PublicOriginError::NotMeant(..))), "{other}");
        }
        assert!(matches!(PublicOrigin::parse("auth.example.com"), Err(PublicOriginError::NotAUrl(_))));
    }
}
