use std::time::Duration;

use http::HeaderMap;

use super::Crafted;
use crate::place::Place;

/// A service that takes longer is taken to hang.
const PATIENCE: Duration = Duration::from_secs(20);
/// What is read of an answer.
const LARGEST_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// How a service is spoken to.
#[derive(Clone, Debug, Default)]
pub struct Transport {
    /// Certificates in PEM that are trusted instead of the system's: those of an authority of one's own.
    pub ca_pem: Option<String>,
    /// HTTP/2 in place of HTTP/1.1: over TLS by its name there, else without being negotiated.
    pub http2: bool,
}

/// The way to one host. Each request has a connection of its own, so that none suffers from what another one did to it.
#[derive(Clone)]
pub(crate) struct Sender {
    http: reqwest::Client,
    place: Place,
}

/// What a service said.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub(crate) enum Answered {
    Answer(Answer),
    /// The service ended the connection, or said what is no HTTP.
    Closed(String),
    /// It said nothing in time.
    Silent,
    /// There is nobody.
    Unreachable(String),
    /// A URL would spell it otherwise.
    Unsendable,
}

impl Sender {
    /// To the address of a place. Errors: a sentence.
    pub fn to(place: &Place, transport: &Transport) -> Result<Sender, String> {
        let mut tls = match &transport.ca_pem {
            Some(pem) => falconer_client::tls_config_with(pem).map_err(|error| format!("the authority can't be used: {error}"))?,
            None => falconer_client::tls_config().map_err(|error| format!("TLS can't be set up: {error}"))?,
        };
        // One of them is offered: a service with both would choose HTTP/2, and the Host header, which is forged, is another one there.
        tls.alpn_protocols = vec![if transport.http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            // It would be another host.
            .no_proxy()
            .pool_max_idle_per_host(0)
            .user_agent(concat!("falconer-attack/", env!("CARGO_PKG_VERSION")));
        let http = if transport.http2 { http.http2_prior_knowledge() } else { http.http1_only() };
        let http = http.build().map_err(|error| format!("the HTTP client cannot start: {error}"))?;
        Ok(Sender { http, place: place.clone() })
    }

    /// Sends it once.
    pub async fn send(&self, request: &Crafted) -> Answered {
        let Some(url) = self.place.url(&request.resource) else { return Answered::Unsendable };
        let mut sent = self.http.request(request.method.clone(), url).headers(request.headers.clone()).timeout(PATIENCE);
        if let Some(body) = &request.body {
            sent = sent.body(body.clone());
        }
        let mut answer = match sent.send().await {
            Ok(answer) => answer,
            Err(error) => return of(&error),
        };
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let mut body = Vec::new();
        while body.len() < LARGEST_ANSWER_BYTES {
            match answer.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) if error.is_timeout() => return Answered::Silent,
                // The status was said already.
                Err(_) => break,
            }
        }
        Answered::Answer(Answer { status, headers, body })
    }

    /// The time of the host, in milliseconds since 1970, where it says it. Errors: a sentence, where nobody answers.
    pub async fn date(&self, resource: &str) -> Result<Option<i64>, String> {
        let request = Crafted { method: http::Method::GET, resource: resource.to_owned(), headers: HeaderMap::new(), body: None };
        match self.send(&request).await {
            Answered::Answer(answer) => {
                let date = answer.headers.get(http::header::DATE).and_then(|date| date.to_str().ok());
                let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
                let since = date.and_then(|date| date.duration_since(std::time::UNIX_EPOCH).ok());
                Ok(since.and_then(|since| i64::try_from(since.as_millis()).ok()))
            }
            Answered::Closed(why) | Answered::Unreachable(why) => Err(why),
            Answered::Silent => Err(format!("no answer within {} seconds", PATIENCE.as_secs())),
            Answered::Unsendable => Err(format!("{resource} can't be sent")),
        }
    }
}

fn of(error: &reqwest::Error) -> Answered {
    let mut said = error.to_string();
    let mut below: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = below {
        said = cause.to_string();
        below = cause.source();
    }
    if error.is_connect() {
        Answered::Unreachable(said)
    } else if error.is_timeout() {
        Answered::Silent
    } else {
        Answered::Closed(said)
    }
}
