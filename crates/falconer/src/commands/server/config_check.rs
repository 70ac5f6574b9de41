//! `falconer config check`: whether the configuration would be accepted, and what it comes to.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use falconer_auth::Clock as _;
use falconer_login::{ProviderError, SignInStart};
use falconer_web::PublicOrigin;

use super::serve::{auth_origin, origin_at};
use crate::commands::user::tls_problem;
use crate::config::Config as Settings;
use crate::node::{Node, known_by_other, providers, warnings};
use crate::output;
use crate::system::SystemClock;

/// The configuration.
#[derive(clap::Subcommand)]
pub enum Config {
    /// Read file and environment, and say what is wrong; nothing is changed
    Check {
        /// The configuration file; by default the one that FALCONER_CONFIG names, else falconer.toml in this folder
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
    Node::open_in_memory(&settings, auth_origin(&origin)?).await?;
    for warning in warnings(&settings, origin.as_str()) {
        eprintln!("warning: {warning}");
    }
    let others = known_by_other(&settings, &crate::node::providers(&settings)?.sign_in).await?;
    if !others.is_empty() {
        bail!(others.join("\n"));
    }
    output::line("The configuration is fine.")?;
    output::fields(&[
        ("root_url", vec![origin.as_str().to_owned()]),
        ("listen", vec![settings.listen.clone()]),
        ("data_dir", vec![settings.data_dir.display().to_string()]),
        ("static clients", vec![settings.static_client.len().to_string()]),
        ("registered targets", vec![settings.target.len().to_string()]),
        ("applications", vec![settings.application.len().to_string()]),
        ("identity providers", settings.provider.iter().map(|provider| format!("{} ({})", provider.name(), provider.kind())).collect()),
    ])?;
    if providers { ask_providers(&settings, &origin).await } else { Ok(()) }
}

/// One after the other, all of them, whatever the first ones answer.
async fn ask_providers(settings: &Settings, origin: &PublicOrigin) -> Result<()> {
    let providers = providers(settings)?;
    let (mut failed, mut failed_directories, mut failed_mail) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(mailer) = &providers.mailer {
        failed_mail.extend(print_found("mail", mailer.probe().await.map_err(ProviderError::from))?);
    }
    for provider in &providers.sign_in {
        let mut found = provider.kind.probe(SystemClock.now_ms()).await;
        if let Ok(found) = &mut found
            && provider.kind.sign_in_start() == SignInStart::Away
        {
            found.push(("register there as redirect URI", format!("{}/login/{}/callback", origin.as_str(), provider.name)));
        }
        failed.extend(print_found(&provider.name, found)?);
    }
    for directory in &providers.directories {
        let found = directory.kind.probe(SystemClock.now_ms()).await;
        failed_directories.extend(print_found(&directory.name, found)?);
    }
    let all = [
        ("nobody could sign in with", failed),
        ("nothing would be added by", failed_directories),
        ("nothing could be sent by", failed_mail),
    ];
    let failures = all.into_iter().filter(|(_, names)| !names.is_empty()).map(|(what, names)| format!("{what} {}", names.join(", ")));
    let failures: Vec<String> = failures.collect();
    if failures.is_empty() { Ok(()) } else { bail!("{}; see above", failures.join(", ")) }
}

/// What a provider said of itself. Answers its name where it failed.
fn print_found<'n>(name: &'n str, found: Result<Vec<(&'static str, String)>, ProviderError>) -> Result<Option<&'n str>> {
    output::line(&format!("\n{name}"))?;
    match found {
        Ok(found) => {
            output::fields(&found.into_iter().map(|(what, found)| (what, vec![found])).collect::<Vec<_>>())?;
            Ok(None)
        }
        Err(error) => {
            output::line(&format!("failed: {error}"))?;
            if let Some(fault) = error.tls_fault() {
                output::line(tls_problem(fault))?;
            }
            Ok(Some(name))
        }
    }
}
