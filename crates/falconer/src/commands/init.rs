//! `falconer init`: a data directory with everything that a first start needs, and the root credentials, printed once.

use std::path::PathBuf;

use anyhow::{Result, bail};
use falconer_web::PublicOrigin;

use super::{serve, setup_link};
use crate::config::Config;
use crate::node::{Access, Node, database};
use crate::output;

/// `falconer init`
#[derive(clap::Args)]
pub struct Options {
    /// Where the database and the keys will live
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// The public origin, for the links that are printed; by default http://localhost:8080
    #[arg(long, value_name = "URL")]
    root_url: Option<String>,
    /// Make no roles
    #[arg(long)]
    bare: bool,
    /// Print one JSON object: rootUrl, clientId, accessToken, setupUrl
    #[arg(long)]
    json: bool,
}

/// Makes it.
pub async fn run(options: Options) -> Result<()> {
    let config = Config { data_dir: options.data_dir, ..Config::default() };
    if database(&config.data_dir).exists() {
        bail!("{} holds a Falconer already; `falconer root-reset` gives its root client a new token", config.data_dir.display());
    }
    let origin = PublicOrigin::parse(options.root_url.as_deref().unwrap_or("http://localhost:8080"))?;
    let node = Node::open(&config, serve::auth_origin(&origin)?, Access::Alone, true).await?;
    let root = node.auth.fresh_install(options.bare).await?;
    let link = setup_link::make(&node.login, &origin).await?;
    if options.json {
        return output::json(&serde_json::json!({
            "rootUrl": origin.as_str(), "clientId": root.client_id, "accessToken": root.access_token.expose(), "setupUrl": link,
        }));
    }
    println!("clientId     {}\naccessToken  {}", root.client_id, root.access_token.expose());
    println!("\nThe token is shown this once. It may do everything: keep it where only administrators can read it.");
    println!(
        "\nNext:\n  falconer serve --data-dir {}\n  then make the first administrator (within an hour): {link}",
        config.data_dir.display()
    );
    Ok(())
}
