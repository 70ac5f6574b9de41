//! Where people are administered.

use anyhow::Result;
use falconer_client::Client;
use falconer_web::PublicOrigin;

use crate::commands::operator::LocalOptions;
use crate::commands::user::{ServerOptions, server_url};
use crate::node::Node;

/// Here, or at a server.
#[derive(clap::Args)]
pub struct PlaceOptions {
    /// Ask a server instead of opening the data directory on this machine, with the credentials of the environment, else of a session; by default the server of TASKCLUSTER_ROOT_URL, else of the session
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, conflicts_with_all = ["config", "data_dir", "database_url", "root_url"], value_parser = server_url)]
    remote: Option<Option<String>>,
    #[command(flatten)]
    local: LocalOptions,
}

/// What was opened.
pub enum Place {
    /// The data directory of a server on this machine.
    Here(Box<Node>, PublicOrigin),
    /// A server.
    There(Box<Client>),
}

impl PlaceOptions {
    /// Opens it.
    pub async fn open(self) -> Result<Place> {
        match self.remote {
            Some(url) => Ok(Place::There(Box::new(ServerOptions::at(url).client()?))),
            None => {
                let opened = self.local.open().await.map(|(node, origin)| Place::Here(Box::new(node), origin));
                opened.map_err(|error| match ServerOptions::at(None).root_url() {
                    // Whoever has a server in the environment may have meant that one.
                    Ok(url) => error.context(format!("this opens the data directory on this machine; `--remote` asks {url} instead")),
                    Err(_) => error,
                })
            }
        }
    }
}
