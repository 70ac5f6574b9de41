//! The configuration: `falconer.toml` (or `--config`), then `FALCONER_...` of the environment, then flags; the later wins.
//!
//! `FALCONER_GRANT__MAX_TTL` sets `grant.max_ttl`; a value is read as TOML where it is TOML, else as text. For any setting, the name with
//! `_FILE` at its end names a file that holds the value. Unknown keys of the file are refused with file and line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// All settings with their defaults.
#[derive(Clone, Debug, Deserialize)]
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
    /// How much memory caches may take, in MiB.
    pub cache_mib: u32,
    /// Settings of people.
    pub identity: Identity,
    /// Settings of access grants.
    pub grant: Grant,
    /// Registered targets, shown by name.
    pub target: Vec<RegisteredTarget>,
    /// Clients that the deployment configures; their ids begin with `static/`.
    pub static_client: Vec<StaticClient>,
    /// Limits of the listener.
    pub limits: Limits,
    /// What the log looks like.
    pub log: Log,
}

/// A setting that must not be shown: `Debug` keeps it back, so that a log of the configuration has nothing of it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for SecretText {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<SecretText, Self::Err> {
        Ok(SecretText(text.to_owned()))
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretText(..)")
    }
}

/// `[audit]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// How long rows of the audit history are kept: a time expression of at least a day, or `forever`.
    pub retention: String,
}

impl Audit {
    /// Milliseconds; `None`: forever.
    pub fn retention_ms(&self) -> Result<Option<i64>> {
        if self.retention.trim().eq_ignore_ascii_case("forever") {
            return Ok(None);
        }
        let ms = falconer_wire::time_expression::parse_ms(&self.retention)
            .context("audit.retention: write something like `2 years`, or `forever`")?;
        if ms < 86_400_000 {
            bail!("audit.retention: `{}` is less than a day; write something like `2 years`, or `forever`", self.retention);
        }
        Ok(Some(ms))
    }
}

/// `[identity]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// How long a person's scopes count without a fresh answer of the provider (a time expression).
    pub max_age: String,
    /// What the first administrator gets besides `auth:*`.
    pub setup_scopes: Vec<String>,
}

/// `[grant]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    /// The longest lifetime that the page offers (a time expression, at most 31 days).
    pub max_ttl: String,
    /// Whether only registered targets may ask.
    pub registered_only: bool,
}

/// `[[target]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisteredTarget {
    /// What the page calls it.
    pub name: String,
    /// The exact targets, or origins (no path) for every path of theirs.
    pub targets: Vec<String>,
}

/// `[[static_client]]`
#[derive(Clone, Deserialize)]
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
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once; the rest are refused at once.
    pub connections: usize,
    /// Seconds until the headers of a request are complete.
    pub header_seconds: u64,
    /// Seconds that an idle connection is kept.
    pub idle_seconds: u64,
    /// Seconds that a whole request may take.
    pub request_seconds: u64,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
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
            key_file: None,
            trusted_proxies: Vec::new(),
            hawk_origins: Vec::new(),
            websocktunnel_secret: None,
            audit: Audit::default(),
            cache_mib: 32,
            identity: Identity::default(),
            grant: Grant::default(),
            target: Vec::new(),
            static_client: Vec::new(),
            limits: Limits::default(),
            log: Log::default(),
        }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Audit { retention: "forever".to_owned() }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Identity { max_age: "7 days".to_owned(), setup_scopes: Vec::new() }
    }
}

impl Default for Grant {
    fn default() -> Self {
        Grant { max_ttl: "7 days".to_owned(), registered_only: false }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { connections: 10_000, header_seconds: 10, idle_seconds: 90, request_seconds: 60 }
    }
}

impl Default for Log {
    fn default() -> Self {
        Log { format: LogFormat::Text, level: "info".to_owned() }
    }
}

impl Config {
    /// Reads file and environment. `file` is what `--config` named; without it `falconer.toml` is read where there is one.
    pub fn read(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Config> {
        let table = match file {
            Some(path) => Self::file(path)?,
            None if Path::new("falconer.toml").exists() => Self::file(Path::new("falconer.toml"))?,
            None => toml::Table::new(),
        };
        Self::over(table, environment)
    }

    fn over(mut table: toml::Table, environment: impl Iterator<Item = (String, String)>) -> Result<Config> {
        for (name, value) in overlay(environment)? {
            place(&mut table, &name.split('.').collect::<Vec<_>>(), value)
                .with_context(|| format!("setting {name} from the environment"))?;
        }
        table.try_into().context("a setting of the environment does not fit")
    }

    /// What can be said of the settings before anything is opened, by setting.
    pub fn check(&self) -> Result<()> {
        address(&self.listen).map_err(|why| anyhow::anyhow!("listen: {why}"))?;
        if let Some(listen) = &self.metrics_listen {
            address(listen).map_err(|why| anyhow::anyhow!("metrics_listen: {why}"))?;
        }
        if let Some(url) = &self.root_url {
            falconer_web::PublicOrigin::parse(url)?;
        }
        for text in &self.trusted_proxies {
            text.parse::<falconer_web::Network>().map_err(|error| anyhow::anyhow!("trusted_proxies: `{text}`: {error}"))?;
        }
        self.audit.retention_ms()?;
        if let Some(url) = &self.database_url {
            falconer_store_postgres::PostgresStore::place(url.expose())
                .context("database_url: write something like postgres://user@host/database")?;
        }
        if self.websocktunnel_secret.as_ref().is_some_and(|secret| secret.expose().chars().count() < SHORTEST_SECRET) {
            bail!("websocktunnel_secret: give at least {SHORTEST_SECRET} characters, so that nobody can guess it");
        }
        let Limits { connections, header_seconds, idle_seconds, request_seconds } = self.limits;
        for (name, zero) in [
            ("connections", connections == 0),
            ("header_seconds", header_seconds == 0),
            ("idle_seconds", idle_seconds == 0),
            ("request_seconds", request_seconds == 0),
        ] {
            if zero {
                bail!("limits.{name}: 0 would let nobody in; give at least 1");
            }
        }
        tracing_subscriber::EnvFilter::try_new(&self.log.level).with_context(|| format!("log.level: `{}` is no filter", self.log.level))?;
        Ok(())
    }

    /// The public origin as far as it can be told without listening: the configured one, else `localhost` with the port of `listen`.
    pub fn default_origin(&self) -> Result<falconer_web::PublicOrigin> {
        let port = self.listen.rsplit_once(':').map_or("8080", |(_, port)| port);
        let origin = self.root_url.clone().unwrap_or_else(|| format!("http://localhost:{port}"));
        Ok(falconer_web::PublicOrigin::parse(&origin)?)
    }

    /// The environment alone, of the variables that `counts` picks.
    pub fn from_environment(counts: impl Fn(&str) -> bool) -> Result<Config> {
        let picked = std::env::vars().filter(|(name, _)| counts(name));
        Self::over(toml::Table::new(), picked)
    }

    /// The file alone is read strictly first, so that an error names its line.
    fn file(path: &Path) -> Result<toml::Table> {
        let text = std::fs::read_to_string(path).with_context(|| format!("can't read the configuration {}", path.display()))?;
        toml::from_str::<Config>(&text).with_context(|| format!("in {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("in {}", path.display()))
    }
}

/// A listen address as it was given, or what is wrong with it.
pub fn address(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no address and port; write something like 127.0.0.1:8080");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

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

/// Shorter secrets can be guessed from one token.
const SHORTEST_SECRET: usize = 16;

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

fn overlay(environment: impl Iterator<Item = (String, String)>) -> Result<BTreeMap<String, toml::Value>> {
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

fn place(table: &mut toml::Table, path: &[&str], value: toml::Value) -> Result<()> {
    match path {
        [] => Ok(()),
        [last] => {
            table.insert((*last).to_owned(), value);
            Ok(())
        }
        [first, rest @ ..] => {
            let inner = table.entry((*first).to_owned()).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            place(inner.as_table_mut().with_context(|| format!("{first} is no table"))?, rest, value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.toml");
        std::fs::write(&file, "listen = '127.0.0.1:9000'\n[grant]\nmax_ttl = '3 days'\n").unwrap();
        let config =
            Config::read(Some(&file), environment(&[("FALCONER_GRANT__MAX_TTL", "1 day"), ("FALCONER_GRANT__REGISTERED_ONLY", "true")]))
                .unwrap();
        assert_eq!(config.listen, "127.0.0.1:9000");
        assert_eq!(config.grant.max_ttl, "1 day");
        assert!(config.grant.registered_only);
    }

    #[test]
    fn an_unknown_key_is_refused_with_file_and_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.toml");
        std::fs::write(&file, "listen = '127.0.0.1:9000'\nlissten = 'x'\n").unwrap();
        let error = format!("{:#}", Config::read(Some(&file), environment(&[])).unwrap_err());
        assert!(error.contains("falconer.toml") && error.contains("line 2") && error.contains("lissten"), "{error}");
    }

    #[test]
    fn a_setting_may_come_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("url");
        std::fs::write(&secret, "https://auth.example.com\n").unwrap();
        let config = Config::read(None, environment(&[("FALCONER_ROOT_URL_FILE", secret.to_str().unwrap())])).unwrap();
        assert_eq!(config.root_url.as_deref(), Some("https://auth.example.com"));
    }

    #[test]
    fn a_mistyped_variable_is_an_error() {
        let error = Config::read(None, environment(&[("FALCONER_LISTN", "x")])).unwrap_err().to_string();
        assert!(error.contains("FALCONER_LISTN"), "{error}");
    }

    #[test]
    fn what_would_let_nobody_in_is_named() {
        let config = |text: &str| toml::from_str::<Config>(text).unwrap().check().map_err(|error| format!("{error:#}"));
        assert_eq!(config("listen = '[::1]:0'\nroot_url = 'https://auth.example.com'\ntrusted_proxies = ['10.0.0.0/8']"), Ok(()));
        for (text, named) in [
            ("listen = '8080'", "listen: `8080`"),
            ("listen = '127.0.0.1:99999'", "listen: `127.0.0.1:99999`"),
            ("root_url = 'http://auth.example.com'", "root_url"),
            ("trusted_proxies = ['proxy']", "trusted_proxies: `proxy`"),
            ("[limits]\nrequest_seconds = 0", "limits.request_seconds"),
            ("[log]\nlevel = 'a=b=c'", "log.level"),
            ("[audit]\nretention = 'a while'", "audit.retention"),
            ("[audit]\nretention = '1 hour'", "audit.retention"),
            ("[audit]\nretention = '-1 year'", "audit.retention"),
            ("websocktunnel_secret = 'short'", "websocktunnel_secret"),
        ] {
            let error = config(text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }

    #[test]
    fn a_secret_comes_as_text_or_from_a_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "12345678901234567890\n").unwrap();
        for variable in
            [("FALCONER_WEBSOCKTUNNEL_SECRET_FILE", file.to_str().unwrap()), ("FALCONER_WEBSOCKTUNNEL_SECRET", "12345678901234567890")]
        {
            let config = Config::read(None, environment(&[variable])).unwrap();
            assert_eq!(config.websocktunnel_secret.as_ref().map(SecretText::expose), Some("12345678901234567890"));
            assert!(!format!("{config:?}").contains("1234567890"), "{config:?}");
            config.check().unwrap();
        }
    }

    #[test]
    fn the_audit_is_kept_for_ever_unless_told_otherwise() {
        assert_eq!(Config::default().audit.retention_ms().unwrap(), None);
        let config: Config = toml::from_str("[audit]\nretention = '30 days'").unwrap();
        assert_eq!(config.audit.retention_ms().unwrap(), Some(30 * 86_400_000));
    }

    #[test]
    fn key_file_is_a_setting_and_no_indirection() {
        let config = Config::read(None, environment(&[("FALCONER_KEY_FILE", "keys/here")])).unwrap();
        assert_eq!(config.key_file, Some(PathBuf::from("keys/here")));
    }
}
