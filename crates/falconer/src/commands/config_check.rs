//! `falconer config check`: whether the configuration would be accepted, and what it comes to.

use std::path::PathBuf;

use anyhow::{Context, Result};
use falconer_web::PublicOrigin;

use crate::config::Config as Settings;
use crate::node::duration_ms;

/// The configuration.
#[derive(clap::Subcommand)]
pub enum Config {
    /// Read file and environment, and say what is wrong
    Check {
        /// The configuration file; by default falconer.toml in this folder, where there is one
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// Runs one of them.
pub fn run(command: Config) -> Result<()> {
    let Config::Check { config } = command;
    let settings = Settings::read(config.as_deref(), std::env::vars())?;
    if let Some(url) = &settings.root_url {
        PublicOrigin::parse(url)?;
    }
    duration_ms("grant.max_ttl", &settings.grant.max_ttl)?;
    duration_ms("identity.max_age", &settings.identity.max_age)?;
    for text in &settings.trusted_proxies {
        text.parse::<falconer_web::Network>().map_err(|error| anyhow::anyhow!("trusted_proxies: `{text}`: {error}"))?;
    }
    tracing_subscriber::EnvFilter::try_new(&settings.log.level)
        .with_context(|| format!("log.level: `{}` is no filter", settings.log.level))?;
    println!("the configuration is fine: listen {}, data in {}", settings.listen, settings.data_dir.display());
    Ok(())
}
