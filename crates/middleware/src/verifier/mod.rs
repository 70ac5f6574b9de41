//! Parts of a request in, a decision out: the settings of a service, the question and its answer, and what is done when Falconer is away.

mod asking;
mod breaker;
mod counts;
mod minimum_interval;
mod other_origin;
mod size;
mod verified;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use falconer_client::{Client, Origin, Retry};
use falconer_scopes::{Expression, is_valid_scope};
use falconer_wire::CheckedRequest;
use tokio::sync::Semaphore;

use crate::protected_resource::shows_bound_token;
use crate::{ProtectedResource, Refusal, SettingsError};
pub(crate) use asking::Question;
use breaker::Breaker;
use counts::Counted;
pub use counts::Counts;
use minimum_interval::MinimumInterval;
pub use verified::{BodyRule, Verified};

/// A service names at most so many prefixes.
const MOST_REVEALED: usize = 16;
/// A server without `check` is asked for lists for so long. Then `check` is tried once more: the server may be another release by then.
const OLDER_MS: i64 = 10 * 60_000;
/// How many questions are under way at once. More wait. Falconer bounds the connections of one address, and without this bound strangers could make a service take
/// all of them.
const MOST_QUESTIONS: usize = 256;
/// Another origin is looked for at most once in this time.
const MISMATCH_MS: i64 = 60_000;

/// Asks Falconer about the requests of one service. It knows nothing of a web framework. Cheap to clone.
///
/// ```no_run
/// use falconer_middleware::{Expression, Proof, SignedRequest, Verifier};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::new("https://auth.example.com", "https://notes.example.com")?;
/// let request = SignedRequest { method: "GET", resource: "/books/red?page=2", authorization: None, proof: Proof::Nothing, source_ip: None };
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
    /// As browsers write it, for what clients are told of it: they compare it.
    public_origin: Arc<str>,
    root_url: Arc<str>,
    payload_hash_required: bool,
    bearer: bool,
    resource: Option<ProtectedResource>,
    revealed: Arc<[String]>,
    /// Since when the server has no check.
    older: Arc<MinimumInterval>,
    mismatch: Arc<MinimumInterval>,
    breaker: Arc<Breaker>,
    questions: Arc<Semaphore>,
    counted: Arc<Counted>,
    clock: fn() -> i64,
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
    /// What goes with an access token that is bound to a key.
    pub proof: Proof<'a>,
    /// Address of the caller, for Falconer's log.
    pub source_ip: Option<&'a str>,
}

/// What goes with an access token that is bound to a key (RFC 9449).
#[derive(Clone, Copy, Debug, Default)]
pub enum Proof<'a> {
    /// Nothing: there was no such header.
    #[default]
    Nothing,
    /// The value of the DPoP header as it came. Of several, all of them with a comma between: none of them counts.
    Header(&'a [u8]),
    /// In place of it, where this request was verified before: [`Verified::follow_up`]. A proof counts once.
    FollowUp(&'a str),
}

impl Proof<'_> {
    /// The DPoP headers of a request as one, for [`Proof::Header`]: of several none counts. They are looked at only where the Authorization header shows a token that is bound to a
    /// key, so that other requests cost nothing more.
    pub fn header<'h, V: IntoIterator<Item = &'h [u8]>>(authorization: Option<&[u8]>, values: impl FnOnce() -> V) -> Option<Cow<'h, [u8]>> {
        let mut values = authorization.is_some_and(shows_bound_token).then(values)?.into_iter();
        let first = values.next()?;
        Some(values.fold(Cow::Borrowed(first), |all, value| Cow::Owned([&*all, b", ", value].concat())))
    }
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
            public_origin: Origin::as_sent(public_origin).map_err(SettingsError::PublicOrigin)?.into(),
            root_url: falconer_root_url.into(),
            payload_hash_required: false,
            bearer: false,
            resource: None,
            revealed: Arc::from([]),
            older: Arc::new(MinimumInterval::every_ms(OLDER_MS)),
            mismatch: Arc::new(MinimumInterval::every_ms(MISMATCH_MS)),
            breaker: Arc::default(),
            questions: Arc::new(Semaphore::new(MOST_QUESTIONS)),
            counted: Arc::default(),
            clock: falconer_client::system::now_ms,
        })
    }

    /// Whether [`Verifier::new`] would take these addresses, with the same errors; nothing is made or read.
    pub fn check_settings(falconer_root_url: &str, public_origin: &str) -> Result<(), SettingsError> {
        Origin::parse(public_origin).map_err(SettingsError::PublicOrigin)?;
        Client::check_root_url(falconer_root_url).map_err(SettingsError::RootUrl)
    }

    /// Prefixes, such as `assume:mozilla-user:`, below which callers of [`Verifier::check`] show their scopes. The service sees its own scopes besides. Errors: a prefix
    /// that has no colon, ends in a star or cannot stand in a scope, and more than sixteen of them.
    pub fn with_revealed<'a>(mut self, prefixes: impl IntoIterator<Item = &'a str>) -> Result<Verifier, SettingsError> {
        let mut revealed: Vec<String> = Vec::new();
        for prefix in prefixes {
            let problem = match prefix {
                _ if !prefix.contains(':') => "it has no colon, so it would show scopes of every kind",
                _ if prefix.ends_with('*') => "it ends in a star; a prefix needs none",
                _ if !is_valid_scope(prefix) => "no scope begins so",
                _ if revealed.len() == MOST_REVEALED => "it is the seventeenth, and sixteen are told at most",
                _ => {
                    if !revealed.iter().any(|known| known == prefix) {
                        revealed.push(prefix.to_owned());
                    }
                    continue;
                }
            };
            return Err(SettingsError::Reveal { prefix: prefix.to_owned(), problem });
        }
        self.revealed = revealed.into();
        Ok(self)
    }

    /// The same, whose questions are parts of a trace: `traceparent` is the header of the request that is verified (W3C Trace Context), or of a span of the service's own.
    /// Of several headers none counts, and one that is not of the form is not passed on. A `Guard` does it by itself.
    #[must_use]
    pub fn within_trace<'h>(mut self, traceparent: impl IntoIterator<Item = &'h [u8]>) -> Verifier {
        self.client = self.client.within_trace(traceparent);
        self
    }

    /// Refuses bodies whose hash was not signed, so that nobody between caller and service can change them.
    #[must_use]
    pub fn with_payload_hash_required(mut self) -> Verifier {
        self.payload_hash_required = true;
        self
    }

    /// Takes access tokens (`Authorization: Bearer falconer_at_...`), too, from [`Verifier::check`] on. A token signs nothing: whoever sees one, such as another
    /// service that it is sent to, can use it here until it ends, unless it is bound to a key (`Authorization: DPoP`). So a service has to say that it takes them.
    #[must_use]
    pub fn with_bearer_tokens(mut self) -> Verifier {
        self.bearer = true;
        self
    }

    /// Takes access tokens, and tells clients of OAuth 2 where they come from (RFC 9728): the resource is `path` of the public origin, such as `/mcp`, or all of
    /// it where that is empty, and `scopes` are those that a client may want. [`Verifier::protected_resource`] says what has to be answered. Whoever shows no
    /// credentials is then refused with 401 in place of 403. Errors: [`SettingsError::ProtectedResource`].
    pub fn with_protected_resource<'a>(mut self, path: &str, scopes: impl IntoIterator<Item = &'a str>) -> Result<Verifier, SettingsError> {
        let scopes: Vec<&str> = scopes.into_iter().collect();
        self.resource = Some(ProtectedResource::new(&self.root_url, &self.public_origin, path, &scopes)?);
        self.bearer = true;
        Ok(self)
    }

    /// What clients of OAuth 2 are told, where the service says it.
    #[must_use]
    pub fn protected_resource(&self) -> Option<&ProtectedResource> {
        self.resource.as_ref()
    }

    /// The same with connections to Falconer of its own, which its clones share: for each thread of a program whose threads have a runtime each, so that no
    /// question wakes another thread. What was counted, how many questions are under way, and whether Falconer is away, they have in common. Errors:
    /// [`SettingsError::RootUrl`].
    pub fn with_own_connections(mut self) -> Result<Verifier, SettingsError> {
        self.client = self.client.with_own_connections().map_err(SettingsError::RootUrl)?;
        Ok(self)
    }

    /// Other tries, waits and timeouts for the question to Falconer. Default: two tries of 5 s at most.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Verifier {
        self.client = self.client.with_retry(retry);
        self
    }

    /// Another clock, in milliseconds since 1970. For tests.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> i64) -> Verifier {
        self.clock = clock;
        self
    }

    /// How requests were decided since the start, by this verifier and its clones: for the metrics of a service.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counted.read()
    }

    /// Whether Falconer is not asked at the moment, because it did not answer: for the metrics of a service.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.breaker.is_paused((self.clock)())
    }

    /// Asks whether the signer of a request may do what it needs. Nothing is kept: each request is asked about anew.
    ///
    /// Of the caller's scopes the service learns those that begin as what is required, such as those that begin with `notes:` for `notes:read:red`. It learns those
    /// below the prefixes of [`Verifier::with_revealed`] too, and no others. A server that is older than `check` is asked for the whole list, and the same is taken
    /// from it.
    ///
    /// After five failures in a row Falconer is not asked for a second, and callers are refused at once ([`Refusal::Paused`]).
    pub async fn check(&self, request: &SignedRequest<'_>, required: &Expression) -> Result<Verified, Refusal> {
        let answer = async {
            let question = Question { request: self.question(request)?, reveal: self.prefixes(required), required, each: &[] };
            Ok(self.ask(&question).await?.0)
        };
        self.counted.count(answer.await).map_err(|refusal| self.asks_for_credentials(refusal))
    }

    /// Asks who signed a request, and for the whole list of their scopes, for programs that need it. Nothing is kept: each request is asked about anew.
    ///
    /// It is the protocol's own `authenticateHawk`, which takes signatures and no access tokens, and which an operator may keep for services that sign it
    /// (`services.whole_lists`): this verifier doesn't, and gets [`Refusal::Unavailable`] there.
    pub async fn verify(&self, request: &SignedRequest<'_>) -> Result<Verified, Refusal> {
        let answer = async {
            let request = self.question(request)?;
            let question = request.of_signature();
            size::refuse_too_large(size::of_request(&request), || &question)?;
            self.within(self.listed(&question)).await
        };
        self.counted.count(answer.await)
    }

    fn question(&self, request: &SignedRequest<'_>) -> Result<CheckedRequest, Refusal> {
        let authorization = match request.authorization {
            None | Some([]) => None,
            Some(value) => Some(std::str::from_utf8(value).map_err(|_| Refusal::UnreadableAuthorization)?.to_owned()),
        };
        let resource = request.resource.to_owned();
        if falconer_client::is_signed_twice(&resource, authorization.as_deref()) {
            return Err(Refusal::TwoSchemes);
        }
        // Only then a server is told of it: an older one would refuse the question.
        let is_bound = self.bearer && request.authorization.is_some_and(shows_bound_token);
        let (dpop, follow_up) = match request.proof {
            Proof::Header(value) if is_bound => (Some(String::from_utf8_lossy(value).into_owned()), None),
            Proof::FollowUp(text) if is_bound => (None, Some(text.to_owned())),
            Proof::Nothing | Proof::Header(_) | Proof::FollowUp(_) => (None, None),
        };
        let scheme = self.public_origin.split("://").next().map(str::to_owned);
        Ok(CheckedRequest {
            method: request.method.to_ascii_lowercase(),
            resource,
            host: self.origin.host.clone(),
            port: self.origin.port,
            authorization,
            source_ip: request.source_ip.map(str::to_owned),
            dpop,
            follow_up,
            scheme: scheme.filter(|_| is_bound),
        })
    }
}
