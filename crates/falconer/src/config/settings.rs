//! All settings, as the file has them, with their defaults.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Application, Mail, OfflineService, Provider, Scope, SecretText};

/// All settings with their defaults.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one.
    pub listen: String,
    /// Address and port that answer `GET /metrics`; without it nothing does.
    pub metrics_listen: Option<String>,
    /// The public origin, `https://auth.example.com`; derived from `listen` on loopback.
    pub root_url: Option<String>,
    /// Where the database, the key file and the first credentials live.
    pub data_dir: PathBuf,
    /// `postgres://user@host/database`: keeps the records in PostgreSQL instead of a file of the data directory.
    pub database_url: Option<SecretText>,
    /// Where to listen for what other nodes write, where `database_url` leads through something that keeps no session.
    pub notify_url: Option<SecretText>,
    /// How old what a node answers from may be, where several share a database.
    pub max_staleness: String,
    /// The keys that seal secrets at rest; by default `falconer.keys` in the data directory.
    pub key_file: Option<PathBuf>,
    /// Addresses or networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-*` headers count.
    pub trusted_proxies: Vec<String>,
    /// Origins besides `root_url` for which signed calls to Falconer's own API count.
    pub hawk_origins: Vec<String>,
    /// The secret that websocktunnels verify `websocktunnelToken` with, at least 16 characters; without one there are no such tokens.
    pub websocktunnel_secret: Option<SecretText>,
    /// What is kept of the audit.
    pub audit: Audit,
    /// How much memory caches may take, in MiB; by default a part of what there is.
    pub cache_mib: Option<u32>,
    /// What services are told.
    pub services: Services,
    /// Settings of clients.
    pub client: Client,
    /// Settings of people.
    pub identity: Identity,
    /// Signed-in browsers.
    pub session: Session,
    /// Settings of access grants.
    pub grant: Grant,
    /// Where mails go; without it none are sent.
    pub mail: Option<Mail>,
    /// Where people sign in besides local accounts, in the order of the sign-in page.
    pub provider: Vec<Provider>,
    /// Registered targets, shown by name.
    pub target: Vec<RegisteredTarget>,
    /// Applications that ask by OAuth 2.
    pub application: Vec<Application>,
    /// What services say of their scopes.
    pub scope: Vec<Scope>,
    /// Services that verify access tokens by themselves.
    pub offline_service: Vec<OfflineService>,
    /// Clients that the deployment configures; their ids begin with `static/`.
    pub static_client: Vec<StaticClient>,
    /// Limits of the listener.
    pub limits: Limits,
    /// What the log looks like.
    pub log: Log,
    /// Where traces go.
    pub tracing: Tracing,
}

/// `[tracing]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Tracing {
    /// The address of a collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`; without it there are no traces.
    pub otlp_endpoint: Option<String>,
    /// Which part of the traces that begin here is recorded, from 0 to 1. Of those that callers have begun, those are that they say are.
    pub ratio: f64,
}

/// `[audit]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// How long rows of the audit history are kept: a time expression of at least a day, or `forever`.
    pub retention: String,
}

/// `[services]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Services {
    /// Who may have whole lists of scopes from authenticateHawk.
    pub whole_lists: WholeLists,
    /// How many refusals are remembered, for `falconer why`.
    pub remembered_refusals: usize,
}

/// Who may have whole lists of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WholeLists {
    /// Every service, as the protocol has it.
    Everybody,
    /// Services that sign the call with credentials that have `auth:whole-lists`.
    Scope,
}

impl Default for Services {
    fn default() -> Self {
        Services { whole_lists: WholeLists::Everybody, remembered_refusals: 1000 }
    }
}

/// `[client]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// How long an access token may count after it was replaced (a time expression, at most 7 days).
    pub max_overlap: String,
}

/// `[identity]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// How long a person's scopes count without a fresh answer of the provider (a time expression).
    pub max_age: String,
    /// What the first administrator gets besides `auth:*`.
    pub setup_scopes: Vec<String>,
}

/// `[session]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// A session ends this long after its last use (a time expression).
    pub idle: String,
    /// A session ends this long after sign-in (a time expression).
    pub max_age: String,
    /// So long after a sign-in a person changes how they sign in without signing in again (a time expression).
    pub fresh: String,
}

/// `[grant]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    /// The longest lifetime that the page offers (a time expression, at most 31 days).
    pub max_ttl: String,
    /// What is chosen beforehand for an agent (a time expression); never more than `max_ttl`.
    pub agent_ttl: String,
    /// Whether only registered targets may ask.
    pub registered_only: bool,
    /// Scopes that are granted by whoever has just signed in only, besides those that are broad.
    pub sign_in_again: Vec<String>,
    /// Whether whoever grants something is mailed about it.
    pub mail: bool,
    /// Hosts whose applications are known by documents of theirs; `*` for all of the internet.
    pub client_documents: Vec<String>,
    /// Hosts of this network that are told that somebody has signed out.
    pub logout_hosts: Vec<String>,
    /// Whether applications register themselves: `off`, with a `token`, or `open`: without one too.
    pub registration: String,
    /// How Falconer's own command may ask: `browser-and-device`, `browser` or `off`. Where only registered targets may ask, it may not unless this says so.
    pub command_line: Option<String>,
}

/// `[[target]]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct RegisteredTarget {
    /// What the page calls it.
    pub name: String,
    /// The exact targets, or origins (no path) for every path of theirs.
    pub targets: Vec<String>,
}

/// `[[static_client]]`
#[derive(Clone, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct StaticClient {
    /// Begins with `static/`, but not with `static/falconer/`.
    pub client_id: String,
    /// 22 to 66 characters of `[A-Za-z0-9_-]`; or `access_token_file`.
    pub access_token: Option<String>,
    /// A file that holds the token.
    pub access_token_file: Option<PathBuf>,
    /// What the client may do.
    pub scopes: Vec<String>,
    /// For people.
    #[serde(default)]
    pub description: String,
}

impl std::fmt::Debug for StaticClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticClient").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// `[limits]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once; the rest are refused at once.
    pub connections: usize,
    /// Connections of one address at once, trusted proxies excepted.
    pub connections_per_address: usize,
    /// MiB of requests and answers that are under way, together.
    pub under_way_mib: usize,
    /// The same for one address.
    pub under_way_mib_per_address: usize,
    /// Seconds until the headers of a request are complete.
    pub header_seconds: u64,
    /// Seconds that an idle connection is kept.
    pub idle_seconds: u64,
    /// Seconds that a whole request may take.
    pub request_seconds: u64,
    /// Seconds for which a server that is told to end still takes requests, and closes each connection with its next answer. Unless set: 3 where other servers
    /// may have the same database, else none.
    pub announce_seconds: Option<u64>,
    /// Whether the signature of a call changes something once only.
    pub refuse_replays: bool,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `text` or `json`.
    pub format: LogFormat,
    /// A filter such as `info` or `falconer_auth=debug,info`.
    pub level: String,
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: "127.0.0.1:8080".to_owned(),
            metrics_listen: None,
            root_url: None,
            data_dir: PathBuf::from("falconer-data"),
            database_url: None,
            notify_url: None,
            max_staleness: "5 seconds".to_owned(),
            key_file: None,
            trusted_proxies: Vec::new(),
            hawk_origins: Vec::new(),
            websocktunnel_secret: None,
            audit: Audit::default(),
            cache_mib: None,
            services: Services::default(),
            client: Client::default(),
            identity: Identity::default(),
            session: Session::default(),
            grant: Grant::default(),
            mail: None,
            provider: Vec::new(),
            target: Vec::new(),
            application: Vec::new(),
            scope: Vec::new(),
            offline_service: Vec::new(),
            static_client: Vec::new(),
            limits: Limits::default(),
            log: Log::default(),
            tracing: Tracing::default(),
        }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Audit { retention: "forever".to_owned() }
    }
}

impl Default for Session {
    fn default() -> Session {
        Session { idle: "24 hours".to_owned(), max_age: "7 days".to_owned(), fresh: "15 minutes".to_owned() }
    }
}

impl Default for Client {
    fn default() -> Client {
        Client { max_overlap: "7 days".to_owned() }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Identity { max_age: "7 days".to_owned(), setup_scopes: Vec::new() }
    }
}

impl Default for Grant {
    fn default() -> Self {
        Grant {
            max_ttl: "7 days".to_owned(),
            agent_ttl: "1 hour".to_owned(),
            registered_only: false,
            sign_in_again: Vec::new(),
            mail: false,
            client_documents: Vec::new(),
            logout_hosts: Vec::new(),
            registration: "off".to_owned(),
            command_line: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 10_000,
            connections_per_address: 1000,
            under_way_mib: 256,
            under_way_mib_per_address: 32,
            header_seconds: 10,
            idle_seconds: 90,
            request_seconds: 60,
            announce_seconds: None,
            refuse_replays: false,
        }
    }
}

impl Default for Tracing {
    fn default() -> Self {
        Tracing { otlp_endpoint: None, ratio: 0.01 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Log { format: LogFormat::Text, level: "info".to_owned() }
    }
}
