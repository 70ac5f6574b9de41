//! `falconer init`: a data directory with everything that a first start needs, and the root credentials, printed once.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use falconer_web::PublicOrigin;

use super::serve;
use crate::commands::operator::setup_link;
use crate::config::{Config, SecretText};
use crate::node::{Access, Node, note_root_url, readable_by_others};
use crate::output::{self, shell_word};

/// `falconer init`
#[derive(clap::Args)]
pub struct Options {
    /// The configuration file, where it says something about the key file or the root URL; by default the one that FALCONER_CONFIG names, else falconer.toml in this folder
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the database and the keys will live
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,
    /// Keep the records in PostgreSQL: postgres://user@host/database; a password is better in FALCONER_DATABASE_URL or its _FILE
    #[arg(long, value_name = "URL")]
    database_url: Option<SecretText>,
    /// The public origin, for the links that are printed; by default the configured one, else http://localhost:8080
    #[arg(long, value_name = "URL", value_parser = PublicOrigin::parse)]
    root_url: Option<PublicOrigin>,
    /// Make no roles
    #[arg(long)]
    bare: bool,
    /// Print one JSON object: rootUrl, clientId, accessToken, setupUrl
    #[arg(long)]
    json: bool,
}

/// Makes it, or finishes what an interrupted `init` began.
pub async fn run(options: Options) -> Result<()> {
    let mut config = Config { data_dir: options.data_dir, ..Config::read(options.config.as_deref(), std::env::vars())? };
    if options.database_url.is_some() {
        config.database_url = options.database_url;
    }
    config.check()?;
    let origin = match &options.root_url {
        Some(origin) => origin.clone(),
        None => config.default_origin()?,
    };
    let node = Node::open(&config, serve::auth_origin(&origin)?, Access::Alone, true).await?;
    for warning in readable_by_others(&config) {
        eprintln!("warning: {warning}");
    }
    let folder = shell_word(&config.data_dir.display().to_string());
    if node.auth.is_installed() {
        bail!(
            "{folder} holds a Falconer already: `falconer serve --data-dir {folder}` serves it, `falconer root-reset --data-dir {folder}` gives its root client a new token"
        );
    }
    let root = node.auth.fresh_install(options.bare).await?;
    // From here on the root client is there, and its token nowhere but here.
    let lost = || {
        format!("the root client was made, but its token could not be shown: `falconer root-reset --data-dir {folder}` gives it another")
    };
    let link = setup_link::make(&node.login, &origin).await.with_context(lost)?;
    note_root_url(&config.data_dir, origin.as_str()).with_context(lost)?;
    if options.json {
        let all = serde_json::json!({
            "rootUrl": origin.as_str(), "clientId": root.client_id, "accessToken": root.access_token.expose(), "setupUrl": link,
        });
        return output::json(&all).with_context(lost);
    }
    output::fields(&[("clientId", vec![root.client_id]), ("accessToken", vec![root.access_token.expose().to_owned()])])
        .with_context(lost)?;
    let serve = match (&options.config, &options.root_url) {
        (Some(file), _) => format!("falconer serve --config {} --data-dir {folder}", shell_word(&file.display().to_string())),
        (None, Some(origin)) => format!("falconer serve --data-dir {folder} --root-url {}", origin.as_str()),
        (None, None) => format!("falconer serve --data-dir {folder}"),
    };
    output::line(&format!(
        "\nThe token is shown this once. It may do everything: keep it where only administrators can read it.\n\n\
         Next:\n  {serve}\n  then make the first administrator (within an hour): {link}"
    ))
}
