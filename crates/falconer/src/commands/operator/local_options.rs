//! Which data directory a command of this room is about.

use std::path::PathBuf;

use anyhow::Result;
use falconer_web::PublicOrigin;

use crate::commands::server::serve::auth_origin;
use crate::config::{Config, SecretText};
use crate::node::{Access, Node, noted_root_url};

/// Where the server's data is.
#[derive(clap::Args)]
pub struct LocalOptions {
    /// The configuration file; by default the one that FALCONER_CONFIG names, else falconer.toml in this folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the database and the keys live
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The database, where the records are in PostgreSQL: postgres://user@host/database; a password is better in FALCONER_DATABASE_URL or its _FILE
    #[arg(long, value_name = "URL")]
    database_url: Option<SecretText>,
    /// The public origin, for links; by default the configured one, else that of the server that ran here last
    #[arg(long, value_name = "URL", value_parser = PublicOrigin::parse)]
    root_url: Option<PublicOrigin>,
}

/// What a command takes that prints one thing.
#[derive(clap::Args)]
pub struct PrintOptions {
    #[command(flatten)]
    pub local: LocalOptions,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl LocalOptions {
    /// The configuration with what the command line says.
    pub fn config(&self) -> Result<Config> {
        let mut config = Config::read(self.config.as_deref(), std::env::vars())?;
        if let Some(folder) = &self.data_dir {
            config.data_dir.clone_from(folder);
        }
        if let Some(url) = &self.database_url {
            config.database_url = Some(url.clone());
        }
        config.check()?;
        Ok(config)
    }

    /// Opens the data directory beside a server that may be running.
    pub async fn open(&self) -> Result<(Node, PublicOrigin)> {
        let config = self.config()?;
        let noted = || noted_root_url(&config.data_dir).and_then(|url| PublicOrigin::parse(&url).ok());
        let origin = match (&self.root_url, &config.root_url) {
            (Some(origin), _) => origin.clone(),
            (None, Some(_)) => config.default_origin()?,
            (None, None) => noted().map_or_else(|| config.default_origin(), Ok)?,
        };
        let node = Node::open(&config, auth_origin(&origin)?, Access::Beside, false).await?;
        Ok((node, origin))
    }
}
