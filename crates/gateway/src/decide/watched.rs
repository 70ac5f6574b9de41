use std::sync::Arc;

use falconer_client::Credentials;
use falconer_middleware::{Expression, Proof, Refusal, SignedRequest, Verifier};
use falconer_wire::date_time;
use http::{HeaderValue, header};

use super::gateway::Gateway;
use super::in_use::InUse;
use super::request_head::RequestHead;
use crate::staying_open::{Recheck, Standing};

/// Other rules may need other scopes: whoever is still let in connects again.
pub(crate) const RULES_REPLACED: &str = "rules-replaced";

/// A request that was let through and opens a WebSocket, as far as Falconer can be asked about it again.
pub(crate) struct Watched {
    method: String,
    target: String,
    host: String,
    source_ip: Option<String>,
    verifier: Verifier,
    expression: Expression,
    auth: WebSocketAuth,
}

enum WebSocketAuth {
    /// Of a browser's session: each question is signed anew.
    Session(Credentials),
    /// What the request came with, and what goes in the place of a proof that has counted. It gets no younger, so that it counts for as long as a signature does.
    Header(Option<Vec<u8>>, Option<String>),
}

impl Watched {
    pub(super) fn new(
        request: &RequestHead<'_>,
        verifier: Verifier,
        expression: Expression,
        session: Option<Credentials>,
        follow_up: Option<String>,
    ) -> Watched {
        let authorization = || request.headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes).map(<[u8]>::to_vec);
        Watched {
            method: request.method.to_owned(),
            target: request.target.to_owned(),
            host: request.host.to_owned(),
            source_ip: request.source_ip.map(|address| address.to_string()),
            verifier,
            expression,
            auth: session.map_or_else(|| WebSocketAuth::Header(authorization(), follow_up), WebSocketAuth::Session),
        }
    }
}

/// The same with whoever can ask.
pub(crate) struct GatewayRecheck {
    pub(crate) watched: Watched,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) in_use: InUse,
}

fn is_over(credentials: &Credentials) -> bool {
    credentials.expires_ms().is_some_and(|expires_ms| expires_ms <= falconer_client::system::now_ms())
}

impl Recheck for GatewayRecheck {
    async fn ask(&self) -> Standing {
        let GatewayRecheck { watched, gateway, in_use } = self;
        if in_use.replaced(gateway) {
            return Standing::Over(RULES_REPLACED.to_owned());
        }
        let own;
        let authorization = match &watched.auth {
            WebSocketAuth::Header(header, _) => header.as_deref(),
            // As for requests: a session ends at its end, without tolerance.
            WebSocketAuth::Session(credentials) if is_over(credentials) => return Standing::Over("session-ended".to_owned()),
            WebSocketAuth::Session(credentials) => {
                let session = gateway.site(&watched.host).ok().and_then(|site| site.session.as_ref());
                let signed = session.and_then(|session| session.sign(&watched.method, &watched.target, credentials.clone()).ok());
                let Some(signed) = signed else { return Standing::Over("misconfigured".to_owned()) };
                own = signed;
                Some(own.as_bytes())
            }
        };
        let resource = watched.target.as_str();
        let proof = match &watched.auth {
            WebSocketAuth::Header(_, Some(follow_up)) => Proof::FollowUp(follow_up),
            WebSocketAuth::Header(_, None) | WebSocketAuth::Session(_) => Proof::Nothing,
        };
        let signed = SignedRequest { method: &watched.method, resource, authorization, proof, source_ip: watched.source_ip.as_deref() };
        match watched.verifier.check(&signed, &watched.expression).await {
            Ok(verified) => Standing::Until(date_time::parse_ms(verified.without_body().expires()).unwrap_or(0)),
            Err(Refusal::Unavailable(_) | Refusal::Paused) => Standing::Unknown,
            Err(refusal) => Standing::Over(refusal.reason().unwrap_or("refused").to_owned()),
        }
    }
}
