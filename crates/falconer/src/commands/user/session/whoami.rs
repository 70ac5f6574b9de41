//! `falconer whoami`: the clientId that calls are made as, once the server has said that it is so.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::live::{self, Live};
use crate::commands::user::UserOptions;
use crate::output;

/// `falconer whoami`
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    user: UserOptions,
}

/// Prints it.
pub async fn run(options: Options) -> Result<()> {
    let client = options.user.client()?;
    let credentials = client.credentials().context("nobody is signed in here: `falconer signin` begins a session")?.clone();
    let root_url = client.root_url().to_owned();
    match live::ask(client).await {
        Live::Accepted(_) => {}
        Live::Refused(error) => {
            return Err(error).context(format!("{root_url} does not accept the credentials of {}", credentials.client_id()));
        }
        Live::NotKnown(error) => return Err(error).context(format!("whether {root_url} accepts the credentials is not known")),
    }
    if options.user.json {
        return output::json(&json!({ "clientId": credentials.client_id(), "rootUrl": root_url }));
    }
    output::line(&output::harmless(credentials.client_id()))
}
