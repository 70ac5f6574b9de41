use falconer_client::{Client, Credentials, Origin};
use falconer_middleware::{SettingsError, Verifier};

use super::refused::Refused;
use super::request_head::RequestHead;
use crate::keys::Key;
use crate::rules::{Rules, Session};
use crate::session::{Begin, Cookies};

/// One protected origin.
pub(super) struct Site {
    /// In its shortest form, such as `https://notes.example.com`.
    pub(super) origin: String,
    /// The same without the scheme: what browsers and clients write into Host.
    pub(super) host: String,
    pub(super) verifier: Verifier,
    pub(super) session: Option<SiteSession>,
}

/// Its sessions.
pub(super) struct SiteSession {
    pub(super) cookies: Cookies,
    pub(super) asks: Begin,
    pub(super) settings: Session,
    client: Client,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Site {
    pub(super) fn new(rules: &Rules, origin: &str, key: Option<&Key>, verifier: Verifier) -> Result<Site, SettingsError> {
        let Origin { host, port } = Origin::parse(origin).map_err(SettingsError::PublicOrigin)?;
        let (scheme, own_port) = if origin.to_ascii_lowercase().starts_with("https:") { ("https", 443) } else { ("http", 80) };
        let host = if port == own_port { host } else { format!("{host}:{port}") };
        let origin = format!("{scheme}://{host}");
        let session = match rules.settings.session.clone().zip(key) {
            Some((settings, key)) => Some(SiteSession {
                cookies: Cookies::new(key, &origin),
                asks: Begin {
                    falconer: rules.falconer.trim_end_matches('/').to_owned(),
                    origin: origin.clone(),
                    description: settings.description.clone(),
                    scopes: settings.scopes.clone(),
                    identity: settings.identity,
                },
                settings,
                client: Client::new(&rules.falconer).map_err(SettingsError::RootUrl)?,
            }),
            None => None,
        };
        Ok(Site { origin, host, verifier, session })
    }

    /// Whether clients mean this one by a Host header: with its port, which may be left out if it is the scheme's own.
    pub(super) fn is(&self, host: &str) -> bool {
        let own_port = if self.origin.starts_with("https:") { ":443" } else { ":80" };
        let host = host.to_ascii_lowercase();
        self.host == host || host.strip_suffix(own_port) == Some(&self.host)
    }
}

impl SiteSession {
    /// Signs the question about a browser's request with the credentials of its session: the header, and the path and query that it covers.
    pub(super) fn sign(&self, asked: &RequestHead<'_>, origin: &str, credentials: Credentials) -> Result<(String, String), Refused> {
        let url = url::Url::parse(&format!("{origin}{}", asked.target)).map_err(|_| Refused::Misconfigured("an address is no URL"))?;
        let method = asked.method.parse().map_err(|_| Refused::NoRule)?;
        let client = self.client.clone().with_credentials(credentials);
        let authorization = client.authorization(&method, url.as_str(), None).ok().flatten();
        let resource = url[url::Position::BeforePath..].to_owned();
        authorization.map(|header| (header, resource)).ok_or(Refused::Misconfigured("a question about a browser's request can't be signed"))
    }
}
