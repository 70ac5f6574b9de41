//! `falconer signin`: a grant to a loopback target of our own, as lines for the shell.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use super::UserOptions;
use super::grant_page::{self, GrantPageRequest, lifetime, scope};
use super::shell::Shell;
use crate::output;

/// `falconer signin`
#[derive(clap::Args)]
#[command(after_help = "Into the present shell:  eval \"$(falconer signin)\"   (fish: falconer signin --fish | source)")]
pub struct Options {
    /// Ask for this scope only; may be repeated; by default everything that you may do except what is broad
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<String>,
    /// A wish for the lifetime, such as `1 hour` or `3 days`
    #[arg(long, value_name = "TIME", value_parser = lifetime)]
    expires: Option<String>,
    /// What the page shows as your reason
    #[arg(long, default_value = "Credentials for the command line.")]
    description: String,
    /// Print the address and open no browser
    #[arg(long)]
    no_browser: bool,
    /// The port of loopback that waits for the answer; by default a free one. With a port of your own the page asks only once for the host to be typed
    #[arg(long, default_value = "0")]
    port: u16,
    /// Seconds to wait for your decision
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    #[command(flatten)]
    shell: Shell,
    #[command(flatten)]
    user: UserOptions,
}

/// Waits for the grant and prints the credentials.
pub async fn run(options: Options) -> Result<()> {
    let root_url = options.user.root_url()?;
    let request = GrantPageRequest {
        scopes: &options.scopes,
        expires: options.expires.as_deref(),
        description: &options.description,
        no_browser: options.no_browser,
        port: options.port,
        timeout: Some(Duration::from_secs(options.timeout)),
    };
    let answer = grant_page::ask(&root_url, &request).await?;
    print(&options, &root_url, &answer)
}

fn print(options: &Options, root_url: &str, found: &BTreeMap<String, String>) -> Result<()> {
    let value = |name: &str| found.get(name).map(String::as_str).unwrap_or_default();
    if options.user.json {
        return output::json(&serde_json::json!({
            "rootUrl": root_url, "clientId": value("clientId"), "accessToken": value("accessToken"), "certificate": value("certificate"),
        }));
    }
    options.shell.print_credentials(root_url, value("clientId"), value("accessToken"), value("certificate"))?;
    let until = falconer_client::Credentials::new(value("clientId"), value("accessToken")).with_certificate(value("certificate"));
    let until = until.ok().and_then(|credentials| credentials.expires_ms()).map(output::time);
    eprintln!("Signed in as {}{}.", value("clientId"), until.map_or_else(String::new, |time| format!(" until {time}")));
    Ok(())
}
