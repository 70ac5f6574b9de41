//! The only way out to providers, and to the documents of applications: bounded in time and bytes, no redirects, nothing inside of the operator's own network that the operator has not
//! named. `addresses.rs` says what is inside, `web.rs` is the real way; tests have one of their own.

mod addresses;
mod web;

use async_trait::async_trait;
use thiserror::Error;
use url::Url;
use zeroize::Zeroizing;

pub use addresses::AllowedAddresses;
pub(crate) use addresses::is_plain_here;
pub use web::{HttpLimits, WebHttp};

use crate::tls::TlsProblem;

/// How providers are asked.
#[async_trait]
pub trait ProviderHttp: Send + Sync {
    /// Sends one request and reads its whole answer, whatever its status.
    async fn send(&self, request: ProviderRequest) -> Result<ProviderAnswer, HttpError>;
}

/// What is sent.
pub struct ProviderRequest {
    /// Where to.
    pub url: Url,
    /// Which addresses the host may have.
    pub allowed_addresses: AllowedAddresses,
    /// The value of `Authorization`.
    pub authorization: Option<Zeroizing<String>>,
    /// One more header, whose value is a secret: the key of an API.
    pub key: Option<(String, Zeroizing<String>)>,
    /// The fields of a form: then it is a POST.
    pub form: Option<Vec<(&'static str, Zeroizing<String>)>>,
}

impl ProviderRequest {
    /// A plain question.
    pub fn new(url: Url, allowed_addresses: AllowedAddresses) -> ProviderRequest {
        ProviderRequest { url, allowed_addresses, authorization: None, key: None, form: None }
    }
}

/// Headers of an answer that say something beside its body; nobody reads another one.
pub const READ_HEADERS: [&str; 5] = ["cache-control", "link", "retry-after", "x-github-sso", "x-ratelimit-remaining"];

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderAnswer {
    /// HTTP's.
    pub status: u16,
    /// `application/json`, without parameters, in lower case; empty where the answer has none.
    pub content_type: String,
    /// Those of [`READ_HEADERS`] that it has, at most 4 KiB of each. One that comes several times is one, with `, ` in between.
    pub headers: Vec<(&'static str, String)>,
    /// Whole.
    pub body: Vec<u8>,
}

impl ProviderAnswer {
    /// A header by its name in lower case, if the answer has it.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(named, _)| *named == name).map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HttpError {
    /// It sends elsewhere; nobody follows.
    #[error("the answer is a redirect, which is not followed")]
    Redirected,
    /// More bytes than are read.
    #[error("the answer is too long")]
    TooLarge,
    /// Not within the time.
    #[error("there was no whole answer in time")]
    TooSlow,
    /// The host has an address of an inner network.
    #[error("the host {0:?} has an address inside of this network")]
    Inside(String),
    /// No connection, or no HTTP.
    #[error("it can't be reached: {0}")]
    Unreachable(String),
    /// No TLS that holds.
    #[error("it can't be reached: {0}")]
    Tls(TlsProblem),
}
