use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, header};
use reqwest::Url;

use crate::connection::{Retry, signed_payload, target};
use crate::{Client, Error, system};

/// An answer beyond this is refused instead of kept in memory.
const LARGEST_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// Of a refusal no more than this is read where an answer was to go on.
pub(super) const LARGEST_REFUSAL_BYTES: usize = 1024 * 1024;

impl Client {
    /// Sends until there is an answer that another try would not change.
    pub(crate) async fn send(&self, method: &Method, url: &Url, body: Option<&[u8]>, retry: Retry) -> Result<Vec<u8>, Error> {
        let mut tried = 0;
        let mut clock_learned = false;
        loop {
            let error = match self.try_once(method, url, body).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if error.status() == Some(401) && !clock_learned && self.learn_clock().await {
                clock_learned = true;
                continue;
            }
            tried += 1;
            if tried >= retry.tries || !retry.repeats(method, &error) {
                return Err(error);
            }
            tokio::time::sleep(retry.delay(tried, system::random()?)).await;
        }
    }

    /// Sends a request without a body and gives the answer before its body is read. `patience` counts to the head of the answer.
    pub(crate) async fn open(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        patience: Duration,
    ) -> Result<reqwest::Response, Error> {
        match self.open_once(method, url, headers, patience).await {
            Err(error) if error.status() == Some(401) && self.learn_clock().await => self.open_once(method, url, headers, patience).await,
            answer => answer,
        }
    }

    async fn open_once(&self, method: &Method, url: &Url, headers: &HeaderMap, patience: Duration) -> Result<reqwest::Response, Error> {
        let mut request = self.http.to(url)?.request(method.clone(), url.clone()).headers(headers.clone());
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if let Some(signature) = self.sign(method, url, signed_payload(method, content_type.unwrap_or_default(), b""))? {
            request = request.header(header::AUTHORIZATION, signature);
        }
        let answer = tokio::time::timeout(patience, request.send()).await.map_err(|_| Error::silent(url))?;
        let mut answer = answer.map_err(|error| Error::network(url, error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let headers = answer.headers().clone();
        let mut bytes = Vec::new();
        while bytes.len() < LARGEST_REFUSAL_BYTES {
            match tokio::time::timeout(patience, answer.chunk()).await {
                Ok(Ok(Some(chunk))) => bytes.extend_from_slice(&chunk),
                _ => break,
            }
        }
        Err(Error::from_answer(url, status.as_u16(), &headers, &bytes))
    }

    async fn try_once(&self, method: &Method, url: &Url, body: Option<&[u8]>) -> Result<Vec<u8>, Error> {
        const JSON: &str = "application/json";
        let mut request = self.http.to(url)?.request(method.clone(), url.clone()).timeout(self.retry.timeout);
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, JSON).body(body.to_vec());
        }
        if let Some(traceparent) = &self.traceparent {
            request = request.header("traceparent", traceparent);
        }
        // Signed anew for each try: the time is part of it, and some servers remember nonces.
        let payload = signed_payload(method, if body.is_some() { JSON } else { "" }, body.unwrap_or_default());
        if let Some(signature) = self.sign(method, url, payload)? {
            request = request.header(header::AUTHORIZATION, signature);
        }
        let mut answer = request.send().await.map_err(|error| Error::network(url, error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| Error::network(url, error))? {
            if bytes.len() + chunk.len() > LARGEST_ANSWER_BYTES {
                return Err(Error::Answer {
                    host: target::shown(url),
                    detail: format!("it is larger than {LARGEST_ANSWER_BYTES} bytes"),
                    source: None,
                });
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() { Ok(bytes) } else { Err(Error::from_answer(url, status.as_u16(), &headers, &bytes)) }
    }

    /// Asks the root URL for its time, if calls are signed. `true` if it is another than was thought, so that signing again may help. Only
    /// Falconer is believed: another server could collect signatures for later.
    ///
    /// For whoever sends requests that [`authorization`](Client::authorization) signed: after a 401, and before signing once more.
    pub async fn learn_clock(&self) -> bool {
        if self.credentials().is_none() || !self.asks_for_time || !self.clock.may_ask() {
            return false;
        }
        let Ok(url) = Url::parse(&falconer_wire::urls::api(self.root_url(), "auth", "v1", "/ping")) else { return false };
        let Ok(http) = self.http.to(&url) else { return false };
        let Ok(answer) = http.get(url).timeout(self.retry.timeout).send().await else { return false };
        let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        answer.status() == StatusCode::OK && date.is_some_and(|date| self.clock.learn(date))
    }
}
