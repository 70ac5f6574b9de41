use crate::{Credentials, Environment, Error, Retry, edge, target, tls};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_credentials::{payload, sign};
use falconer_wire::urls;
use http::{Method, header};
use reqwest::Url;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

/// An answer beyond this is refused instead of kept in memory.
const LARGEST_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Of a refusal no more than this is read where an answer was to go on.
const LARGEST_REFUSAL_BYTES: usize = 1024 * 1024;

/// A connection with one deployment. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    root_url: Arc<str>,
    credentials: Option<Arc<Credentials>>,
    authorized_scopes: Option<Arc<[String]>>,
    retry: Retry,
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
        let mut http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config().map_err(|error| Error::Settings(format!("TLS can't be set up: {error}")))?)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("falconer-client/", env!("CARGO_PKG_VERSION")));
        if target::is_loopback(&root) {
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| Error::Settings(format!("the HTTP client cannot start: {error}")))?;
        Ok(Client {
            http,
            root_url: root_url.trim_end_matches('/').into(),
            credentials: None,
            authorized_scopes: None,
            retry: Retry::default(),
        })
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

    /// Other tries, waits and timeouts.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Client {
        self.retry = retry;
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
        let answer = self.send(&call.method, &url, body.as_deref()).await?;
        let text = if answer.is_empty() { b"null".as_slice() } else { &answer };
        serde_json::from_slice(text).map_err(|error| Error::Answer { host: target::shown(&url), detail: error.to_string() })
    }

    /// Signs and sends any http(s) URL, such as a third-party service's, with an optional JSON body; the bytes of a 2xx answer.
    /// 5xx answers and network failures are tried again.
    pub async fn fetch(&self, method: &Method, url: &str, body: Option<&[u8]>) -> Result<Vec<u8>, Error> {
        self.send(method, &target::parse(url).map_err(Error::Request)?, body).await
    }

    /// The value of an Authorization header for a request that the caller sends; `None` without credentials. `payload` = content type and
    /// body, when these are to be signed too.
    pub fn authorization(&self, method: &Method, url: &str, payload: Option<(&str, &[u8])>) -> Result<Option<String>, Error> {
        self.sign(method, &target::parse(url).map_err(Error::Request)?, payload)
    }

    /// The URL with a signature in it that works for `seconds`, GET only, for anybody who has it. Errors: [`Error::Request`] without credentials.
    pub fn signed_url(&self, url: &str, seconds: u32) -> Result<String, Error> {
        let Some(credentials) = &self.credentials else {
            return Err(Error::Request("a signed URL needs credentials".to_owned()));
        };
        let mut url = target::parse(url).map_err(Error::Request)?;
        url.set_fragment(None);
        let at = target::Target::of(&url);
        let ext = sign::ext(credentials.certificate(), self.authorized_scopes.as_deref());
        let expires_seconds = edge::now_ms() / 1000 + i64::from(seconds);
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

    fn sign(&self, method: &Method, url: &Url, payload: Option<(&str, &[u8])>) -> Result<Option<String>, Error> {
        let Some(credentials) = &self.credentials else {
            return Ok(None);
        };
        let at = target::Target::of(url);
        let ext = sign::ext(credentials.certificate(), self.authorized_scopes.as_deref());
        let hash = payload.map(|(content_type, bytes)| payload::hash(content_type, bytes));
        let nonce = URL_SAFE_NO_PAD.encode(edge::random::<9>()?);
        let request = sign::Request {
            method: method.as_str(),
            resource: at.resource,
            host: at.host,
            port: at.port,
            ts_seconds: edge::now_ms() / 1000,
            nonce: &nonce,
            hash: hash.as_deref(),
            ext: ext.as_deref(),
            app: None,
            dlg: None,
        };
        Ok(Some(sign::header(credentials.client_id(), credentials.access_token(), &request)))
    }

    async fn send(&self, method: &Method, url: &Url, body: Option<&[u8]>) -> Result<Vec<u8>, Error> {
        let mut tried = 0;
        loop {
            tried += 1;
            let error = match self.try_once(method, url, body).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let again = matches!(error, Error::Network { .. }) || error.status().is_some_and(|status| status >= 500);
            if !again || tried >= self.retry.tries {
                return Err(error);
            }
            tokio::time::sleep(self.retry.delay(tried, edge::random()?)).await;
        }
    }

    /// Sends a request without a body and gives the answer before its body is read. `patience` counts to the head of the answer.
    pub(crate) async fn open(
        &self,
        method: &Method,
        url: &Url,
        headers: http::HeaderMap,
        patience: std::time::Duration,
    ) -> Result<reqwest::Response, Error> {
        let mut request = self.http.request(method.clone(), url.clone()).headers(headers);
        if let Some(signature) = self.sign(method, url, None)? {
            request = request.header(header::AUTHORIZATION, signature);
        }
        let network = |detail: String| Error::Network { host: target::shown(url), detail };
        let answer = tokio::time::timeout(patience, request.send()).await.map_err(|_| network("no answer in time".to_owned()))?;
        let mut answer = answer.map_err(|error| network(innermost(&error)))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let mut bytes = Vec::new();
        while bytes.len() < LARGEST_REFUSAL_BYTES {
            match tokio::time::timeout(patience, answer.chunk()).await {
                Ok(Ok(Some(chunk))) => bytes.extend_from_slice(&chunk),
                _ => break,
            }
        }
        Err(Error::from_answer(status.as_u16(), &bytes))
    }

    async fn try_once(&self, method: &Method, url: &Url, body: Option<&[u8]>) -> Result<Vec<u8>, Error> {
        const JSON: &str = "application/json";
        let mut request = self.http.request(method.clone(), url.clone()).timeout(self.retry.timeout);
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, JSON).body(body.to_vec());
        }
        // Signed anew for each try: the time is part of it, and some servers remember nonces.
        if let Some(signature) = self.sign(method, url, body.map(|body| (JSON, body)))? {
            request = request.header(header::AUTHORIZATION, signature);
        }
        let network = |error: reqwest::Error| Error::Network { host: target::shown(url), detail: innermost(&error) };
        let mut answer = request.send().await.map_err(network)?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(network)? {
            if bytes.len() + chunk.len() > LARGEST_ANSWER_BYTES {
                return Err(Error::Answer { host: target::shown(url), detail: format!("it is larger than {LARGEST_ANSWER_BYTES} bytes") });
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() { Ok(bytes) } else { Err(Error::from_answer(status.as_u16(), &bytes)) }
    }
}

/// reqwest's own text names the URL with its query; the cause at the bottom (`connection refused`) is what a person needs.
pub(crate) fn innermost(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
