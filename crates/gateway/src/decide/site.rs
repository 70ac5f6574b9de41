use std::sync::Arc;

use falconer_client::{Client, Credentials, GrantEnd, Origin, Retry};
use falconer_middleware::{SettingsError, Verifier};

use super::refused::Refused;
use crate::keys::Key;
use crate::rules::{Rules, Session};
use crate::session::{Cookies, GrantPageRequest};

/// One protected origin.
pub(super) struct Site {
    /// In its shortest form, such as `https://notes.example.com`.
    pub(super) origin: String,
    /// The same without the scheme: what browsers and clients write into Host.
    pub(super) host: String,
    pub(super) verifier: Verifier,
    pub(super) session: Option<Arc<SiteSession>>,
}

/// Its sessions.
pub(super) struct SiteSession {
    pub(super) cookies: Cookies,
    pub(super) asks: GrantPageRequest,
    pub(super) settings: Session,
    client: Client,
    /// As the verifier asks.
    signed_for: Origin,
}

impl std::fmt::Debug for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Site").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Site {
    pub(super) fn new(rules: &Rules, origin: &str, key: Option<&Key>, verifier: Verifier, retry: Retry) -> Result<Site, SettingsError> {
        let signed_for = Origin::parse(origin).map_err(SettingsError::PublicOrigin)?;
        let (scheme, own_port) = if origin.to_ascii_lowercase().starts_with("https:") { ("https", 443) } else { ("http", 80) };
        let Origin { host, port } = &signed_for;
        let host = if *port == own_port { host.clone() } else { format!("{host}:{port}") };
        let origin = format!("{scheme}://{host}");
        let session = match rules.settings.session.clone().zip(key) {
            Some((settings, key)) => Some(Arc::new(SiteSession {
                cookies: Cookies::new(key, &origin),
                asks: GrantPageRequest {
                    falconer: rules.falconer.trim_end_matches('/').to_owned(),
                    origin: origin.clone(),
                    description: settings.description.clone(),
                    scopes: settings.scopes.clone(),
                    identity: settings.identity,
                },
                settings,
                client: Client::new(&rules.falconer).map_err(SettingsError::RootUrl)?.with_retry(retry),
                signed_for,
            })),
            None => None,
        };
        Ok(Site { origin, host, verifier, session })
    }

    /// The same, whose verifier has connections of its own.
    pub(super) fn with_own_connections(&self) -> Result<Site, SettingsError> {
        let verifier = self.verifier.clone().with_own_connections()?;
        Ok(Site { origin: self.origin.clone(), host: self.host.clone(), verifier, session: self.session.clone() })
    }

    /// Whether clients mean this one by a Host header: with its port, which may be left out if it is the scheme's own.
    pub(super) fn is(&self, host: &str) -> bool {
        let own_port = if self.origin.starts_with("https:") { ":443" } else { ":80" };
        let is_own = |host: &str| host.eq_ignore_ascii_case(&self.host);
        is_own(host) || host.strip_suffix(own_port).is_some_and(is_own)
    }
}

impl SiteSession {
    /// Ends the grant that these are the credentials of.
    pub(super) async fn end_grant(&self, credentials: Credentials) -> GrantEnd {
        self.client.clone().with_credentials(credentials).end_grant().await
    }

    /// Signs the question about a browser's request with the credentials of its session: the header.
    pub(super) fn sign(&self, method: &str, target: &str, credentials: Credentials) -> Result<String, Refused> {
        let method = method.parse().map_err(|_| Refused::NoRule)?;
        let client = self.client.clone().with_credentials(credentials);
        let authorization = client.authorization_at(&method, &self.signed_for, target).ok().flatten();
        authorization.ok_or(Refused::Misconfigured("a question about a browser's request can't be signed"))
    }
}
