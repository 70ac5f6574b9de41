//! What the commands of a user share: the server and the credentials, from the environment of the published clients.

use anyhow::{Context, Result};
use falconer_client::Client;

/// `--root-url` and `--json`.
#[derive(clap::Args, Clone)]
pub struct UserOptions {
    /// The server; by default TASKCLUSTER_ROOT_URL
    #[arg(long, value_name = "URL")]
    root_url: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl UserOptions {
    /// The root URL, from the flag or the environment.
    pub fn root_url(&self) -> Result<String> {
        match &self.root_url {
            Some(url) => Ok(url.clone()),
            None => std::env::var("TASKCLUSTER_ROOT_URL")
                .context("no server: set TASKCLUSTER_ROOT_URL (falconer signin prints the line) or give --root-url"),
        }
    }

    /// A client with the credentials of the environment, or without any.
    pub fn client(&self) -> Result<Client> {
        let environment = falconer_client::Environment::read().context("the credentials in the environment")?;
        let client = Client::new(&self.root_url()?)?;
        Ok(match environment.credentials {
            Some(credentials) => client.with_credentials(credentials),
            None => client,
        })
    }
}
