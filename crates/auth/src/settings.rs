//! What the operator configures of this crate.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use falconer_credentials::AccessToken;
use falconer_credentials::authority;
use falconer_store::Secret;

use crate::time::DAY_MS;

/// A grant may be the last of so many that were derived one from the other.
pub const DEEPEST_DERIVED: usize = 3;

/// Scheme, host and port of a site, as a browser means it.
#[derive(Clone, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// `https` or `http`.
    pub scheme: String,
    /// Lower case, IPv6 with brackets, no port.
    pub host: String,
    /// Always there, also where it is the scheme's own.
    pub port: u16,
}

impl Origin {
    /// Reads `https://auth.example.com` or `http://localhost:8080`; a trailing slash is fine, a path, user or query is not.
    pub fn parse(text: &str) -> Option<Origin> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = authority::read(rest).filter(|_| !rest.ends_with(':'))?;
        Some(Origin { scheme, host: host.to_ascii_lowercase(), port: port.unwrap_or(default_port) })
    }

    /// Whether a request that was signed for this host and port was meant for this origin. The MAC does not cover the scheme.
    pub fn is_at(&self, host: &str, port: u16) -> bool {
        self.port == port && authority::same_host(&self.host, host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = if self.scheme == "https" { 443 } else { 80 };
        if self.port == default {
            write!(f, "{}://{}", self.scheme, self.host)
        } else {
            write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
        }
    }
}

/// A client that the configuration names; made to exist at start-up.
#[derive(Clone)]
pub struct StaticClient {
    /// Begins with `static/`, but not with `static/falconer/`.
    pub client_id: String,
    /// 22 to 66 characters of `[a-zA-Z0-9_-]`.
    pub access_token: AccessToken,
    /// Stored as given.
    pub scopes: Vec<String>,
    /// A note on where the client comes from is appended.
    pub description: String,
}

/// Told the reason when this process must not go on: the store lost its footing, and to retry over lost data would be worse.
pub type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

/// Everything that [`crate::Auth::open`] needs besides the store, the clock and randomness.
#[derive(Clone)]
pub struct AuthSettings {
    /// Where this Falconer is reached; signed calls to its own API count only for this origin and `hawk_origins`.
    pub public_origin: Origin,
    /// Further origins for which signed calls to our own API count (an internal name, a port behind the proxy).
    pub hawk_origins: Vec<Origin>,
    /// How long a person's scopes count without a fresh answer from the provider, in milliseconds. Local accounts do not age.
    pub identity_max_age_ms: i64,
    /// The same for single providers, by name.
    pub identity_max_age_by_provider: BTreeMap<String, i64>,
    /// The configured clients.
    pub static_clients: Vec<StaticClient>,
    /// Leave the stored `static/` clients as they are: for a process beside the server, which may know another configuration or none.
    pub leave_static_clients: bool,
    /// The secret that websocktunnels verify tokens with; without one there are none.
    pub websocktunnel_secret: Option<Secret>,
    /// How old what a node answers from may be, in milliseconds, where several nodes write to the store: one that has not reached the store for longer
    /// authenticates nobody. `None`: however old it is.
    pub max_staleness_ms: Option<i64>,
    /// How much memory remembered expansions may take, in MiB.
    pub cache_mib: usize,
    /// More clients than that are not kept at hand, with their keys prepared, once those that were used are written down. They are read from their packed form when they are used.
    pub clients_at_hand: usize,
    /// How long an access token may count after it was replaced, in milliseconds.
    pub max_token_overlap_ms: i64,
    /// How many refusals are remembered, for those who ask why.
    pub remembered_refusals: usize,
    /// Ends the process; the default does nothing.
    pub on_fatal: OnFatal,
}

impl AuthSettings {
    /// Settings for one public origin, everything else as on a fresh install.
    pub fn new(public_origin: Origin) -> AuthSettings {
        AuthSettings {
            public_origin,
            hawk_origins: Vec::new(),
            identity_max_age_ms: 7 * DAY_MS,
            identity_max_age_by_provider: BTreeMap::new(),
            static_clients: Vec::new(),
            leave_static_clients: false,
            websocktunnel_secret: None,
            max_staleness_ms: None,
            cache_mib: 64,
            clients_at_hand: 50_000,
            max_token_overlap_ms: 7 * DAY_MS,
            remembered_refusals: 1000,
            on_fatal: Arc::new(|_| ()),
        }
    }

    /// The age in milliseconds after which scopes of a person of this provider count no more; `None`: they never age.
    pub(crate) fn max_age_ms(&self, provider: &str) -> Option<i64> {
        if provider == "local" {
            return None;
        }
        Some(self.identity_max_age_by_provider.get(provider).copied().unwrap_or(self.identity_max_age_ms))
    }

    /// Whether signed calls to our own API may be meant for this host and port. What was signed is compared as it was written.
    pub(crate) fn is_ours(&self, host: &str, port: u16) -> bool {
        self.own_origins().any(|origin| origin.is_at(host, port))
    }

    /// Whether a browser that goes there comes to Falconer: `127.0.0.1` and `localhost` are one listener.
    pub(crate) fn is_falconer_address(&self, host: &str, port: u16) -> bool {
        self.own_origins().any(|origin| origin.port == port && authority::same_listener(&origin.host, host))
    }

    fn own_origins(&self) -> impl Iterator<Item = &Origin> {
        std::iter::once(&self.public_origin).chain(&self.hawk_origins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Credentials could be granted to `http://localhost:8080/`, which was Falconer itself at `http://127.0.0.1:8080`.
    #[test]
    fn an_address_of_this_machine_is_ours_whatever_it_is_called() {
        let settings = AuthSettings::new(Origin::parse("http://127.0.0.1:8080").unwrap());
        for here in ["127.0.0.1", "localhost", "[::1]", "127.0.0.2"] {
            assert!(settings.is_falconer_address(here, 8080) && !settings.is_falconer_address(here, 8081), "{here}");
        }
        assert!(
            settings.is_ours("127.0.0.1", 8080) && !settings.is_ours("localhost", 8080),
            "what was signed is compared as it is written"
        );
        assert!(!settings.is_falconer_address("notes.localhost", 8080), "a proxy may tell such names apart");
        let elsewhere = AuthSettings::new(Origin::parse("https://auth.example.com").unwrap());
        assert!(elsewhere.is_falconer_address("auth.example.com", 443) && !elsewhere.is_falconer_address("localhost", 443));
    }

    #[test]
    fn origins_parse_exactly() {
        let show = |text: &str| Origin::parse(text).map(|o| o.to_string());
        assert_eq!(show("https://Auth.example.com/").as_deref(), Some("https://auth.example.com"));
        assert_eq!(show("http://localhost:8080").as_deref(), Some("http://localhost:8080"));
        assert_eq!(show("https://h:443").as_deref(), Some("https://h"));
        assert_eq!(show("http://[::1]:80").as_deref(), Some("http://[::1]"));
        assert_eq!(show("http://[::1]").as_deref(), Some("http://[::1]"));
        for bad in ["h", "ftp://h", "https://", "https://u@h", "https://h/p", "https://h:x", "https://h:70000", "https://h?q"] {
            assert_eq!(show(bad), None, "{bad}");
        }
    }
}
