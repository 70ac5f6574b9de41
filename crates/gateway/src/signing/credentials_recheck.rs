use falconer_client::system::now_ms;
use falconer_client::{Client, Credentials, Origin};
use falconer_wire::{AuthenticateHawkRequest, AuthenticateHawkResponse, date_time};
use http::Method;
use url::Url;

use crate::staying_open::{Recheck, Standing};

/// Asks Falconer whether the credentials of a WebSocket still count.
pub(super) struct CredentialsRecheck {
    /// Has the credentials that the WebSocket was opened with.
    pub(super) signer: Client,
    /// Has none: it asks.
    pub(super) asks: Client,
    /// Where the WebSocket goes.
    pub(super) url: Url,
}

impl Recheck for CredentialsRecheck {
    async fn ask(&self) -> Standing {
        let expires_ms = self.signer.credentials().and_then(Credentials::expires_ms);
        if expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms()) {
            return Standing::Over("credentials-ended".to_owned());
        }
        let origin = Origin::parse(&self.url.origin().ascii_serialization());
        let signature = self.signer.authorization(&Method::GET, self.url.as_str(), None);
        let (Ok(Origin { host, port }), Ok(authorization @ Some(_))) = (origin, signature) else {
            return Standing::Over("no-credentials".to_owned());
        };
        let resource = self.url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
        let question = AuthenticateHawkRequest { method: "get".to_owned(), resource, host, port, authorization, source_ip: None };
        match self.asks.authenticate_hawk(&question).await {
            Ok(AuthenticateHawkResponse::Success { expires, .. }) => Standing::Until(date_time::parse_ms(&expires).unwrap_or(0)),
            Ok(AuthenticateHawkResponse::NoAuth { .. }) => Standing::Over("no-credentials".to_owned()),
            Ok(AuthenticateHawkResponse::Failed { .. }) => Standing::Over("not-accepted".to_owned()),
            Err(_) => Standing::Unknown,
        }
    }
}
