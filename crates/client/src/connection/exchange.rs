use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header};

use super::send::LARGEST_REFUSAL_BYTES;
use crate::connection::{signed_payload, target};
use crate::{Client, Error, system};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request of any kind, to any http(s) URL.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Its method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// With an `Authorization` of the caller's own the request is not signed.
    pub headers: HeaderMap,
    /// JSON, unless the headers have a content type. It is signed too.
    pub body: Option<Vec<u8>>,
}

/// An answer whose body is read as it comes.
#[derive(Debug)]
pub struct Answer {
    /// Of HTTP.
    pub status: StatusCode,
    /// Of HTTP.
    pub version: Version,
    /// As they came.
    pub headers: HeaderMap,
    /// Where the status is 300 or above.
    pub refusal: Option<Refusal>,
    response: Option<reqwest::Response>,
    host: String,
}

/// The body of a refusal, and what it says.
#[derive(Debug)]
pub struct Refusal {
    /// At most a MiB of it.
    pub body: Vec<u8>,
    /// The same as an error.
    pub error: Error,
}

impl Answer {
    /// The next part of the body; `None` at its end, and of a refusal, whose body was read. Errors: [`Error::Network`], where it breaks off.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let Some(response) = &mut self.response else { return Ok(None) };
        let chunk = response.chunk().await.map_err(|error| Error::broken(&self.host, error))?;
        Ok(chunk.map(|chunk| chunk.to_vec()))
    }

    /// The whole body, of at most `most` bytes. Errors: those of the refusal, and [`Error::Answer`] where it is larger.
    pub async fn whole(mut self, most: usize) -> Result<Vec<u8>, Error> {
        if let Some(refusal) = self.refusal {
            return Err(refusal.error);
        }
        let mut whole = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if whole.len() + chunk.len() > most {
                return Err(Error::Answer { host: self.host, detail: format!("it is larger than {most} bytes"), source: None });
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(whole)
    }
}

impl Client {
    /// Sends a request until there is an answer that another try would not change ([`Retry`](crate::Retry)), signed where there are credentials. The timeout of
    /// a try counts to the head of the answer. A refusal is an answer here.
    pub async fn exchange(&self, exchange: &Exchange) -> Result<Answer, Error> {
        let (mut tried, mut clock_learned) = (0, false);
        loop {
            let answer = self.exchange_once(exchange).await;
            let error = match &answer {
                Ok(Answer { refusal: None, .. }) => return answer,
                Ok(Answer { refusal: Some(refusal), .. }) => &refusal.error,
                Err(error) => error,
            };
            let signs = !exchange.headers.contains_key(header::AUTHORIZATION);
            if signs && error.status() == Some(401) && !clock_learned && self.learn_clock().await {
                clock_learned = true;
                continue;
            }
            tried += 1;
            if tried >= self.retry.tries || !self.retry.repeats(&exchange.method, error) {
                return answer;
            }
            tokio::time::sleep(self.retry.delay(tried, system::random()?)).await;
        }
    }

    async fn exchange_once(&self, exchange: &Exchange) -> Result<Answer, Error> {
        let url = target::parse(&exchange.url).map_err(Error::Request)?;
        let mut headers = exchange.headers.clone();
        if exchange.body.is_some() {
            headers.entry(header::CONTENT_TYPE).or_insert(JSON);
        }
        let content_type = headers.get(header::CONTENT_TYPE).map_or(Ok(""), HeaderValue::to_str);
        let content_type = content_type.map_err(|_| Error::Request("the content type is not text".to_owned()))?.to_owned();
        if !headers.contains_key(header::AUTHORIZATION) {
            // Signed anew for each try: the time is part of it, and some servers remember nonces.
            let payload = signed_payload(&exchange.method, &content_type, exchange.body.as_deref().unwrap_or_default());
            if let Some(signature) = self.sign(&exchange.method, &url, payload)? {
                let signature = HeaderValue::try_from(signature);
                headers.insert(header::AUTHORIZATION, signature.map_err(|_| Error::Request("the signature is no header".to_owned()))?);
            }
        }
        let mut request = self.http.to(&url)?.request(exchange.method.clone(), url.clone()).headers(headers);
        if let Some(body) = &exchange.body {
            request = request.body(body.clone());
        }
        let response = tokio::time::timeout(self.retry.timeout, request.send()).await.map_err(|_| Error::silent(&url))?;
        let mut response = response.map_err(|error| Error::network(&url, error))?;
        let (status, version, headers) = (response.status(), response.version(), response.headers().clone());
        let host = target::shown(&url);
        if status.is_success() {
            return Ok(Answer { status, version, headers, refusal: None, response: Some(response), host });
        }
        let mut body = Vec::new();
        while body.len() < LARGEST_REFUSAL_BYTES {
            match tokio::time::timeout(self.retry.timeout, response.chunk()).await {
                Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk),
                _ => break,
            }
        }
        let error = Error::from_answer(&url, status.as_u16(), &headers, &body);
        Ok(Answer { status, version, headers, refusal: Some(Refusal { body, error }), response: None, host })
    }
}
