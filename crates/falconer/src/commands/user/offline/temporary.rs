//! `falconer temporary`: credentials for less, and for a while, out of the present ones.

use anyhow::{Context as _, Result};

use crate::commands::user::UserOptions;
use crate::commands::user::shell::Shell;
use crate::commands::user::signing_in::grant_page::{lifetime, scope};
use crate::output;

/// `falconer temporary`
#[derive(clap::Args)]
#[command(after_help = "Into the present shell:  eval \"$(falconer temporary --scope notes:read:red)\"   (fish: ... --fish | source)")]
pub struct Options {
    /// A scope that they have, as far as the present credentials have it; may be repeated; by default none
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<String>,
    /// For how long, such as `1 hour`; 31 days at most
    #[arg(long, value_name = "TIME", value_parser = lifetime, default_value = "1 hour")]
    expires: String,
    /// Their name; the present credentials need `auth:create-client:<name>`
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    shell: Shell,
    #[command(flatten)]
    user: UserOptions,
}

/// Makes them and prints them.
pub fn run(options: &Options) -> Result<()> {
    let client = options.user.client()?;
    let credentials =
        client.credentials().context("there are no credentials: TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN are not set")?;
    let lifetime_ms = falconer_wire::time_expression::parse_ms(&options.expires)?;
    let made = credentials.temporary(options.name.as_deref(), &options.scopes, lifetime_ms)?;
    let certificate = made.certificate().unwrap_or_default();
    let (id, token) = (made.client_id(), made.access_token().expose());
    if options.user.json {
        let root_url = client.root_url();
        return output::json(&serde_json::json!({ "rootUrl": root_url, "clientId": id, "accessToken": token, "certificate": certificate }));
    }
    options.shell.print_credentials(client.root_url(), id, token, certificate)?;
    eprintln!("Made for {id}{}.", made.expires_ms().map_or_else(String::new, |ms| format!(" until {}", output::time(ms))));
    Ok(())
}
