//! The real way out.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, header};
use url::{Host, Url};

use super::{AllowedAddresses, HttpError, ProviderAnswer, ProviderHttp, ProviderRequest, READ_HEADERS};
use crate::tls::{TlsFault, TlsProblem};

/// What a provider may take.
#[derive(Clone, Copy, Debug)]
pub struct HttpLimits {
    /// From the beginning of one request to the end of its answer. Default 8 s.
    pub total: Duration,
    /// Bytes of one answer. Default 256 KiB.
    pub bytes: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits { total: Duration::from_secs(8), bytes: 256 * 1024 }
    }
}

/// The longest header that is read, in bytes.
const LONGEST_HEADER: usize = 4096;

/// HTTP over TLS with certificates that hold; plain HTTP only where the URL says so.
pub struct WebHttp {
    public: Client,
    own: Client,
    limits: HttpLimits,
}

impl WebHttp {
    /// `tls` is what certificates are verified with.
    ///
    /// # Errors
    /// What can't be set up, in words.
    pub fn new(tls: &rustls::ClientConfig, limits: HttpLimits) -> Result<WebHttp, String> {
        let client = |allowed_addresses: AllowedAddresses| {
            Client::builder()
                .user_agent("falconer")
                .redirect(Policy::none())
                .referer(false)
                .no_proxy()
                .timeout(limits.total)
                .pool_max_idle_per_host(4)
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(FilteringResolver(allowed_addresses))
                .build()
                .map_err(|error| format!("HTTP can't be set up: {error}"))
        };
        Ok(WebHttp { public: client(AllowedAddresses::Public)?, own: client(AllowedAddresses::Own)?, limits })
    }
}

#[async_trait]
impl ProviderHttp for WebHttp {
    async fn send(&self, request: ProviderRequest) -> Result<ProviderAnswer, HttpError> {
        refuse_inside(&request.url, request.allowed_addresses)?;
        let client = match request.allowed_addresses {
            AllowedAddresses::Public => &self.public,
            AllowedAddresses::Own => &self.own,
        };
        let mut sent = match &request.form {
            Some(fields) => {
                let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
                client.post(request.url).form(&fields)
            }
            None => client.get(request.url),
        };
        sent = sent.header(header::ACCEPT, "application/json");
        if let Some(authorization) = &request.authorization {
            sent = sent.header(header::AUTHORIZATION, secret_value(authorization)?);
        }
        if let Some((name, key)) = &request.key {
            sent = sent.header(name, secret_value(key)?);
        }
        // The client's own limit begins anew with the body; this one does not.
        tokio::time::timeout(self.limits.total, read(sent, self.limits.bytes)).await.map_err(|_| HttpError::TooSlow)?
    }
}

fn secret_value(text: &str) -> Result<header::HeaderValue, HttpError> {
    let value = header::HeaderValue::from_str(text);
    let mut value = value.map_err(|_| HttpError::Unreachable("a credential that no header can hold".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

fn kept_headers(headers: &header::HeaderMap) -> Vec<(&'static str, String)> {
    let kept = READ_HEADERS.into_iter().map(|name| {
        let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        (name, values.join(", "))
    });
    // A longer one is none: half of it would say something else.
    kept.filter(|(_, value)| (1..=LONGEST_HEADER).contains(&value.len())).collect()
}

async fn read(request: reqwest::RequestBuilder, most: usize) -> Result<ProviderAnswer, HttpError> {
    let mut answer = request.send().await.map_err(error)?;
    let status = answer.status();
    if status.is_redirection() {
        return Err(HttpError::Redirected);
    }
    let content_type = answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let headers = kept_headers(answer.headers());
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(error)? {
        if body.len() + chunk.len() > most {
            return Err(HttpError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(ProviderAnswer { status: status.as_u16(), content_type, headers, body })
}

/// The reason below the library's own words, without the URL, which may hold a code.
fn error(error: reqwest::Error) -> HttpError {
    if error.is_timeout() {
        return HttpError::TooSlow;
    }
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    loop {
        if let Some(inside) = cause.downcast_ref::<InsideHost>() {
            return HttpError::Inside(inside.0.clone());
        }
        match cause.source() {
            Some(below) => cause = below,
            None => {
                let text = cause.to_string();
                return match TlsFault::below(&error) {
                    Some(fault) => HttpError::Tls(TlsProblem { fault, text }),
                    None => HttpError::Unreachable(text),
                };
            }
        }
    }
}

/// A host that is written as an address never comes to the resolver.
fn refuse_inside(url: &Url, allowed_addresses: AllowedAddresses) -> Result<(), HttpError> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        _ => return Ok(()),
    };
    if allowed_addresses.allows(address) { Ok(()) } else { Err(HttpError::Inside(address.to_string())) }
}

/// The system's resolver, without the addresses that do not count.
struct FilteringResolver(AllowedAddresses);

#[derive(Debug, thiserror::Error)]
#[error("the host {0:?} has an address inside of this network")]
struct InsideHost(String);

impl Resolve for FilteringResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed_addresses = self.0;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found.into_iter().filter(|address| allowed_addresses.allows(address.ip())).collect();
            if allowed.is_empty() {
                return Err(InsideHost(name.as_str().to_owned()).into());
            }
            let addresses: Addrs = Box::new(allowed.into_iter());
            Ok(addresses)
        })
    }
}
