//! What can be said of the settings before anything is opened.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use falconer_auth::authority;

use super::secret_text::SecretText;
use super::settings::{Limits, Tracing};
use super::{Audit, Config};

/// Room for an index is made at the start, so that a number that was meant as bytes would end the process.
const LARGEST_CACHE_MIB: u32 = 65_536;

/// Shorter secrets can be guessed from one token.
const SHORTEST_SECRET: usize = 16;

/// A day: whoever waits longer waits for ever, and no clock can count to the end of some numbers.
const MOST_SECONDS: u64 = 86_400;
/// Supervisors wait for a minute and a half before they kill.
const MOST_ANNOUNCED: u64 = 60;
/// A proxy that looks once a second notices it.
const ANNOUNCED_BESIDE_OTHERS: u64 = 3;
/// A TiB.
const MOST_MIB: u64 = 1024 * 1024;

/// A look at the database is made twice a second, and may take a moment.
const STALENESS_MS: std::ops::RangeInclusive<i64> = 2000..=86_400_000;

/// Each takes up to six kilobytes.
const MOST_REFUSALS: usize = 100_000;

impl Config {
    /// What can be said of the settings before anything is opened, by setting.
    pub fn check(&self) -> Result<()> {
        address(&self.listen).map_err(|why| anyhow::anyhow!("listen: {why}"))?;
        if let Some(listen) = &self.metrics_listen {
            address(listen).map_err(|why| anyhow::anyhow!("metrics_listen: {why}"))?;
            if *listen == self.listen && !listen.ends_with(":0") {
                bail!("metrics_listen: `{listen}` is where `listen` is; give another port");
            }
        }
        if self.data_dir.as_os_str().is_empty() {
            bail!("data_dir: it is empty; write `.` for the present folder");
        }
        if let Some(mib) = self.cache_mib.filter(|mib| *mib > LARGEST_CACHE_MIB) {
            bail!("cache_mib: {mib} is more than {LARGEST_CACHE_MIB}; it is a number of MiB");
        }
        if self.services.remembered_refusals > MOST_REFUSALS {
            bail!("services.remembered_refusals: {} is more than {MOST_REFUSALS}, which is the most", self.services.remembered_refusals);
        }
        if let Some(url) = &self.root_url
            && falconer_web::PublicOrigin::parse(url)?.port() == 0
        {
            bail!("root_url: `{url}`: nobody can connect to port 0");
        }
        for text in &self.trusted_proxies {
            text.parse::<falconer_web::Network>().map_err(|error| anyhow::anyhow!("trusted_proxies: `{text}`: {error}"))?;
        }
        self.audit.retention_ms()?;
        for (name, url) in [("database_url", &self.database_url), ("notify_url", &self.notify_url)] {
            const LIKE: &str = "write something like postgres://user@host/database";
            let Some(url) = url.as_ref().map(SecretText::expose) else { continue };
            if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
                bail!("{name}: it is no URL of PostgreSQL; {LIKE}");
            }
            falconer_store_postgres::PostgresStore::place(url).with_context(|| format!("{name}: {LIKE}"))?;
        }
        if self.notify_url.is_some() && self.database_url.is_none() {
            bail!("notify_url: it says where to listen for what other servers write to database_url, which is not set");
        }
        let staleness_ms = self.max_staleness_ms()?;
        if !STALENESS_MS.contains(&staleness_ms) {
            bail!("max_staleness: `{}`: give 2 seconds to 1 day", self.max_staleness);
        }
        if self.websocktunnel_secret.as_ref().is_some_and(|secret| secret.expose().chars().count() < SHORTEST_SECRET) {
            bail!("websocktunnel_secret: give at least {SHORTEST_SECRET} characters, so that nobody can guess it");
        }
        self.limits.check()?;
        crate::log::filter(&self.log.level)?;
        self.tracing.check()?;
        Ok(())
    }

    /// [`Config::max_staleness`] in milliseconds.
    pub fn max_staleness_ms(&self) -> Result<i64> {
        falconer_wire::time_expression::parse_ms(&self.max_staleness).context("max_staleness: write something like `5 seconds`")
    }

    /// How long a server that is told to end announces that. With a database on the same disk there is no other server that a proxy could go to.
    pub fn announce(&self) -> Duration {
        let unless_set = if self.database_url.is_some() { ANNOUNCED_BESIDE_OTHERS } else { 0 };
        Duration::from_secs(self.limits.announce_seconds.unwrap_or(unless_set))
    }

    /// The public origin as far as it can be told without listening: the configured one, else `localhost` with the port of `listen`.
    pub fn default_origin(&self) -> Result<falconer_web::PublicOrigin> {
        let port = authority::read(&self.listen).and_then(|(_, port)| port).unwrap_or(8080);
        let origin = self.root_url.clone().unwrap_or_else(|| format!("http://localhost:{port}"));
        Ok(falconer_web::PublicOrigin::parse(&origin)?)
    }
}

impl Limits {
    /// Each lets somebody in, and is no number that was meant in another unit.
    fn check(&self) -> Result<()> {
        let Limits {
            connections,
            connections_per_address,
            under_way_mib,
            under_way_mib_per_address,
            header_seconds,
            idle_seconds,
            request_seconds,
            announce_seconds,
            refuse_replays: _,
        } = *self;
        for (name, zero) in [
            ("connections", connections == 0),
            ("connections_per_address", connections_per_address == 0),
            ("under_way_mib", under_way_mib == 0),
            ("under_way_mib_per_address", under_way_mib_per_address == 0),
            ("header_seconds", header_seconds == 0),
            ("idle_seconds", idle_seconds == 0),
            ("request_seconds", request_seconds == 0),
        ] {
            if zero {
                bail!("limits.{name}: 0 would let nobody in; give at least 1");
            }
        }
        for (name, value, most) in [
            ("under_way_mib", under_way_mib as u64, MOST_MIB),
            ("under_way_mib_per_address", under_way_mib_per_address as u64, MOST_MIB),
            ("header_seconds", header_seconds, MOST_SECONDS),
            ("idle_seconds", idle_seconds, MOST_SECONDS),
            ("request_seconds", request_seconds, MOST_SECONDS),
            ("announce_seconds", announce_seconds.unwrap_or_default(), MOST_ANNOUNCED),
        ] {
            if value > most {
                bail!("limits.{name}: {value} is more than {most}, which is the most");
            }
        }
        Ok(())
    }
}

impl Tracing {
    fn check(&self) -> Result<()> {
        self.traces_url()?;
        if !(0.0..=1.0).contains(&self.ratio) {
            bail!("tracing.ratio: {} is no part; give 0 to 1", self.ratio);
        }
        Ok(())
    }

    /// Where spans are sent: `/v1/traces` below the endpoint, as OTLP has it.
    pub fn traces_url(&self) -> Result<Option<url::Url>> {
        let Some(endpoint) = &self.otlp_endpoint else { return Ok(None) };
        let below = format!("{}/v1/traces", endpoint.trim_end_matches('/').trim_end_matches("/v1/traces"));
        let url = below.parse::<url::Url>().ok().filter(|url| {
            let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
            matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain
        });
        match url {
            Some(url) => Ok(Some(url)),
            None => bail!("tracing.otlp_endpoint: write the address of a collector, such as http://127.0.0.1:4318, without user and query"),
        }
    }
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

/// A listen address as it was given, or what is wrong with it.
pub fn address(text: &str) -> Result<String, String> {
    let wrong = || format!("`{text}` is no address and port; write something like 127.0.0.1:8080");
    match authority::read(text) {
        Some((_, Some(_))) => Ok(text.to_owned()),
        _ => Err(wrong()),
    }
}
