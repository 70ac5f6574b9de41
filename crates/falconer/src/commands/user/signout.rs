//! `falconer signout`: the grant whose credentials the environment has ends, and the shell forgets them.

use anyhow::{Context as _, Result, bail};
use falconer_client::GrantEnd;

use super::UserOptions;
use super::shell::Shell;
use crate::output;

/// `falconer signout`
#[derive(clap::Args)]
#[command(after_help = "In the present shell:  eval \"$(falconer signout)\"   (fish: falconer signout --fish | source)")]
pub struct Options {
    #[command(flatten)]
    shell: Shell,
    #[command(flatten)]
    user: UserOptions,
}

/// Ends the grant and prints the lines. Where it is not known to have ended nothing is printed, so that it can be tried once more.
pub async fn run(options: Options) -> Result<()> {
    let client = options.user.client()?;
    let Some(credentials) = client.credentials() else {
        bail!("there are no credentials: TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN are not set");
    };
    let client_id = credentials.client_id().to_owned();
    let listed = format!("{}/me/grants", client.root_url());
    match client.end_grant().await {
        GrantEnd::Ended => {}
        GrantEnd::Counts(error) => {
            return Err(error).context(format!("the credentials count still (what you granted is listed at {listed})"));
        }
        GrantEnd::NotKnown(error) => {
            return Err(error).context(format!("nobody knows whether the grant has ended (sign out once more, or look at {listed})"));
        }
    }
    if options.user.json {
        output::json(&serde_json::json!({"clientId": client_id, "ended": true}))?;
    } else {
        for name in ["TASKCLUSTER_CLIENT_ID", "TASKCLUSTER_ACCESS_TOKEN", "TASKCLUSTER_CERTIFICATE"] {
            output::line(&options.shell.line(name, ""))?;
        }
    }
    eprintln!("Signed out: {client_id} has ended.");
    Ok(())
}
