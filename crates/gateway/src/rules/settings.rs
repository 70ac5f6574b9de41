use std::net::IpAddr;
use std::time::Duration;

use falconer_middleware::Verifier;
use serde::Deserialize;
use toml::Spanned;

use super::file::{File, Reader};
use super::rule::{Access, Rule};

/// How the gateway is reached and set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address and port, 127.0.0.1:4180 if the file says nothing.
    pub listen: String,
    /// Where it stands; `None`: the file says neither, which is enough to check and try rules.
    pub place: Option<Place>,
    /// Who is believed: questions come from these addresses only. This machine if the file says nothing.
    pub proxies: Networks,
    /// Whether the file names them: in front of a service, only then somebody else says from where a request comes.
    pub proxies_named: bool,
    /// Connections that one address may have.
    pub connections_per_address: u32,
    /// Questions to Falconer that are under way for one address.
    pub questions_per_address: u32,
    /// So often Falconer is asked whether a WebSocket may stay open.
    pub recheck: Duration,
    /// Where metrics are told; `None`: nowhere.
    pub metrics_listen: Option<String>,
    /// Origins whose pages may call; `*` stands for all.
    pub cors: Vec<String>,
    /// Browsers may sign in.
    pub session: Option<Session>,
    /// Seals the cookies; a file name that is taken from the folder of the rules.
    pub key_file: String,
    /// Signs what the service behind is told.
    pub caller_key_file: String,
    /// The largest body that is read to compare its hash.
    pub body_limit_bytes: usize,
    /// Bodies whose hash was not signed are refused.
    pub payload_hash_required: bool,
    /// Access tokens are taken, too.
    pub bearer_tokens: bool,
    /// What clients of OAuth 2 are told of where tokens come from.
    pub protected_resource: Option<Resource>,
    /// How long Falconer may take to answer.
    pub falconer_timeout: Duration,
}

/// Where the gateway stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Beside a proxy of this kind, which asks it about each request.
    Beside(Dialect),
    /// In front of the service, at this host and port.
    InFrontOf(String),
}

/// The kind of a proxy: what it says of a request, and what it makes of the answer. It is configured, never guessed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// `auth_request`
    Nginx,
    /// `forwardAuth`
    Traefik,
    /// `forward_auth`
    Caddy,
    /// `ext_authz`, over HTTP or gRPC
    Envoy,
    /// An action in Lua, which docs/gateway.md prints
    Haproxy,
}

/// What clients of OAuth 2 are told.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Below the origin, such as `/mcp`; empty: all of it.
    pub path: String,
    /// Those that a client may want.
    pub scopes: Vec<String>,
}

/// What a browser's sign-in asks for.
#[derive(Clone, Debug)]
pub struct Session {
    /// For the grant page.
    pub description: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// Ask to be told who it is.
    pub identity: bool,
    /// So long before the end a page that is gone to leads to a new sign-in.
    pub renew: Duration,
}

/// More of anything for one address is no bound.
const MOST_PER_ADDRESS: u32 = u32::MAX;
const YEAR_MINUTES: u64 = 366 * 24 * 60;

/// Addresses.
#[derive(Clone, Debug)]
pub struct Networks(Vec<(IpAddr, u8)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionText {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    scopes: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    identity: bool,
    #[serde(default)]
    renew_minutes: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceText {
    #[serde(default)]
    path: String,
    #[serde(default)]
    scopes: Option<Vec<String>>,
}

impl Networks {
    fn parse(text: &str) -> Option<(IpAddr, u8)> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
        (bits <= most).then_some((address, bits))
    }

    /// Whether an address is one of them. An IPv4 address that came over IPv6 counts as what it is.
    #[must_use]
    pub fn have(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|(network, bits)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                (network.to_bits() ^ address.to_bits()).checked_shr(32 - u32::from(*bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                (network.to_bits() ^ address.to_bits()).checked_shr(128 - u32::from(*bits)).unwrap_or(0) == 0
            }
            _ => false,
        })
    }
}

pub(super) fn read(reader: &mut Reader<'_>, file: &File, origins: &[String], rules: &[Rule]) -> Settings {
    let place = match (&file.proxy, &file.upstream) {
        (Some(dialect), None) => Some(Place::Beside(*dialect.get_ref())),
        (None, Some(upstream)) => upstream_of(reader, upstream),
        (Some(dialect), Some(_)) => {
            reader.problem(
                dialect.span().start,
                "`proxy` and `upstream` are both there: the gateway stands beside a proxy or in front of a service".to_owned(),
            );
            None
        }
        (None, None) => None,
    };
    if file.payload_hash_required && !matches!(place, Some(Place::InFrontOf(_))) {
        reader.problem(0, "`payload_hash_required` is only for `upstream`: beside a proxy no body is seen".to_owned());
    }
    let given = file.proxies.as_deref();
    let local = [(IpAddr::from([127, 0, 0, 1]), 8), (IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), 128)];
    let proxies = given.map_or_else(|| local.to_vec(), |texts| texts.iter().filter_map(|text| network(reader, text)).collect());
    for origin in &file.cors {
        let text = origin.get_ref();
        if text != "*" && !url::Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == *text) {
            reader.problem(
                origin.span().start,
                format!("`{text}` in `cors` is no origin, such as https://page.example.com; `*` alone stands for all"),
            );
        }
    }
    if file.cors.len() > 1 && file.cors.iter().any(|origin| origin.get_ref() == "*") {
        reader.problem(0, "`cors` has `*`, which stands for all, and others".to_owned());
    }
    let listen = file.listen.as_ref().map_or_else(|| "127.0.0.1:4180".to_owned(), |listen| listen.get_ref().clone());
    if let Some(metrics) = &file.metrics_listen
        && *metrics.get_ref() == listen
        && !listen.ends_with(":0")
    {
        reader.problem(metrics.span().start, format!("`metrics_listen` is `{listen}`, which is where `listen` is; give another port"));
    }
    Settings {
        listen,
        place,
        proxies: Networks(proxies),
        proxies_named: file.proxies.is_some(),
        connections_per_address: per_address(reader, "connections_per_address", file.connections_per_address.as_ref(), 256),
        questions_per_address: per_address(reader, "questions_per_address", file.questions_per_address.as_ref(), 64),
        recheck: Duration::from_secs(reader.number("recheck_seconds", file.recheck_seconds.as_ref(), 30, 1, 900)),
        metrics_listen: file.metrics_listen.as_ref().map(|listen| listen.get_ref().clone()),
        cors: file.cors.iter().map(|origin| origin.get_ref().clone()).collect(),
        session: file.session.as_ref().map(|session| session_of(reader, session, origins, rules)),
        key_file: file.key_file.clone().unwrap_or_else(|| "gateway.key".to_owned()),
        caller_key_file: file.caller_key_file.clone().unwrap_or_else(|| "gateway-caller.key".to_owned()),
        body_limit_bytes: file.body_limit_bytes.unwrap_or(1024 * 1024),
        payload_hash_required: file.payload_hash_required,
        bearer_tokens: file.bearer_tokens,
        protected_resource: file.protected_resource.as_ref().map(|resource| resource_of(reader, file, resource, origins, rules)),
        falconer_timeout: Duration::from_millis(reader.number("falconer_timeout_ms", file.falconer_timeout_ms.as_ref(), 5000, 1, 60_000)),
    }
}

fn per_address(reader: &mut Reader<'_>, name: &str, written: Option<&Spanned<u64>>, default: u64) -> u32 {
    u32::try_from(reader.number(name, written, default, 1, MOST_PER_ADDRESS.into())).unwrap_or(MOST_PER_ADDRESS)
}

fn network(reader: &mut Reader<'_>, text: &Spanned<String>) -> Option<(IpAddr, u8)> {
    let parsed = Networks::parse(text.get_ref());
    if parsed.is_none() {
        reader.problem(
            text.span().start,
            format!("`{}` in `proxies` is no address or network, such as 10.0.0.7 or 10.0.0.0/24", text.get_ref()),
        );
    }
    parsed
}

fn upstream_of(reader: &mut Reader<'_>, written: &Spanned<String>) -> Option<Place> {
    let text = written.get_ref();
    let url = url::Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.path() == "/" && url.query().is_none());
    match url.as_ref().and_then(|url| Some((url.host_str()?, url.port_or_known_default()?))) {
        Some((host, port)) if !text.contains(['@', '#', '?']) => Some(Place::InFrontOf(format!("{host}:{port}"))),
        _ => {
            reader.problem(written.span().start, format!("`upstream` is `{text}`, and has to look like http://127.0.0.1:8080"));
            None
        }
    }
}

fn session_of(reader: &mut Reader<'_>, written: &Spanned<SessionText>, origins: &[String], rules: &[Rule]) -> Session {
    let session = written.get_ref();
    for origin in origins {
        let host = url::Url::parse(origin).ok();
        let local = host.as_ref().is_some_and(|url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        });
        if origin.starts_with("http://") && !local {
            reader.problem(written.span().start, format!("a session on {origin} would travel in the clear: use https"));
        }
    }
    let scopes = match &session.scopes {
        Some(scopes) => scopes.iter().map(|scope| scope.get_ref().clone()).collect(),
        None => asked_for(rules),
    };
    for scope in &scopes {
        if !falconer_scopes::is_valid_scope(scope) {
            reader.problem(written.span().start, format!("`{scope}` in `scopes` of the session is not a scope"));
        }
    }
    Session {
        description: session.description.clone().unwrap_or_else(|| "Opens its pages for you.".to_owned()),
        scopes,
        identity: session.identity,
        renew: Duration::from_secs(60 * reader.number("renew_minutes", session.renew_minutes.as_ref(), 5, 0, YEAR_MINUTES)),
    }
}

fn resource_of(reader: &mut Reader<'_>, file: &File, written: &Spanned<ResourceText>, origins: &[String], rules: &[Rule]) -> Resource {
    let ResourceText { path, scopes } = written.get_ref();
    let resource = Resource { path: path.clone(), scopes: scopes.clone().unwrap_or_else(|| asked_for(rules)) };
    // What the verifier says of it.
    let verifier = origins.first().and_then(|origin| Verifier::new(file.falconer(), origin).ok());
    let checked = verifier.map(|verifier| verifier.with_protected_resource(path, resource.scopes.iter().map(String::as_str)));
    if let Some(Err(error)) = checked {
        reader.problem(written.span().start, error.to_string());
    }
    resource
}

/// What the rules need, with a star in place of parameters: `notes:read:<book>` asks for `notes:read:*`.
fn asked_for(rules: &[Rule]) -> Vec<String> {
    let mut scopes = Vec::new();
    for rule in rules {
        let Access::Needs(needs) = &rule.access else { continue };
        for scope in needs.scopes() {
            let scope = scope.split_once('<').map_or_else(|| scope.to_owned(), |(before, _)| format!("{before}*"));
            if !scopes.contains(&scope) {
                scopes.push(scope);
            }
        }
    }
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let networks = |texts: &[&str]| Networks(texts.iter().map(|text| Networks::parse(text).unwrap()).collect());
        let have = |of: &[&str], address: &str| networks(of).have(address.parse().unwrap());
        assert!(have(&["10.1.2.3"], "10.1.2.3") && !have(&["10.1.2.3"], "10.1.2.2"));
        assert!(have(&["10.1.0.0/16"], "10.1.255.255") && !have(&["10.1.0.0/16"], "10.2.0.0"));
        assert!(have(&["0.0.0.0/0"], "1.2.3.4") && !have(&["0.0.0.0/0"], "::1"));
        assert!(have(&["fd00::/8"], "fdff::1") && !have(&["fd00::/8"], "fe00::1") && have(&["::/0"], "::1"));
        assert!(have(&["127.0.0.1"], "::ffff:127.0.0.1") && !have(&[], "127.0.0.1"));
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0", "host", "10.0.0.0/", "10.0.0.0/-1"] {
            assert!(Networks::parse(wrong).is_none(), "{wrong}");
        }
    }
}
