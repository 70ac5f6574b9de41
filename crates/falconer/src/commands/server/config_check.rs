//! `falconer config check`: whether the configuration would be accepted, and what it comes to.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use falconer_auth::Clock as _;
use falconer_web::PublicOrigin;

use super::serve::{auth_origin, origin_at};
use crate::config::Config as Settings;
use crate::node::{Node, providers, readable_by_others, targets_on_our_host};
use crate::output;
use crate::system::SystemClock;

/// The configuration.
#[derive(clap::Subcommand)]
pub enum Config {
    /// Read file and environment, and say what is wrong; nothing is changed
    Check {
        /// The configuration file; by default falconer.toml in this folder, where there is one
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Ask each identity provider too, and say what it answers
        #[arg(long)]
        providers: bool,
    },
}

/// Runs one of them.
pub async fn run(command: Config) -> Result<()> {
    let Config::Check { config, providers } = command;
    let settings = Settings::read(config.as_deref(), std::env::vars())?;
    settings.check()?;
    let mut addresses =
        tokio::net::lookup_host(&settings.listen).await.with_context(|| format!("listen: `{}` can't be resolved", settings.listen))?;
    let address = addresses.next().with_context(|| format!("listen: `{}` has no address", settings.listen))?;
    let origin = origin_at(&settings, address)?;
    Node::rehearse(&settings, auth_origin(&origin)?).await?;
    for warning in readable_by_others(&settings).into_iter().chain(targets_on_our_host(&settings, origin.as_str())) {
        eprintln!("warning: {warning}");
    }
    output::line("The configuration is fine.")?;
    output::fields(&[
        ("root_url", vec![origin.as_str().to_owned()]),
        ("listen", vec![settings.listen.clone()]),
        ("data_dir", vec![settings.data_dir.display().to_string()]),
        ("static clients", vec![settings.static_client.len().to_string()]),
        ("registered targets", vec![settings.target.len().to_string()]),
        ("identity providers", settings.provider.iter().map(|provider| format!("{} ({})", provider.name(), provider.kind())).collect()),
    ])?;
    if providers { ask_providers(&settings, &origin).await } else { Ok(()) }
}

/// One after the other, all of them, whatever the first ones answer.
async fn ask_providers(settings: &Settings, origin: &PublicOrigin) -> Result<()> {
    let providers = providers(settings)?;
    let mut failed = Vec::new();
    for provider in &providers {
        output::line(&format!("\n{}", provider.name))?;
        match provider.kind.probe(SystemClock.now_ms()).await {
            Ok(found) => {
                let callback = format!("{}/login/{}/callback", origin.as_str(), provider.name);
                let found = found.into_iter().chain([("register there as redirect URI", callback)]);
                output::fields(&found.map(|(what, found)| (what, vec![found])).collect::<Vec<_>>())?;
            }
            Err(error) => {
                output::line(&format!("failed: {error}"))?;
                failed.push(provider.name.as_str());
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("nobody could sign in with {}; see above", failed.join(", "))
}
