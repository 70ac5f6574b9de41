use crate::connection::{Clock, Connections, Origin, Retry, target};
use crate::{Credentials, Environment, Error, system};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_credentials::{payload, sign};
use falconer_wire::urls;
use http::{HeaderValue, Method};
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// A connection with one deployment. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) http: Connections,
    root_url: Arc<str>,
    credentials: Option<Arc<Credentials>>,
    authorized_scopes: Option<Arc<[String]>>,
    pub(crate) retry: Retry,
    pub(crate) clock: Arc<Clock>,
    pub(crate) asks_for_time: bool,
    pub(crate) traceparent: Option<HeaderValue>,
}

/// One call of an API method.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// HTTP method.
    pub method: Method,
    /// Such as `auth`.
    pub service: &'a str,
    /// Such as `v1`.
    pub version: &'a str,
    /// Such as `/clients/a%2Fb`: segments made with [`encode_segment`](crate::encode_segment).
    pub route: String,
    /// Query parameters, not yet encoded.
    pub query: Vec<(&'a str, String)>,
}

impl Client {
    /// Without credentials, for `root_url` such as `https://auth.example.com`. Errors: [`Error::Settings`], if it is not an http(s) URL.
    pub fn new(root_url: &str) -> Result<Client, Error> {
        let root = target::parse(root_url).map_err(Error::Settings)?;
        Ok(Client {
            http: Connections::new(&root)?,
            root_url: root_url.trim_end_matches('/').into(),
            credentials: None,
            authorized_scopes: None,
            retry: Retry::default(),
            clock: Arc::default(),
            asks_for_time: true,
            traceparent: None,
        })
    }

    /// Whether [`Client::new`] would take this root URL; nothing is made or read. Errors: [`Error::Settings`].
    pub fn check_root_url(root_url: &str) -> Result<(), Error> {
        target::parse(root_url).map(drop).map_err(Error::Settings)
    }

    /// From the environment variables of [`Environment`]. Errors: [`Error::Settings`], with the variable that is missing or wrong.
    pub fn from_env() -> Result<Client, Error> {
        let environment = Environment::read()?;
        let root_url = environment.root_url.ok_or_else(|| Error::Settings("TASKCLUSTER_ROOT_URL is not set".to_owned()))?;
        let client = Client::new(&root_url)?;
        Ok(match environment.credentials {
            Some(credentials) => client.with_credentials(credentials),
            None => client,
        })
    }

    /// The same with connections of its own, which its clones share. A connection is served by the runtime that opened it: a program with a runtime on each
    /// thread gives each of them such a client, so that no call wakes another thread. Errors: [`Error::Settings`].
    pub fn with_own_connections(mut self) -> Result<Client, Error> {
        self.http = Connections::new(&target::parse(&self.root_url).map_err(Error::Settings)?)?;
        Ok(self)
    }

    /// Signs every call with these.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Client {
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// Restricts every call to these scopes. An empty list leaves what everybody may do.
    #[must_use]
    pub fn with_authorized_scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Client {
        self.authorized_scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Believes this computer's clock only, and asks nobody for the time: for a client that was made for a URL of which nobody says that Falconer is there.
    #[must_use]
    pub fn without_learned_time(mut self) -> Client {
        self.asks_for_time = false;
        self
    }

    /// Other tries, waits and timeouts.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Client {
        self.retry = retry;
        self
    }

    /// Makes every call a part of a trace: `traceparent` is the header of the request that the caller answers (W3C Trace Context), or of a span of its own. Of several
    /// headers none counts, and one that is not of the form is not sent.
    #[must_use]
    pub fn within_trace<'h>(mut self, traceparent: impl IntoIterator<Item = &'h [u8]>) -> Client {
        let mut given = traceparent.into_iter();
        let only = given.next().filter(|text| given.next().is_none() && is_traceparent(text));
        self.traceparent = only.and_then(|text| HeaderValue::from_bytes(text).ok());
        self
    }

    /// Root URL without slashes at its end.
    #[must_use]
    pub fn root_url(&self) -> &str {
        &self.root_url
    }

    /// What calls are signed with.
    #[must_use]
    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_deref()
    }

    /// The URL of a call. Errors: [`Error::Request`], if it is none.
    pub fn url(&self, call: &Call<'_>) -> Result<String, Error> {
        let mut url = urls::api(&self.root_url, call.service, call.version, &call.route);
        for (number, (name, value)) in call.query.iter().enumerate() {
            url.push(if number == 0 { '?' } else { '&' });
            url.push_str(&urls::encode_segment(name));
            url.push('=');
            url.push_str(&urls::encode_segment(value));
        }
        Ok(url)
    }

    /// Makes a call, with a JSON body if there is one, and reads the JSON answer; `Null` for an answer without a body.
    pub async fn call(&self, call: &Call<'_>, body: Option<&Value>) -> Result<Value, Error> {
        self.call_as(call, body).await
    }

    /// The same with typed body and answer. An answer without a body reads as JSON `null`, which `()` and `Option` accept.
    pub async fn call_as<B: Serialize + ?Sized, T: DeserializeOwned>(&self, call: &Call<'_>, body: Option<&B>) -> Result<T, Error> {
        let url = target::parse(&self.url(call)?).map_err(Error::Request)?;
        let body = body.map(serde_json::to_vec).transpose().map_err(|error| Error::Request(format!("the body is not JSON: {error}")))?;
        // Falconer's own POSTs may be made again: at the second time they change nothing, or give what is newest.
        let retry = Retry { posts: self.retry.posts || matches!(call.service, "auth" | "falconer"), ..self.retry };
        let answer = self.send(&call.method, &url, body.as_deref(), retry).await?;
        let text = if answer.is_empty() { b"null".as_slice() } else { &answer };
        serde_json::from_slice(text).map_err(|error| Error::answer(&url, error))
    }

    /// Signs and sends a request to any http(s) URL, such as a third-party service's. A JSON body is signed too. Answers the bytes of a 2xx answer. [`Retry`] says
    /// what is tried again.
    pub async fn fetch(&self, method: &Method, url: &str, body: Option<&[u8]>) -> Result<Vec<u8>, Error> {
        self.send(method, &target::parse(url).map_err(Error::Request)?, body, self.retry).await
    }

    /// The value of an Authorization header, for a request that the caller sends itself. `None`: there are no credentials. `payload` is the content type and the
    /// body, where these are signed too.
    pub fn authorization(&self, method: &Method, url: &str, payload: Option<(&str, &[u8])>) -> Result<Option<String>, Error> {
        self.sign(method, &target::parse(url).map_err(Error::Request)?, payload)
    }

    /// The same for a request that somebody else has made, to a service of this origin: `resource` is its path and query, exactly as they will be compared.
    pub fn authorization_at(&self, method: &Method, origin: &Origin, resource: &str) -> Result<Option<String>, Error> {
        self.sign_target(method, &target::Target { resource, host: &origin.host, port: origin.port }, None)
    }

    /// The URL with a signature in it. It works for `seconds`, for GET only, and for anybody who has it. Errors: [`Error::Request`] without credentials.
    pub fn signed_url(&self, url: &str, seconds: u32) -> Result<String, Error> {
        let Some(credentials) = &self.credentials else {
            return Err(Error::Request("a signed URL needs credentials".to_owned()));
        };
        let mut url = target::parse(url).map_err(Error::Request)?;
        url.set_fragment(None);
        let at = target::Target::of(&url);
        let ext = sign::ext(credentials.certificate(), self.authorized_scopes.as_deref());
        let expires_seconds = self.clock.now_ms() / 1000 + i64::from(seconds);
        let bewit = sign::bewit(
            credentials.client_id(),
            credentials.access_token(),
            at.resource,
            at.host,
            at.port,
            expires_seconds,
            ext.as_deref(),
        );
        let separator = if at.resource.contains('?') { '&' } else { '?' };
        Ok(format!("{url}{separator}bewit={bewit}"))
    }

    pub(crate) fn sign(&self, method: &Method, url: &Url, payload: Option<(&str, &[u8])>) -> Result<Option<String>, Error> {
        self.sign_target(method, &target::Target::of(url), payload)
    }

    fn sign_target(&self, method: &Method, at: &target::Target<'_>, payload: Option<(&str, &[u8])>) -> Result<Option<String>, Error> {
        let Some(credentials) = &self.credentials else {
            return Ok(None);
        };
        let ext = sign::ext(credentials.certificate(), self.authorized_scopes.as_deref());
        let hash = payload.map(|(content_type, bytes)| payload::hash(content_type, bytes));
        let nonce = URL_SAFE_NO_PAD.encode(system::random::<9>()?);
        let request = sign::Request {
            method: method.as_str(),
            resource: at.resource,
            host: at.host,
            port: at.port,
            ts_seconds: self.clock.now_ms() / 1000,
            nonce: &nonce,
            hash: hash.as_deref(),
            ext: ext.as_deref(),
            app: None,
            dlg: None,
        };
        Ok(Some(sign::header(credentials.client_id(), credentials.access_token(), &request)))
    }
}

/// `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`: what others wrote is passed on only in this form.
fn is_traceparent(text: &[u8]) -> bool {
    let lengths = [2, 32, 16, 2];
    let parts: Vec<&[u8]> = text.splitn(5, |byte| *byte == b'-').collect();
    let is_hex = |part: &[u8]| part.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    parts.len() == lengths.len() && parts.iter().zip(lengths).all(|(part, length)| part.len() == length && is_hex(part))
}
