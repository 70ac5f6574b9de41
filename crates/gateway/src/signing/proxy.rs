use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use falconer_client::{Client, Credentials, Error, signed_payload};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio::net::TcpListener;
use url::{Position, Url};
use zeroize::Zeroizing;

use super::body::{RequestBody, hold};
use super::caller::refuse_pages;
use super::credentials::GivenCredentials;
use super::credentials_recheck::CredentialsRecheck;
use super::destination::{Destinations, Route};
use super::outgoing::Outgoing;
use super::refused::Refused;
use crate::decide::Answer;
use crate::serve::{
    AnswerBody, Connected, IncomingBody, Limits, Service, accept, boxed, causes, remove_connection_headers, tunnel, upgrade_of, whole,
};
use crate::staying_open::over;

/// Bodies are held, so fewer connections than elsewhere.
const LIMITS: Limits = Limits { connections: 256, http2: false, per_address: None };
/// To the head of an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same where the body of the request is passed on as it comes.
const PATIENCE_WITH_STREAM: Duration = Duration::from_secs(60 * 60);
/// Bytes of the body of one of the proxy's own addresses.
const OWN_BODY_BYTES: usize = 64 * 1024;
/// How long a signed URL works, as the published proxy says.
const BEWIT_SECONDS: u32 = 60 * 60;
/// A header that names scopes is left out beyond this.
const SCOPES_BYTES: usize = 4096;

const ENDPOINT: HeaderName = HeaderName::from_static("x-taskcluster-endpoint");
const VERSION: HeaderName = HeaderName::from_static("x-taskcluster-proxy-version");
const PERMANENT: HeaderName = HeaderName::from_static("x-taskcluster-proxy-perm-clientid");
const TEMPORARY: HeaderName = HeaderName::from_static("x-taskcluster-proxy-temp-clientid");
const TEMPORARY_SCOPES: HeaderName = HeaderName::from_static("x-taskcluster-proxy-temp-scopes");
const REVISION: HeaderName = HeaderName::from_static("x-taskcluster-proxy-revision");
const AUTHORIZED: HeaderName = HeaderName::from_static("x-taskcluster-authorized-scopes");

/// How a signing proxy behaves.
#[derive(Debug)]
pub struct Settings {
    /// What requests may go to.
    pub destinations: Destinations,
    /// Each request is restricted to these; `None`: to nothing less than the credentials have.
    pub authorized_scopes: Option<Vec<String>>,
    /// Names by which it may be called, beside addresses and `localhost`.
    pub names: Vec<String>,
    /// Bodies up to this are held, and their hash is signed.
    pub body_limit_bytes: usize,
    /// Larger bodies are passed on without a signed hash, instead of being refused.
    pub stream_bodies: bool,
    /// `PUT /credentials` replaces the credentials.
    pub accept_credentials: bool,
    /// So often Falconer is asked whether the credentials of an open WebSocket still count.
    pub recheck: Duration,
    /// The commit that this was built of, for `X-Taskcluster-Proxy-Revision`.
    pub revision: String,
}

/// A signing proxy. Clones are the same one.
#[derive(Clone, Debug)]
pub struct SigningProxy(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    /// Signs. Its clock is learned from Falconer, and stays when the credentials change.
    signer: RwLock<Client>,
    outgoing: Outgoing,
    /// Asks Falconer about credentials, without any.
    asks: Client,
}

/// What answers on one listener.
#[derive(Clone)]
struct ListenerService {
    proxy: SigningProxy,
    /// Whether a browser may reach it.
    of_browsers: bool,
}

impl SigningProxy {
    /// Errors: [`Error::Settings`], if the root URL is none or TLS can't be set up.
    pub fn new(settings: Settings, credentials: Option<Credentials>) -> Result<SigningProxy, Error> {
        let asks = Client::new(settings.destinations.root_url())?;
        let mut signer = asks.clone();
        if let Some(scopes) = &settings.authorized_scopes {
            signer = signer.with_authorized_scopes(scopes.iter().cloned());
        }
        if let Some(credentials) = credentials {
            signer = signer.with_credentials(credentials);
        }
        Ok(SigningProxy(Arc::new(Inner { settings, signer: RwLock::new(signer), outgoing: Outgoing::new()?, asks })))
    }

    /// Requests from now on are signed with these. The restriction stays.
    pub fn replace(&self, credentials: Credentials) {
        let mut signer = self.0.signer.write().unwrap_or_else(PoisonError::into_inner);
        *signer = signer.clone().with_credentials(credentials);
    }

    /// Serves on an address until `shutdown`. `false`: something took too long to end, and is cut off.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> bool {
        accept(listener, ListenerService { proxy: self, of_browsers: true }, LIMITS, shutdown).await
    }

    /// The same on a unix socket, which no browser reaches, so that it does not matter which host a request names.
    #[cfg(unix)]
    pub async fn serve_socket(self, listener: tokio::net::UnixListener, shutdown: impl Future<Output = ()>) -> bool {
        accept(listener, ListenerService { proxy: self, of_browsers: false }, LIMITS, shutdown).await
    }

    fn signer(&self) -> Client {
        self.0.signer.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn answer(&self, request: Request<IncomingBody>, of_browsers: bool) -> Response<AnswerBody> {
        let (parts, body) = request.into_parts();
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let mut response = match self.handle(parts, body, of_browsers).await {
            Ok(mut response) => {
                tracing::info!(%method, path, status = response.status().as_u16(), "passed on");
                response.headers_mut().insert(VERSION, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
                response
            }
            Err(refused) => {
                let id = falconer_client::system::new_id();
                match &refused {
                    Refused::Ourselves(problem) => tracing::error!(id, %method, path, "{problem}"),
                    Refused::Unreachable { problem, .. } => tracing::warn!(id, %method, path, reason = refused.reason(), "{problem}"),
                    other => tracing::info!(id, %method, path, reason = other.reason(), "refused"),
                }
                let request = format!("{method} {path}");
                let mut answer = Answer::error(refused.status(), refused.code(), refused.reason(), &refused.message(), &id, &request);
                if let Refused::Method(allowed) = refused {
                    answer.headers.insert(header::ALLOW, HeaderValue::from_static(allowed));
                }
                answer.into_response().map(whole)
            }
        };
        if of_browsers {
            confine(response.headers_mut());
        }
        response
    }

    async fn handle(&self, parts: Parts, body: IncomingBody, of_browsers: bool) -> Result<Response<AnswerBody>, Refused> {
        refuse_pages(&parts, of_browsers.then_some(self.0.settings.names.as_slice()))?;
        match self.0.settings.destinations.route(&parts.uri)? {
            Route::To(url) => self.pass_on(parts, body, url).await,
            Route::Bewit => {
                let url = own_body(body).await?;
                let url = std::str::from_utf8(&url).map_err(|_| Refused::BadBody("The body is not a URL.".to_owned()))?;
                self.signed_url(&self.0.settings.destinations.whole(url)?)
            }
            Route::Credentials => self.credentials(&parts.method, body).await,
        }
    }

    async fn credentials(&self, method: &Method, body: IncomingBody) -> Result<Response<AnswerBody>, Refused> {
        if *method != Method::PUT {
            return Err(Refused::Method("PUT"));
        }
        if !self.0.settings.accept_credentials {
            return Err(Refused::CredentialsClosed);
        }
        let text = Zeroizing::new(Vec::from(own_body(body).await?));
        let given = GivenCredentials::parse(&text).map_err(|bad| Refused::BadBody(format!("These are no credentials: {bad}.")))?;
        tracing::info!(client_id = given.credentials.client_id(), "credentials were replaced");
        self.replace(given.credentials);
        Ok(Response::new(whole(Bytes::new())))
    }

    fn signed_url(&self, url: &Url) -> Result<Response<AnswerBody>, Refused> {
        let signer = self.signer();
        if signer.credentials().is_none() {
            return Err(Refused::NoCredentials);
        }
        let signed = signer.signed_url(url.as_str(), BEWIT_SECONDS).map_err(|error| Refused::Ourselves(error.to_string()))?;
        let location = HeaderValue::from_str(&signed).map_err(|error| Refused::Ourselves(error.to_string()))?;
        let mut response = Response::new(whole(signed.into()));
        *response.status_mut() = StatusCode::SEE_OTHER;
        response.headers_mut().insert(header::LOCATION, location);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }

    async fn pass_on(&self, mut parts: Parts, body: IncomingBody, url: Url) -> Result<Response<AnswerBody>, Refused> {
        if matches!(parts.method, Method::CONNECT | Method::TRACE) {
            return Err(Refused::Method("GET, HEAD, POST, PUT, PATCH, DELETE"));
        }
        let settings = &self.0.settings;
        let upgrade = upgrade_of(&parts.headers);
        let connected = parts.extensions.remove::<Connected>();
        let on_upgrade = parts.extensions.remove::<hyper::upgrade::OnUpgrade>().map(|on_upgrade| (on_upgrade, connected));
        let mut held_body = hold(body, settings.body_limit_bytes, settings.stream_bodies).await?;
        let headers = outgoing_headers(parts.headers, &held_body, upgrade.as_ref());
        let mut clock_learned = false;
        loop {
            // Read anew: they may have been replaced while the body came.
            let signer = self.signer();
            let patience = if matches!(held_body, RequestBody::Stream(_)) { PATIENCE_WITH_STREAM } else { PATIENCE };
            let (body, retry_body) = match held_body {
                RequestBody::None => (None, Some(RequestBody::None)),
                RequestBody::Whole(bytes) => (Some(reqwest::Body::from(bytes.clone())), Some(RequestBody::Whole(bytes))),
                RequestBody::Stream(stream) => (Some(reqwest::Body::wrap(stream)), None),
            };
            let payload = match &retry_body {
                Some(RequestBody::Whole(bytes)) => signed_payload(&parts.method, content_type(&headers), bytes),
                Some(RequestBody::None) => signed_payload(&parts.method, content_type(&headers), b""),
                Some(RequestBody::Stream(_)) | None => None,
            };
            let signature =
                signer.authorization(&parts.method, url.as_str(), payload).map_err(|error| Refused::Ourselves(error.to_string()))?;
            let signature = signature.ok_or(Refused::NoCredentials)?;
            let mut request = self.0.outgoing.to(&url, upgrade.is_some()).request(parts.method.clone(), url.clone());
            request = request.headers(headers.clone()).header(header::AUTHORIZATION, signature);
            if let Some(body) = body {
                request = request.body(body);
            }
            let answer = tokio::time::timeout(patience, request.send()).await.map_err(|_| Refused::Silent { origin: origin(&url) })?;
            let answer = answer.map_err(|error| Refused::Unreachable { origin: origin(&url), problem: causes(&error.without_url()) })?;
            if answer.status() == StatusCode::UNAUTHORIZED
                && !clock_learned
                && let Some(same) = retry_body
                && signer.learn_clock().await
            {
                (held_body, clock_learned) = (same, true);
                continue;
            }
            let over = self.over(&signer, &url);
            let mut response = give_back(answer, upgrade.as_ref(), on_upgrade, &url, over)?;
            name_signature(response.headers_mut(), &signer, settings, &url);
            return Ok(response);
        }
    }
}

impl SigningProxy {
    /// When a WebSocket has to end: with the credentials that opened it, also where others took their place.
    fn over(&self, signer: &Client, url: &Url) -> impl Future<Output = ()> + Send + 'static {
        let interval = self.0.settings.recheck;
        let expires_ms = signer.credentials().and_then(Credentials::expires_ms).unwrap_or(i64::MAX);
        let asks = CredentialsRecheck { signer: signer.clone(), asks: self.0.asks.clone(), url: url.clone() };
        async move {
            let why = over(asks, interval, expires_ms).await;
            tracing::info!(reason = why, "a WebSocket ended with its credentials");
        }
    }
}

impl<Peer: Send + 'static> Service<Peer> for ListenerService {
    async fn answer(&self, request: Request<IncomingBody>, _: Peer) -> Response<AnswerBody> {
        self.proxy.answer(request, self.of_browsers).await
    }
}

/// The answer as it came, without what belongs to its connection.
fn give_back(
    answer: reqwest::Response,
    upgrade: Option<&HeaderValue>,
    on_upgrade: Option<(hyper::upgrade::OnUpgrade, Option<Connected>)>,
    url: &Url,
    over: impl Future<Output = ()> + Send + 'static,
) -> Result<Response<AnswerBody>, Refused> {
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let (Some(protocol), Some((on_upgrade, connected))) = (upgrade, on_upgrade) else {
            let problem = "it switched to a protocol that nobody asked for".to_owned();
            return Err(Refused::Unreachable { origin: origin(url), problem });
        };
        let mut headers = answer.headers().clone();
        return Ok(tunnel(&mut headers, on_upgrade, answer.upgrade(), protocol, connected, over));
    }
    let mut response = http::Response::<reqwest::Body>::from(answer).map(boxed);
    remove_connection_headers(response.headers_mut());
    Ok(response)
}

/// Where a browser shows an answer all the same, it is a page of no origin, which nobody has as a part of another: services share the origin of the proxy.
fn confine(headers: &mut HeaderMap) {
    headers.append(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin"));
}

/// What the published proxy says of a signature.
fn name_signature(headers: &mut HeaderMap, signer: &Client, settings: &Settings, url: &Url) {
    for name in [ENDPOINT, PERMANENT, TEMPORARY, TEMPORARY_SCOPES, REVISION, AUTHORIZED] {
        headers.remove(name);
    }
    let mut name = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    name(ENDPOINT, url.as_str());
    name(REVISION, &settings.revision);
    if let Some(credentials) = signer.credentials() {
        let kind = if credentials.certificate().is_some() { TEMPORARY } else { PERMANENT };
        name(kind, credentials.client_id());
        if let Some(scopes) = credentials.certificate().and_then(scopes_of).filter(|scopes| scopes.len() <= SCOPES_BYTES) {
            name(TEMPORARY_SCOPES, &scopes);
        }
    }
    if let Some(scopes) = &settings.authorized_scopes {
        let scopes = serde_json::to_string(scopes).unwrap_or_default();
        if scopes.len() <= SCOPES_BYTES {
            name(AUTHORIZED, &scopes);
        }
    }
}

/// The scopes of a certificate, as JSON.
fn scopes_of(certificate: &str) -> Option<String> {
    let certificate: serde_json::Value = serde_json::from_str(certificate).ok()?;
    certificate.get("scopes").filter(|scopes| scopes.is_array()).map(serde_json::Value::to_string)
}

/// What goes along: all but what is of the connection, of another signature, or of the address of the proxy.
fn outgoing_headers(mut headers: HeaderMap, held: &RequestBody, upgrade: Option<&HeaderValue>) -> HeaderMap {
    remove_connection_headers(&mut headers);
    for name in [header::AUTHORIZATION, header::HOST, header::EXPECT] {
        headers.remove(name);
    }
    match held {
        // The length of what is held is known; an empty POST says that it is empty.
        RequestBody::Whole(_) => drop(headers.remove(header::CONTENT_LENGTH)),
        RequestBody::None | RequestBody::Stream(_) => {}
    }
    if let Some(protocol) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol.clone());
    }
    headers
}

async fn own_body(body: IncomingBody) -> Result<Bytes, Refused> {
    match hold(body, OWN_BODY_BYTES, false).await? {
        RequestBody::Whole(bytes) => Ok(bytes),
        RequestBody::None | RequestBody::Stream(_) => Ok(Bytes::new()),
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn origin(url: &Url) -> String {
    url[..Position::BeforePath].to_owned()
}
