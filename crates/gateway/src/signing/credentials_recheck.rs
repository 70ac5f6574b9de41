use falconer_client::system::now_ms;
use falconer_client::{Client, Credentials, Error, Origin};
use falconer_scopes::Expression;
use falconer_wire::{AuthenticateHawkResponse, CheckRequest, CheckResponse, CheckedRequest, date_time};
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
        let request = CheckedRequest {
            method: "get".to_owned(),
            resource,
            host,
            port,
            authorization,
            source_ip: None,
            dpop: None,
            follow_up: None,
            scheme: None,
        };
        let question = CheckRequest {
            request,
            required: Expression::AllOf(Vec::new()),
            payload_hash: None,
            reveal: Vec::new(),
            identity: false,
            each: Vec::new(),
            bearer: false,
        };
        match self.asks.check(&question).await {
            Ok(CheckResponse::Allowed { client_id: None, .. }) => Standing::Over("no-credentials".to_owned()),
            Ok(CheckResponse::Allowed { expires, .. } | CheckResponse::Denied { expires, .. }) => until(&expires),
            Ok(CheckResponse::Failed { reason, .. }) => Standing::Over(reason),
            // A server without the method: its 404 has no code.
            Err(Error::Api { status: 404, body, .. }) if body.get("code").is_none() => self.ask_older(&question.request).await,
            Err(_) => Standing::Unknown,
        }
    }
}

impl CredentialsRecheck {
    /// The protocol's own method gives the whole list of scopes with its answer. Falconer may keep that for services that sign, and this one doesn't.
    async fn ask_older(&self, request: &CheckedRequest) -> Standing {
        match self.asks.authenticate_hawk(&request.of_signature()).await {
            Ok(AuthenticateHawkResponse::Success { expires, .. }) => until(&expires),
            Ok(AuthenticateHawkResponse::NoAuth { .. }) => Standing::Over("no-credentials".to_owned()),
            Ok(AuthenticateHawkResponse::Failed { .. }) => Standing::Over("not-accepted".to_owned()),
            Err(_) => Standing::Unknown,
        }
    }
}

fn until(expires: &str) -> Standing {
    Standing::Until(date_time::parse_ms(expires).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    const EXPIRES: &str = "2099-01-01T00:00:00.000Z";

    /// Answers `check` and `authenticateHawk`, each with a status and a body.
    async fn falconer(check: (u16, String), list: (u16, String)) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !is_whole(&request) {
                    if stream.read_buf(&mut request).await.unwrap() == 0 {
                        break;
                    }
                }
                let (status, body) = if request.starts_with(b"POST /api/falconer/v1/check ") { &check } else { &list };
                let head = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        });
        root
    }

    fn is_whole(request: &[u8]) -> bool {
        let text = String::from_utf8_lossy(request).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
        body.len() >= length.unwrap_or(0)
    }

    async fn standing(check: (u16, &str), list: (u16, &str)) -> Standing {
        let of = |(status, body): (u16, &str)| (status, body.replace("<expires>", EXPIRES));
        let once = falconer_client::Retry { tries: 1, ..falconer_client::Retry::default() };
        let asks = Client::new(&falconer(of(check), of(list)).await).unwrap().with_retry(once);
        let signer = asks.clone().with_credentials(Credentials::new("a/b", "secret-of-a-b"));
        CredentialsRecheck { signer, asks, url: Url::parse("https://notes.example.com/live?x").unwrap() }.ask().await
    }

    /// The whole list was asked for. Where Falconer keeps it for some services, each WebSocket ended after a minute.
    #[tokio::test]
    async fn credentials_are_asked_about_without_the_list() {
        const KEPT: (u16, &str) = (403, r#"{"code": "InsufficientScopes", "message": "m"}"#);
        const NO_METHOD: (u16, &str) = (404, r#"{"error": "Not found"}"#);
        let until = Standing::Until(date_time::parse_ms(EXPIRES).unwrap());
        let over = |why: &str| Standing::Over(why.to_owned());
        for (check, list, expected) in [
            ((200, r#"{"status": "allowed", "clientId": "a/b", "expires": "<expires>"}"#), KEPT, until.clone()),
            ((200, r#"{"status": "allowed", "expires": "<expires>"}"#), KEPT, over("no-credentials")),
            ((200, r#"{"status": "failed", "reason": "grant-revoked", "message": "m", "id": "i"}"#), KEPT, over("grant-revoked")),
            ((503, "{}"), KEPT, Standing::Unknown),
            ((404, r#"{"code": "ResourceNotFound"}"#), KEPT, Standing::Unknown),
            (NO_METHOD, KEPT, Standing::Unknown),
            (
                NO_METHOD,
                (200, r#"{"status": "auth-success", "scheme": "hawk", "expires": "<expires>", "scopes": [], "clientId": "a/b"}"#),
                until.clone(),
            ),
            (NO_METHOD, (200, r#"{"status": "auth-failed", "message": "m"}"#), over("not-accepted")),
        ] {
            assert_eq!(standing(check, list).await, expected, "{check:?} {list:?}");
        }
    }
}
