use std::sync::Arc;
use std::time::Duration;

use falconer_client::{Client, Error, Origin, Retry};
use falconer_scopes::{Expression, ScopeSet, is_valid_scope};
use falconer_wire::{AuthenticateHawkRequest, AuthenticateHawkResponse, CheckRequest, CheckResponse};

use crate::now_and_then::NowAndThen;
use crate::{Caller, Refusal, SettingsError};

/// Prefixes that one question names at most.
const MOST_PREFIXES: usize = 16;
/// So long a server that has no check is asked for lists only.
const OLDER_MS: i64 = 10 * 60_000;
/// A wrong origin is looked for so often.
const MISMATCH_MS: i64 = 60_000;

/// Asks Falconer about the requests of one service. It knows nothing of a web framework. Cheap to clone.
///
/// ```no_run
/// use falconer_middleware::{Expression, SignedRequest, Verifier};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new("https://auth.example.com", "https://notes.example.com")?;
/// let request = SignedRequest { method: "GET", resource: "/books/red?page=2", authorization: None, source_ip: None };
/// match verifier.check(&request, &Expression::Scope("notes:read:red".to_owned())).await {
///     Ok(verified) => {
///         let caller = verified.with_body("", b"")?;
///         println!("until {}", caller.expires());
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
    revealed: Arc<[String]>,
    /// Since when the server has no check.
    older: Arc<NowAndThen>,
    mismatch: Arc<NowAndThen>,
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
        Ok(Verifier {
            client,
            origin: Arc::new(origin),
            payload_hash_required: false,
            revealed: Arc::from([]),
            older: Arc::new(NowAndThen::every_ms(OLDER_MS)),
            mismatch: Arc::new(NowAndThen::every_ms(MISMATCH_MS)),
        })
    }

    /// Below which prefixes, such as `assume:mozilla-user:`, callers of [`Verifier::check`] show their scopes, besides those of this service's own scopes. Each has a
    /// colon in it; at most eight count.
    #[must_use]
    pub fn with_revealed<'a>(mut self, prefixes: impl IntoIterator<Item = &'a str>) -> Verifier {
        self.revealed =
            prefixes.into_iter().filter(|prefix| prefix.contains(':') && !prefix.ends_with('*')).take(8).map(str::to_owned).collect();
        self
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

    /// Asks whether the signer of a request may do what it needs. Nothing is kept: each request is asked about anew.
    ///
    /// Of the caller's scopes nothing is told, but those below the prefixes of [`Verifier::with_revealed`], and those that begin as what is required: with
    /// `notes:read:red` those that begin with `notes:`. A server that is older than `check` is asked for the whole list, and the same is taken from it.
    pub async fn check(&self, request: &SignedRequest<'_>, required: &Expression) -> Result<Verified, Refusal> {
        let (request, reveal) = (self.question(request)?, self.prefixes(required));
        let now_ms = falconer_client::system::now_ms();
        if !self.older.is_recent(now_ms) {
            let question = CheckRequest {
                request: request.clone(),
                required: required.clone(),
                payload_hash: None,
                reveal: reveal.clone(),
                identity: true,
                each: Vec::new(),
            };
            match self.client.check(&question).await {
                Ok(answer) => return self.decided(answer, required),
                Err(error) if is_no_method(&error) => self.older.note(now_ms),
                Err(error) => return Err(not_answered(error)),
            }
        }
        let mut verified = self.listed(&request).await?;
        verified.require(required)?;
        verified.caller.scopes = ScopeSet::new(reveal.iter().flat_map(|prefix| verified.caller.scopes.below(prefix)));
        Ok(verified)
    }

    fn decided(&self, answer: CheckResponse, required: &Expression) -> Result<Verified, Refusal> {
        match answer {
            CheckResponse::Allowed { expires, client_id, hash, identity, revealed, .. } => {
                let body = if client_id.is_some() { self.body_rule_of(hash) } else { BodyRule::Any };
                let scopes = ScopeSet::new(revealed.unwrap_or_default());
                Ok(Verified { caller: Caller { client_id, scopes, expires, identity }, body })
            }
            CheckResponse::Denied { missing, client_id, id, .. } => Err(Refusal::InsufficientScopes {
                client_id,
                missing: Box::new(missing),
                required: Box::new(required.clone()),
                id: Some(id),
            }),
            CheckResponse::Failed { message, reason, id } => Err(Refusal::from_answer(message, Some(reason), Some(id))),
        }
    }

    /// The prefixes of one question.
    fn prefixes(&self, required: &Expression) -> Vec<String> {
        let mut prefixes: Vec<String> = self.revealed.to_vec();
        own_prefixes(required, &mut prefixes);
        prefixes
    }

    /// Why a signature that does not hold may be right all the same, for the log of this service: Falconer is asked about the Host header of the request, at most once a
    /// minute. What comes out lets nobody in.
    pub async fn look_for_other_origin(&self, request: &SignedRequest<'_>, host_header: &str) -> Option<String> {
        let now_ms = falconer_client::system::now_ms();
        if self.mismatch.is_recent(now_ms) {
            return None;
        }
        self.mismatch.note(now_ms);
        let question = self.question(request).ok()?;
        for scheme in ["https", "http"] {
            let Ok(seen) = Origin::parse(&format!("{scheme}://{host_header}")) else { continue };
            if seen == *self.origin {
                continue;
            }
            let request = AuthenticateHawkRequest { host: seen.host.clone(), port: seen.port, ..question.clone() };
            let required = Expression::AllOf(Vec::new());
            let question = CheckRequest { request, required, payload_hash: None, reveal: Vec::new(), identity: false, each: Vec::new() };
            let holds = match self.client.check(&question).await {
                Ok(CheckResponse::Failed { reason, .. }) => reason != "bad-mac",
                Ok(CheckResponse::Allowed { .. } | CheckResponse::Denied { .. }) => true,
                Err(_) => false,
            };
            if holds {
                let Origin { host, port } = &*self.origin;
                return Some(format!("verified for {}:{}, your configured origin is {host}:{port}", seen.host, seen.port));
            }
        }
        None
    }

    /// Asks who signed a request, and for everything that it may do: for programs that need the whole list of scopes. Nothing is kept: each request is asked about anew.
    pub async fn verify(&self, request: &SignedRequest<'_>) -> Result<Verified, Refusal> {
        self.listed(&self.question(request)?).await
    }

    async fn listed(&self, question: &AuthenticateHawkRequest) -> Result<Verified, Refusal> {
        let answer = self.client.authenticate_hawk(question).await.map_err(not_answered)?;
        match answer {
            AuthenticateHawkResponse::Success { expires, scopes, client_id, hash, identity, .. } => {
                let body = self.body_rule_of(hash);
                Ok(Verified { caller: Caller { client_id: Some(client_id), scopes: ScopeSet::new(scopes), expires, identity }, body })
            }
            // Nobody signed anything, so there is nothing to compare a body with.
            AuthenticateHawkResponse::NoAuth { expires, scopes, .. } => Ok(Verified {
                caller: Caller { client_id: None, scopes: ScopeSet::new(scopes), expires, identity: None },
                body: BodyRule::Any,
            }),
            AuthenticateHawkResponse::Failed { message } => Err(Refusal::from_answer(message, None, None)),
        }
    }

    fn body_rule_of(&self, hash: Option<String>) -> BodyRule {
        match hash {
            Some(hash) => BodyRule::Hash(hash),
            None if self.payload_hash_required => BodyRule::Empty,
            None => BodyRule::Any,
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

/// How the scopes of this service begin, by what it requires: up to the first colon. Never all roles of a caller.
fn own_prefixes(required: &Expression, found: &mut Vec<String>) {
    match required {
        Expression::Scope(scope) => {
            let Some((service, _)) = scope.split_once(':') else { return };
            let prefix = format!("{service}:");
            if prefix != "assume:" && is_valid_scope(&prefix) && found.len() < MOST_PREFIXES && !found.contains(&prefix) {
                found.push(prefix);
            }
        }
        Expression::AllOf(parts) | Expression::AnyOf(parts) => parts.iter().for_each(|part| own_prefixes(part, found)),
    }
}

/// A server that has no such method: its 404 has no code.
fn is_no_method(error: &Error) -> bool {
    matches!(error, Error::Api { status: 404, body, .. } if !body.get("code").is_some_and(serde_json::Value::is_string))
}

/// Falconer said nothing, or no to the question itself. The latter is the caller's fault only where the question repeats what the caller sent, and
/// where it was Falconer that said so: its errors have a code, those of a proxy between have none.
fn not_answered(error: Error) -> Refusal {
    match error {
        Error::Api { status: 400, message, .. } if ["data/required", "data/reveal"].iter().any(|ours| message.contains(ours)) => {
            Refusal::Misconfigured(format!("Falconer does not understand what this route requires: {}", message.trim()))
        }
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
                id: None,
            }),
        }
    }

    /// What the body has to be. Only [`BodyRule::Hash`] needs it to be read.
    #[must_use]
    pub fn body_rule(&self) -> &BodyRule {
        &self.body
    }

    /// The caller, for a program that never sees a body, such as one that answers a proxy's questions: a hash that was signed is compared by nobody then, and who
    /// lets the request through has to say that this is meant.
    #[must_use]
    pub fn without_body(self) -> Caller {
        self.caller
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
