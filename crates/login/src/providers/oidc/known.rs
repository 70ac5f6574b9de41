//! What is remembered of a provider between sign-ins: what it says of itself, and its keys. Whoever needs them while they are read waits for that one
//! reading; a provider that did not answer is left alone for a moment.

use std::sync::Arc;

use falconer_auth::{HOUR_MS, MINUTE_MS};
use tokio::sync::Mutex;
use url::Url;

use super::discovery::Discovery;
use super::keys::Keys;
use super::settings::Issuer;
use crate::providers::error::{Fault, ProviderError};
use crate::providers::http::{ProviderAnswer, ProviderHttp, ProviderRequest};

/// So long what was read counts.
const FRESH_MS: i64 = HOUR_MS;
/// Keys are read again at most so often, whatever key ids tokens name.
const BETWEEN_READINGS_MS: i64 = MINUTE_MS;
/// A provider that did not answer is not asked again before.
const AFTER_FAILURE_MS: i64 = 5000;

/// The memory of one provider.
#[derive(Default)]
pub(crate) struct Known(Mutex<State>);

#[derive(Default)]
struct State {
    discovery: Option<(Arc<Discovery>, i64)>,
    keys: Option<(Arc<Keys>, i64)>,
    failed: Option<(ProviderError, i64)>,
}

impl State {
    fn check(&self, now_ms: i64) -> Result<(), ProviderError> {
        match &self.failed {
            Some((error, at_ms)) if is_recent(*at_ms, now_ms, AFTER_FAILURE_MS) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    fn note<T>(&mut self, read: Result<T, ProviderError>, now_ms: i64) -> Result<T, ProviderError> {
        self.failed = read.as_ref().err().map(|error| (error.clone(), now_ms));
        read
    }
}

impl Known {
    /// What the provider says of itself.
    pub(crate) async fn discovery(&self, http: &dyn ProviderHttp, issuer: &Issuer, now_ms: i64) -> Result<Arc<Discovery>, ProviderError> {
        let mut state = self.0.lock().await;
        if let Some((discovery, at_ms)) = &state.discovery
            && is_recent(*at_ms, now_ms, FRESH_MS)
        {
            return Ok(Arc::clone(discovery));
        }
        state.check(now_ms)?;
        let read = read_discovery(http, issuer).await;
        let discovery = Arc::new(state.note(read, now_ms)?);
        state.discovery = Some((Arc::clone(&discovery), now_ms));
        Ok(discovery)
    }

    /// The provider's keys.
    pub(crate) async fn keys(&self, http: &dyn ProviderHttp, issuer: &Issuer, url: &Url, now_ms: i64) -> Result<Arc<Keys>, ProviderError> {
        self.keys_within(http, issuer, url, now_ms, FRESH_MS).await
    }

    /// The keys, read again unless that was done a moment ago: a token names one that is not among them.
    pub(crate) async fn newer_keys(
        &self,
        http: &dyn ProviderHttp,
        issuer: &Issuer,
        url: &Url,
        now_ms: i64,
    ) -> Result<Arc<Keys>, ProviderError> {
        self.keys_within(http, issuer, url, now_ms, BETWEEN_READINGS_MS).await
    }

    async fn keys_within(
        &self,
        http: &dyn ProviderHttp,
        issuer: &Issuer,
        url: &Url,
        now_ms: i64,
        age_ms: i64,
    ) -> Result<Arc<Keys>, ProviderError> {
        let mut state = self.0.lock().await;
        if let Some((keys, at_ms)) = &state.keys
            && is_recent(*at_ms, now_ms, age_ms)
        {
            return Ok(Arc::clone(keys));
        }
        state.check(now_ms)?;
        let read = read_keys(http, issuer, url).await;
        let keys = Arc::new(state.note(read, now_ms)?);
        state.keys = Some((Arc::clone(&keys), now_ms));
        Ok(keys)
    }
}

fn is_recent(at_ms: i64, now_ms: i64, within_ms: i64) -> bool {
    // A clock that went back makes nothing recent.
    (0..within_ms).contains(&now_ms.saturating_sub(at_ms))
}

async fn read_discovery(http: &dyn ProviderHttp, issuer: &Issuer) -> Result<Discovery, ProviderError> {
    let url = issuer.discovery_url().ok_or(ProviderError::Malformed { what: "issuer", why: "it is no URL".to_owned() })?;
    let answer = ask(http, "discovery document", issuer, url, None).await?;
    Discovery::read(&answer.body, issuer)
}

async fn read_keys(http: &dyn ProviderHttp, issuer: &Issuer, url: &Url) -> Result<Keys, ProviderError> {
    let answer = ask(http, "set of keys", issuer, url.clone(), None).await?;
    Keys::read(&answer.body)
}

/// Reads a document that has to be there.
pub(crate) async fn ask(
    http: &dyn ProviderHttp,
    what: &'static str,
    issuer: &Issuer,
    url: Url,
    authorization: Option<zeroize::Zeroizing<String>>,
) -> Result<ProviderAnswer, ProviderError> {
    let allowed_addresses = issuer.allowed_addresses(&url);
    let sent = http.send(ProviderRequest { authorization, ..ProviderRequest::new(url, allowed_addresses) }).await;
    let answer = sent.map_err(|error| ProviderError::Http { what, error })?;
    if answer.status == 200 { Ok(answer) } else { Err(ProviderError::Status { what, status: answer.status }) }
}

impl ProviderError {
    /// Whether the provider may have another key by now.
    pub(crate) fn calls_for_newer_keys(&self) -> bool {
        matches!(self, ProviderError::UnknownKey(_)) && self.fault() == Fault::Provider
    }
}
