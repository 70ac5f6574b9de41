use crate::caller::Caller;
use crate::layer::Require;
use crate::payload;
use crate::refusal::Refusal;
use axum::extract::{ConnectInfo, FromRequestParts, OriginalUri, RawPathParams, Request};
use falconer_client::{Client, Error, Retry};
use falconer_scopes::{Params, ScopeSet, Template, TemplateError};
use falconer_wire::{AuthenticateHawkRequest, AuthenticateHawkResponse};
use http::header;
use http::request::Parts;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const DEFAULT_BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// Why a guard or a requirement cannot be set up: the operator's or the author's to repair.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The public origin is not one, such as `https://notes.example.com`.
    #[error("the public origin of this service is not an origin: `{0}` (expected, for example, https://notes.example.com)")]
    PublicOrigin(String),
    /// Falconer's root URL cannot be used.
    #[error("Falconer's root URL cannot be used: {0}")]
    RootUrl(String),
    /// The scope expression of a route is not one.
    #[error("the scope expression of a route cannot be used: {0}")]
    Expression(#[from] TemplateError),
}

/// Verifies requests for one service. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard {
    client: Client,
    host: Arc<str>,
    port: u16,
    body_limit_bytes: usize,
    payload_hash_required: bool,
}

impl Guard {
    /// `falconer_root_url` such as `https://auth.example.com`; `public_origin` is the origin that callers use for this service, such as
    /// `https://notes.example.com`: what they signed is compared with it, never with the Host header.
    pub fn new(falconer_root_url: &str, public_origin: &str) -> Result<Guard, SettingsError> {
        let (host, port) = host_and_port(public_origin).ok_or_else(|| SettingsError::PublicOrigin(public_origin.to_owned()))?;
        // A caller waits while we ask: one more try for a connection that broke, and an end after five seconds.
        let retry = Retry { tries: 2, first_delay: Duration::from_millis(50), timeout: Duration::from_secs(5), ..Retry::default() };
        let client = Client::new(falconer_root_url).map_err(|error| SettingsError::RootUrl(error.to_string()))?.with_retry(retry);
        Ok(Guard { client, host: host.into(), port, body_limit_bytes: DEFAULT_BODY_LIMIT_BYTES, payload_hash_required: false })
    }

    /// Largest body that is read to compare its hash; beyond: 413. Default 1 MiB. Bodies without a signed hash are not read.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: usize) -> Guard {
        self.body_limit_bytes = bytes;
        self
    }

    /// Refuses bodies whose hash was not signed, so that nobody between caller and service can change them.
    #[must_use]
    pub fn with_payload_hash_required(mut self) -> Guard {
        self.payload_hash_required = true;
        self
    }

    /// Other tries, waits and timeouts for the question to Falconer. Default: two tries of 5 s at most.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Guard {
        self.client = self.client.with_retry(retry);
        self
    }

    /// A layer for routes that need these scopes: a scope such as `notes:read:<book>`, or `{"AllOf": [..]}`, `{"AnyOf": [..]}`.
    /// `<name>` is the path parameter `{name}` of the route, so mount it with `route_layer`, on a method router or a router.
    pub fn require(&self, expression: impl Into<Value>) -> Result<Require, SettingsError> {
        Ok(Require::new(self.clone(), Some(Template::parse(&expression.into())?)))
    }

    /// A layer for routes that decide by themselves: the handler gets a [`Caller`], with what everybody may do if there were no credentials.
    /// Bad credentials are refused all the same.
    #[must_use]
    pub fn identify(&self) -> Require {
        Require::new(self.clone(), None)
    }

    /// Verifies a request and puts a [`Caller`] into it.
    pub(crate) async fn admit(&self, request: Request, required: Option<&Template>) -> Result<Request, Refusal> {
        let (mut parts, body) = request.into_parts();
        let question = self.question(&parts)?;
        let answer = self.client.authenticate_hawk(&question).await.map_err(|error| not_answered(&error))?;
        let (caller, hash) = match answer {
            AuthenticateHawkResponse::Success { expires, scopes, client_id, hash, identity, .. } => {
                (Caller { client_id: Some(client_id), scopes: ScopeSet::new(scopes), expires, identity }, hash)
            }
            AuthenticateHawkResponse::NoAuth { expires, scopes, .. } => {
                (Caller { client_id: None, scopes: ScopeSet::new(scopes), expires, identity: None }, None)
            }
            AuthenticateHawkResponse::Failed { message } => {
                return Err(Refusal::authentication_failed(message));
            }
        };
        if let Some(template) = required {
            let params = path_params(&mut parts).await?;
            let expression = template.render(&params).map_err(|error| {
                tracing::error!(%error, path = parts.uri.path(), "the scope expression of this route does not fit its path parameters");
                Refusal::internal()
            })?;
            if let Some(expression) = expression
                && let Some(missing) = expression.missing(&caller.scopes)
            {
                return Err(Refusal::insufficient_scopes(caller.client_id(), &missing, &expression));
            }
        }
        let signed = caller.client_id.is_some();
        let body = match hash {
            Some(hash) => payload::verified(&parts.headers, body, &hash, self.body_limit_bytes).await?,
            None if signed && self.payload_hash_required => payload::empty_only(body)?,
            None => body,
        };
        parts.extensions.insert(caller);
        Ok(Request::from_parts(parts, body))
    }

    fn question(&self, parts: &Parts) -> Result<AuthenticateHawkRequest, Refusal> {
        // A nested router sees a shortened path; what was signed is the original one.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let resource = uri.path_and_query().map_or("/", |resource| resource.as_str()).to_owned();
        let authorization = match parts.headers.get(header::AUTHORIZATION) {
            Some(value) if value.is_empty() => None,
            Some(value) => Some(
                value.to_str().map_err(|_| Refusal::authentication_failed("Bad Request: Invalid header syntax".to_owned()))?.to_owned(),
            ),
            None => None,
        };
        if authorization.is_some() && (resource.contains("?bewit=") || resource.contains("&bewit=")) {
            return Err(Refusal::authentication_failed(
                "Cannot use two authentication schemes at once this request has both bewit in querystring and 'authorization' header"
                    .to_owned(),
            ));
        }
        Ok(AuthenticateHawkRequest {
            method: parts.method.as_str().to_ascii_lowercase(),
            resource,
            host: self.host.to_string(),
            port: self.port,
            authorization,
            source_ip: parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|address| address.0.ip().to_string()),
        })
    }
}

async fn path_params(parts: &mut Parts) -> Result<Params, Refusal> {
    use axum::extract::rejection::RawPathParamsRejection;
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(params) => Ok(params.iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect()),
        Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => Err(Refusal::bad_request("A path parameter is not UTF-8".to_owned())),
        Err(_) => Ok(Params::new()),
    }
}

/// Falconer said nothing, or no to the question itself. The latter is the caller's fault only where the question repeats what the caller sent.
fn not_answered(error: &Error) -> Refusal {
    match error {
        Error::Api { status: 400 | 413 | 414 | 431, message, .. } => {
            Refusal::bad_request(format!("The request cannot be verified: {}", message.trim()))
        }
        error => {
            tracing::warn!(%error, "Falconer cannot verify a request");
            Refusal::unavailable()
        }
    }
}

/// Host (IPv6 in brackets) and port of an origin; `None` if the text is anything more or less.
fn host_and_port(origin: &str) -> Option<(String, u16)> {
    let uri: http::Uri = origin.parse().ok()?;
    let port = match uri.scheme_str()? {
        "https" => 443,
        "http" => 80,
        _ => return None,
    };
    let authority = uri.authority()?;
    if authority.as_str().contains('@') || authority.host().is_empty() || uri.path() != "/" || uri.query().is_some() {
        return None;
    }
    let host = authority.host().to_ascii_lowercase();
    let after_host = authority.as_str().get(host.len()..)?;
    if after_host.is_empty() {
        return Some((host, port));
    }
    Some((host, after_host.strip_prefix(':')?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for (origin, host, port) in [
            ("https://notes.example.com", "notes.example.com", 443),
            ("http://Notes.Example.com/", "notes.example.com", 80),
            ("http://127.0.0.1:8081", "127.0.0.1", 8081),
            ("http://[::1]:8081", "[::1]", 8081),
        ] {
            assert_eq!(host_and_port(origin), Some((host.to_owned(), port)), "{origin}");
        }
        for wrong in
            ["", "notes.example.com", "ftp://a", "https://a/b", "https://a?b", "https://u@a", "https://a:b", "https://a:70000", "//a", "/a"]
        {
            assert_eq!(host_and_port(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        assert!(Guard::new("https://auth.example", "notes").unwrap_err().to_string().contains("`notes`"));
        assert!(Guard::new("auth", "https://notes.example").unwrap_err().to_string().contains("`auth`"));
        let guard = Guard::new("https://auth.example", "https://notes.example").unwrap();
        assert!(guard.require("notes:read:<book>").is_ok());
        assert!(guard.require(7).is_err());
    }
}
