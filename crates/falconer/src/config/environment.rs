//! Which variables of the environment are settings, and what they say.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

/// Variables that tests and tools of ours use, and that are no settings.
const NOT_SETTINGS: &[&str] = &[
    "FALCONER_BIN",
    "FALCONER_TEST_POSTGRES",
    "FALCONER_VECTORS",
    "FALCONER_CONFIG",
    "FALCONER_FROM_CLIENT_ID",
    "FALCONER_FROM_ACCESS_TOKEN",
    "FALCONER_FROM_CERTIFICATE",
];

/// Settings that are text whatever they look like: a secret may be all digits.
const TEXTS: &[&str] = &["websocktunnel_secret", "database_url"];

/// Which names the environment may set; a list, so that a typing error is an error.
const SETTINGS: &[&str] = &[
    "listen",
    "metrics_listen",
    "root_url",
    "data_dir",
    "database_url",
    "key_file",
    "trusted_proxies",
    "hawk_origins",
    "websocktunnel_secret",
    "audit.retention",
    "cache_mib",
    "identity.max_age",
    "identity.setup_scopes",
    "grant.max_ttl",
    "grant.registered_only",
    "limits.connections",
    "limits.header_seconds",
    "limits.idle_seconds",
    "limits.request_seconds",
    "log.format",
    "log.level",
];

/// Names of settings, such as `grant.max_ttl`, with their values.
pub fn settings(environment: impl Iterator<Item = (String, String)>) -> Result<BTreeMap<String, toml::Value>> {
    let mut found = BTreeMap::new();
    for (variable, text) in environment {
        let Some(rest) = variable.strip_prefix("FALCONER_") else { continue };
        if NOT_SETTINGS.contains(&variable.as_str()) {
            continue;
        }
        let name = rest.to_lowercase().replace("__", ".");
        let (name, text) = match name.strip_suffix("_file") {
            Some(short) if !SETTINGS.contains(&name.as_str()) => {
                let content = std::fs::read_to_string(&text).with_context(|| format!("{variable} names {text}, which can't be read"))?;
                (short.to_owned(), content.trim_end().to_owned())
            }
            _ => (name, text),
        };
        if !SETTINGS.contains(&name.as_str()) {
            bail!("the environment variable {variable} is no setting of Falconer; known are {}", SETTINGS.join(", "));
        }
        let parsed = if TEXTS.contains(&name.as_str()) { None } else { toml::from_str::<toml::Table>(&format!("value = {text}")).ok() };
        let value = parsed.and_then(|mut table| table.remove("value")).unwrap_or(toml::Value::String(text));
        found.insert(name, value);
    }
    Ok(found)
}
