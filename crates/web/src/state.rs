//! What every handler can reach: the use cases and the settings of this installation. Built in the binary, passed down.

use std::net::SocketAddr;
use std::sync::Arc;

use falconer_auth::{Auth, Clock, Random};
use falconer_grants::Grants;
use falconer_login::Login;
use falconer_traces::Tracer;

use crate::{Metrics, Network, PublicOrigin, RequestLog};

/// Everything that the routes need; one for a process, behind an [`Arc`].
pub struct Web {
    /// Clients, roles, verification, audit.
    pub auth: Arc<Auth>,
    /// People, local accounts, sessions.
    pub login: Arc<Login>,
    /// What people let others do.
    pub grants: Arc<Grants>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for ids of requests and incidents.
    pub random: Arc<dyn Random>,
    /// Where the line of each request goes.
    pub log: Arc<dyn RequestLog>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What begins spans of requests; without it there are none.
    pub traces: Option<Arc<Tracer>>,
    /// How this installation is configured.
    pub settings: WebSettings,
}

/// How this installation is configured, as far as HTTP is concerned.
#[derive(Clone, Debug)]
pub struct WebSettings {
    /// Where browsers reach it.
    pub public_origin: PublicOrigin,
    /// Peers whose `X-Forwarded-For` counts.
    pub trusted_proxies: Vec<Network>,
    /// Version, commit and the like, for `/__version__` and the foot of pages.
    pub version: VersionInfo,
    /// Limits that routes apply.
    pub limits: RequestLimits,
}

/// What is told about the running program.
#[derive(Clone, Debug, Default)]
pub struct VersionInfo {
    /// `0.1.0`
    pub version: String,
    /// The commit that was built, or empty.
    pub commit: String,
}

/// Limits on one request, whatever connection it came over.
#[derive(Clone, Copy, Debug)]
pub struct RequestLimits {
    /// Longest path and query in bytes; beyond it 414. Default 16 KiB: a request for a grant holds a description and many scopes.
    pub url_bytes: usize,
    /// All header names and values together, in bytes; beyond it 431. Default 16 KiB.
    pub header_bytes: usize,
    /// Body of an API call in bytes; beyond it 413. Default 10 MiB, as the protocol says.
    pub api_body_bytes: usize,
    /// Body of a form in bytes; beyond it 413. Default 256 KiB: a page may offer thousands of scopes.
    pub form_body_bytes: usize,
    /// From the head of a request to the beginning of its answer; beyond it 408 or 503. Default 30 s.
    pub total: std::time::Duration,
    /// Whether a signed request changes something once only; a second use of its signature is 401. Default false, as the protocol has it.
    pub refuse_replays: bool,
    /// Whether authenticateHawk is for services that sign the call with credentials that have `auth:whole-lists`. Default false, as the protocol has it.
    pub lists_need_scope: bool,
}

impl Default for RequestLimits {
    fn default() -> Self {
        RequestLimits {
            url_bytes: 16 * 1024,
            header_bytes: 16 * 1024,
            api_body_bytes: 10 * 1024 * 1024,
            form_body_bytes: 256 * 1024,
            total: std::time::Duration::from_secs(30),
            refuse_replays: false,
            lists_need_scope: false,
        }
    }
}

/// Request extension: the address at the other end of the connection, which may be a proxy's. [`crate::serve`] sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);
