//! One session, as it is kept.

use anyhow::Result;
use falconer_client::Credentials;
use serde::{Deserialize, Serialize};
use zeroize::ZeroizeOnDrop;

/// Longest name of a session, in characters.
const LONGEST_NAME: usize = 100;

/// What signing in gave: holds secrets, so no `Debug`.
#[derive(Clone, Serialize, Deserialize, ZeroizeOnDrop)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Session {
    /// The server, without its last slash.
    #[zeroize(skip)]
    pub root_url: String,
    /// Whose credentials these are.
    #[zeroize(skip)]
    pub client_id: String,
    /// The key that signs.
    pub access_token: String,
    /// Of temporary credentials; empty: they are none.
    #[serde(default)]
    pub certificate: String,
    /// What gives other tokens of the grant, once. `None`: the server gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The refresh token was sent, and no answer came: to send it once more could end the grant.
    #[serde(default)]
    #[zeroize(skip)]
    pub refresh_in_doubt: bool,
    /// When it began, milliseconds since 1970.
    #[zeroize(skip)]
    pub signed_in_ms: i64,
}

impl Session {
    /// What signs calls.
    pub fn credentials(&self) -> Result<Credentials> {
        let credentials = Credentials::new(self.client_id.as_str(), self.access_token.as_str());
        Ok(if self.certificate.is_empty() { credentials } else { credentials.with_certificate(self.certificate.as_str())? })
    }

    /// Its end, milliseconds since 1970. `None`: it has none.
    pub fn ends_ms(&self) -> Option<i64> {
        self.credentials().ok().and_then(|credentials| credentials.expires_ms())
    }
}

/// The name of a session where nobody gives one: the host of the server, with the port where it is written.
pub fn default_name(root_url: &str) -> String {
    let Ok(url) = url::Url::parse(root_url) else { return "server".to_owned() };
    let host = url.host_str().unwrap_or("server").trim_matches(['[', ']']);
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// A name of a session.
pub fn name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '@');
    if (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('-') {
        Ok(text.to_owned())
    } else {
        Err(format!("the name of a session is 1 to {LONGEST_NAME} letters, digits and . _ - : @"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_called_as_its_server() {
        for (root_url, called) in [
            ("https://auth.example.com", "auth.example.com"),
            ("https://auth.example.com:8443", "auth.example.com:8443"),
            ("http://localhost:8080", "localhost:8080"),
            ("http://[::1]:8080", "::1:8080"),
        ] {
            assert_eq!(default_name(root_url), called);
            assert!(name(called).is_ok(), "{called}");
        }
        assert!(["", "a b", "-x", "../x", "a/b", "\u{e4}"].into_iter().all(|text| name(text).is_err()));
    }
}
