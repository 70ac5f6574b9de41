use std::sync::Arc;
use std::time::Duration;

use falconer_client::{Client, Error, Origin, Retry};
use falconer_scopes::{Expression, ScopeSet};
use falconer_wire::{AuthenticateHawkRequest, AuthenticateHawkResponse};

use crate::{Caller, Refusal, SettingsError};

/// Asks Falconer about the requests of one service. It knows nothing of a web framework. Cheap to clone.
///
/// ```no_run
/// use falconer_middleware::{Refusal, SignedRequest, Verifier};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new("https://auth.example.com", "https://notes.example.com")?;
/// let request = SignedRequest { method: "GET", resource: "/books/red?page=2", authorization: None, source_ip: None };
/// match verifier.verify(&request).await {
///     Ok(verified) => {
///         let caller = verified.with_body("", b"")?;
///         println!("may do {:?}", caller.scopes());
///     }
///     Err(refusal) => println!("{} {}", refusal.code().status(), refusal.message()),
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    client: Client,
    origin: Arc<Origin>,
    payload_hash_required: bool,
}

/// What of a request is signed. Host and port are missing on purpose: they are the verifier's own.
#[derive(Clone, Copy, Debug)]
pub struct SignedRequest<'a> {
    /// HTTP method, in any case.
    pub method: &'a str,
    /// Path and query exactly as on the request line, before any proxy or router changed them.
    pub resource: &'a str,
    /// The value of the Authorization header as it came; `None` if there was none.
    pub authorization: Option<&'a [u8]>,
    /// Address of the caller, for Falconer's log.
    pub source_ip: Option<&'a str>,
}

/// A request whose signature is right. Only [`Verifier::verify`] makes one. Its body has yet to be compared.
#[derive(Debug)]
pub struct Verified {
    caller: Caller,
    body: BodyRule,
}

/// What the body of a verified request has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyRule {
    /// Its hash was not signed, and this service doesn't ask for that: any body.
    Any,
    /// Its hash was not signed, and this service asks for it: no body.
    Empty,
    /// The body with this signed hash.
    Hash(String),
}

impl Verifier {
    /// `falconer_root_url` such as `https://auth.example.com`; `public_origin` is the origin that callers use for this service, such as
    /// `https://notes.example.com`: what they signed is compared with it, never with the Host header.
    pub fn new(falconer_root_url: &str, public_origin: &str) -> Result<Verifier, SettingsError> {
        let origin = Origin::parse(public_origin).map_err(SettingsError::PublicOrigin)?;
        // A caller waits while we ask: one more try for a connection that broke, and an end after five seconds.
        let retry = Retry { tries: 2, first_delay: Duration::from_millis(50), timeout: Duration::from_secs(5), ..Retry::default() };
        let client = Client::new(falconer_root_url).map_err(SettingsError::RootUrl)?.with_retry(retry);
        Ok(Verifier { client, origin: Arc::new(origin), payload_hash_required: false })
    }

    /// Refuses bodies whose hash was not signed, so that nobody between caller and service can change them.
    #[must_use]
    pub fn with_payload_hash_required(mut self) -> Verifier {
        self.payload_hash_required = true;
        self
    }

    /// Other tries, waits and timeouts for the question to Falconer. Default: two tries of 5 s at most.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Verifier {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Asks who signed a request, and what it may do. Nothing is kept: each request is asked about anew.
    pub async fn verify(&self, request: &SignedRequest<'_>) -> Result<Verified, Refusal> {
        let question = self.question(request)?;
        let answer = self.client.authenticate_hawk(&question).await.map_err(not_answered)?;
        match answer {
            AuthenticateHawkResponse::Success { expires, scopes, client_id, hash, identity, .. } => {
                let body = match hash {
                    Some(hash) => BodyRule::Hash(hash),
                    None if self.payload_hash_required => BodyRule::Empty,
                    None => BodyRule::Any,
                };
                Ok(Verified { caller: Caller { client_id: Some(client_id), scopes: ScopeSet::new(scopes), expires, identity }, body })
            }
            // Nobody signed anything, so there is nothing to compare a body with.
            AuthenticateHawkResponse::NoAuth { expires, scopes, .. } => Ok(Verified {
                caller: Caller { client_id: None, scopes: ScopeSet::new(scopes), expires, identity: None },
                body: BodyRule::Any,
            }),
            AuthenticateHawkResponse::Failed { message } => Err(Refusal::from_answer(message)),
        }
    }

    fn question(&self, request: &SignedRequest<'_>) -> Result<AuthenticateHawkRequest, Refusal> {
        let authorization = match request.authorization {
            None | Some([]) => None,
            Some(value) => Some(std::str::from_utf8(value).map_err(|_| Refusal::UnreadableAuthorization)?.to_owned()),
        };
        let resource = request.resource.to_owned();
        if authorization.is_some() && (resource.contains("?bewit=") || resource.contains("&bewit=")) {
            return Err(Refusal::TwoSchemes);
        }
        Ok(AuthenticateHawkRequest {
            method: request.method.to_ascii_lowercase(),
            resource,
            host: self.origin.host.clone(),
            port: self.origin.port,
            authorization,
            source_ip: request.source_ip.map(str::to_owned),
        })
    }
}

/// Falconer said nothing, or no to the question itself. The latter is the caller's fault only where the question repeats what the caller sent, and
/// where it was Falconer that said so: its errors have a code, those of a proxy between have none.
fn not_answered(error: Error) -> Refusal {
    match error {
        Error::Api { status: 400 | 413 | 414 | 431, message, body, .. } if body.get("code").is_some_and(serde_json::Value::is_string) => {
            Refusal::NotVerifiable { message: message.trim().to_owned() }
        }
        error => Refusal::Unavailable(error),
    }
}

impl Verified {
    /// Whether the scopes satisfy what an operation needs. Errors: [`Refusal::InsufficientScopes`].
    pub fn require(&self, required: &Expression) -> Result<(), Refusal> {
        match required.missing(&self.caller.scopes) {
            None => Ok(()),
            Some(missing) => Err(Refusal::InsufficientScopes {
                client_id: self.caller.client_id.clone(),
                missing: Box::new(missing),
                required: Box::new(required.clone()),
            }),
        }
    }

    /// What the body has to be. Only [`BodyRule::Hash`] needs it to be read.
    #[must_use]
    pub fn body_rule(&self) -> &BodyRule {
        &self.body
    }

    /// Compares the body with what was signed. `content_type` is the header's value, empty if there was none.
    /// Errors: [`Refusal::BodyChanged`], [`Refusal::BodyNotSigned`].
    pub fn with_body(self, content_type: &str, body: &[u8]) -> Result<Caller, Refusal> {
        match self.body {
            BodyRule::Any => Ok(self.caller),
            BodyRule::Empty if body.is_empty() => Ok(self.caller),
            BodyRule::Empty => Err(Refusal::BodyNotSigned),
            BodyRule::Hash(signed) => {
                let computed = falconer_client::payload_hash(content_type, body);
                if computed == signed { Ok(self.caller) } else { Err(Refusal::BodyChanged { signed, computed }) }
            }
        }
    }
}
