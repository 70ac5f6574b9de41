//! Which variables of the environment are settings, and what they say.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, bail};

use super::near;
use crate::text_file;

/// Names the configuration file, where `--config` does not.
pub const FILE: &str = "FALCONER_CONFIG";

/// Variables that tests and tools of ours use, and that are no settings.
const NOT_SETTINGS: &[&str] = &[
    "FALCONER_BIN",
    "FALCONER_SESSIONS",
    "FALCONER_TEST_PATIENCE",
    "FALCONER_TEST_PGBOUNCER",
    "FALCONER_TEST_POSTGRES",
    "FALCONER_VECTORS",
    FILE,
    "FALCONER_FROM_CLIENT_ID",
    "FALCONER_FROM_ACCESS_TOKEN",
    "FALCONER_FROM_CERTIFICATE",
];

/// Settings that are text whatever they look like: a secret may be all digits.
const TEXTS: &[&str] = &["websocktunnel_secret", "database_url", "notify_url", "mail.user", "mail.password"];

/// Which names the environment may set; a list, so that a typing error is an error.
const SETTINGS: [&str; 47] = [
    "listen",
    "metrics_listen",
    "root_url",
    "data_dir",
    "database_url",
    "notify_url",
    "max_staleness",
    "key_file",
    "trusted_proxies",
    "hawk_origins",
    "websocktunnel_secret",
    "audit.retention",
    "cache_mib",
    "services.whole_lists",
    "services.remembered_refusals",
    "client.max_overlap",
    "identity.max_age",
    "identity.setup_scopes",
    "session.idle",
    "session.max_age",
    "session.fresh",
    "grant.max_ttl",
    "grant.agent_ttl",
    "grant.registered_only",
    "grant.sign_in_again",
    "grant.mail",
    "grant.client_documents",
    "grant.logout_hosts",
    "grant.registration",
    "grant.command_line",
    "mail.url",
    "mail.user",
    "mail.password",
    "mail.from",
    "limits.connections",
    "limits.connections_per_address",
    "limits.header_seconds",
    "limits.idle_seconds",
    "limits.request_seconds",
    "limits.announce_seconds",
    "limits.refuse_replays",
    "limits.under_way_mib",
    "limits.under_way_mib_per_address",
    "log.format",
    "log.level",
    "tracing.otlp_endpoint",
    "tracing.ratio",
];

/// Names of settings, such as `grant.max_ttl`, with their values.
pub fn settings(environment: impl Iterator<Item = (String, String)>) -> Result<BTreeMap<String, toml::Value>> {
    let mut found = BTreeMap::new();
    for (variable, text) in environment {
        let Some(rest) = variable.strip_prefix("FALCONER_") else { continue };
        if NOT_SETTINGS.contains(&variable.as_str()) || is_of_an_orchestrator(rest, &text) {
            continue;
        }
        let name = rest.to_lowercase().replace("__", ".");
        let (name, text) = match name.strip_suffix("_file") {
            Some(short) if !SETTINGS.contains(&name.as_str()) => {
                let content = text_file::read(Path::new(&text), &format!("the file that {variable} names,"))?;
                (short.to_owned(), content.trim_end().to_owned())
            }
            _ => (name, text),
        };
        if !SETTINGS.contains(&name.as_str()) {
            match near::nearest(&name, SETTINGS.into_iter()) {
                Some(meant) => {
                    let meant = meant.to_uppercase().replace('.', "__");
                    bail!("the environment variable {variable} is no setting of Falconer; did you mean FALCONER_{meant}?")
                }
                None => bail!("the environment variable {variable} is no setting of Falconer; known are {}", SETTINGS.join(", ")),
            }
        }
        let parsed = if TEXTS.contains(&name.as_str()) { None } else { toml::from_str::<toml::Table>(&format!("value = {text}")).ok() };
        let value = parsed.and_then(|mut table| table.remove("value")).unwrap_or(toml::Value::String(text));
        found.insert(name, value);
    }
    Ok(found)
}

/// Kubernetes tells each container of a namespace where its Services are, and Docker did so for linked containers. A Service named `falconer`, or
/// `falconer-metrics`, makes variables that begin like settings. Only these names with values of their kind are passed over: `tail` is behind
/// `FALCONER_`, such as `SERVICE_HOST`, `METRICS_PORT` or `PORT_8080_TCP_ADDR`.
fn is_of_an_orchestrator(tail: &str, value: &str) -> bool {
    let is_number = |text: &str| text.parse::<u16>().is_ok();
    // The name of the Service, in between, is its own.
    let own = |marker: &str| tail.strip_prefix(marker).or_else(|| tail.split_once(&format!("_{marker}")).map(|(_, rest)| rest));
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if let Some(rest) = own("SERVICE_HOST") {
        return rest.is_empty() && value.parse::<std::net::IpAddr>().is_ok();
    }
    if let Some(rest) = own("SERVICE_PORT") {
        return (rest.is_empty() || rest.strip_prefix('_').is_some_and(is_word)) && is_number(value);
    }
    let Some(rest) = own("PORT") else { return false };
    let mut parts = rest.split('_');
    let port = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(""), None, ..) => return is_address(value),
        (Some(""), port, protocol, last) => port.zip(protocol).filter(|(port, _)| is_number(port)).map(|(_, protocol)| (protocol, last)),
        _ => None,
    };
    let Some((protocol, last)) = port else { return false };
    let is_protocol = ["TCP", "UDP", "SCTP"].contains(&protocol) && parts.next().is_none();
    is_protocol
        && match last {
            None => is_address(value),
            Some("PROTO") => value.eq_ignore_ascii_case(protocol),
            Some("PORT") => is_number(value),
            Some("ADDR") => value.parse::<std::net::IpAddr>().is_ok(),
            Some(_) => false,
        }
}

/// `tcp://10.0.0.17:8080`
fn is_address(value: &str) -> bool {
    ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.strip_prefix(scheme).is_some_and(|at| at.parse::<std::net::SocketAddr>().is_ok()))
}
