//! What the operator configures of this crate.

use std::fmt;
use std::sync::Arc;

use falconer_auth::{DAY_MS, HOUR_MS};
use falconer_login::http::ProviderHttp;

use crate::applications::application::ApplicationSettings;
use crate::applications::command_line::CommandLine;
use crate::oauth::signed::services::OfflineService;
use crate::words::published::PublishedScope;

/// Everything that [`crate::Grants::open`] needs besides auth, login and the store.
#[derive(Clone, Debug)]
pub struct GrantSettings {
    /// `grant.max_ttl`: the longest life of a grant in milliseconds, at most 31 days. Default 7 days.
    pub max_ttl_ms: i64,
    /// `grant.agent_ttl`: the life of an agent's grant where the person says nothing else, in milliseconds. Default an hour.
    pub agent_ttl_ms: i64,
    /// `grant.registered_only`: grants go to registered targets only. Default no.
    pub registered_only: bool,
    /// `grant.sign_in_again`: scopes beyond those that are broad that are granted by whoever has just signed in only. Default none.
    pub sign_in_again: Vec<String>,
    /// `grant.mail`: whoever grants something is mailed about it. Default no.
    pub mail: bool,
    /// `grant.client_documents`: hosts whose applications are known by documents of theirs; `*` for all of the internet. Default none.
    pub client_documents: Vec<String>,
    /// `grant.registration`: whether applications register themselves. Default no.
    pub registration: Registration,
    /// `grant.logout_hosts`: hosts of this network that are told that somebody has signed out. Default none.
    pub logout_hosts: Vec<String>,
    /// How documents are read, and applications told. Without it nobody is asked.
    pub applications_http: Option<ApplicationsHttp>,
    /// `grant.command_line`. Default both ways.
    pub command_line: CommandLine,
    /// `[[target]]`.
    pub registered_targets: Vec<RegisteredTarget>,
    /// `[[application]]`.
    pub applications: Vec<ApplicationSettings>,
    /// `[[scope]]`.
    pub scopes: Vec<PublishedScope>,
    /// `[[offline_service]]`. Default none: each token is opaque.
    pub offline_services: Vec<OfflineService>,
}

/// A target that the administrator knows: `[[target]]` of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredTarget {
    /// What the page calls it.
    pub name: String,
    /// Exact targets. A request may add one query parameter, `state`, at the end of the query.
    pub targets: Vec<String>,
}

/// Whether applications register themselves (RFC 7591).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// They do not.
    #[default]
    Off,
    /// With a token that an administrator has made.
    Token,
    /// Without one too.
    Open,
}

impl Registration {
    /// All of them.
    pub const ALL: [Registration; 3] = [Registration::Off, Registration::Token, Registration::Open];

    /// Whether they do, with a token or without.
    pub fn is_on(self) -> bool {
        self != Registration::Off
    }

    /// As the configuration writes it: `off`, `token`, `open`.
    pub fn as_str(self) -> &'static str {
        match self {
            Registration::Off => "off",
            Registration::Token => "token",
            Registration::Open => "open",
        }
    }
}

/// The way out to applications.
#[derive(Clone)]
pub struct ApplicationsHttp(pub Arc<dyn ProviderHttp>);

impl fmt::Debug for ApplicationsHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApplicationsHttp")
    }
}

impl Default for GrantSettings {
    fn default() -> Self {
        GrantSettings {
            max_ttl_ms: 7 * DAY_MS,
            agent_ttl_ms: HOUR_MS,
            registered_only: false,
            sign_in_again: Vec::new(),
            mail: false,
            client_documents: Vec::new(),
            registration: Registration::Off,
            logout_hosts: Vec::new(),
            applications_http: None,
            command_line: CommandLine::BrowserAndDevice,
            registered_targets: Vec::new(),
            applications: Vec::new(),
            scopes: Vec::new(),
            offline_services: Vec::new(),
        }
    }
}
