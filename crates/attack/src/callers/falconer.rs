use falconer_client::{Client, Error, system};
use falconer_scopes::Expression;
use falconer_wire::{CheckRequest, CheckResponse, CheckedRequest};

use crate::exchange::{Sender, Signature, Transport};
use crate::place::Place;

/// The Falconer that knows the callers.
pub(crate) struct Falconer {
    client: Client,
    /// What its clock is ahead of this machine's.
    pub ahead_ms: i64,
}

/// What Falconer says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FalconerVerdict {
    /// Signed by somebody who may.
    Allowed,
    /// Signed by somebody who may not, or by nobody.
    Denied,
    /// Not signed as it has to be: why.
    Failed(String),
}

impl Falconer {
    /// Asks for the time, and so whether somebody is there.
    pub async fn find(client: Client) -> Result<Falconer, String> {
        let ping = falconer_wire::urls::api(client.root_url(), "auth", "v1", "/ping");
        let ping = url::Url::parse(&ping).map_err(|error| error.to_string())?;
        let root = Sender::to(&Place::new(&ping.origin().ascii_serialization(), None)?, &Transport::default())?;
        let date = root.date(ping.path()).await?;
        Ok(Falconer { client, ahead_ms: date.map_or(0, |date_ms| date_ms - system::now_ms()) })
    }

    pub fn now_ms(&self) -> i64 {
        system::now_ms().saturating_add(self.ahead_ms)
    }

    /// What a service that verifies properly would decide. `signature`: of nobody without.
    pub async fn verdict(&self, required: &Expression, of: &Signature, signed: bool) -> Result<FalconerVerdict, Error> {
        let question = CheckRequest {
            request: CheckedRequest {
                method: of.method.to_lowercase(),
                resource: of.resource.clone(),
                host: of.host.clone(),
                port: of.port,
                authorization: signed.then(|| of.header()),
                source_ip: None,
                dpop: None,
                follow_up: None,
                scheme: None,
            },
            required: required.clone(),
            payload_hash: None,
            bearer: false,
            reveal: Vec::new(),
            identity: false,
            each: Vec::new(),
        };
        Ok(match self.client.check(&question).await? {
            CheckResponse::Allowed { .. } => FalconerVerdict::Allowed,
            CheckResponse::Denied { .. } => FalconerVerdict::Denied,
            CheckResponse::Failed { message, .. } => FalconerVerdict::Failed(message),
        })
    }
}
