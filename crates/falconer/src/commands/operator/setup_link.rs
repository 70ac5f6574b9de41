//! `falconer setup-link`: another link for making an administrator, also while the server runs.

use anyhow::Result;
use falconer_login::Login;
use falconer_web::PublicOrigin;

use super::PrintOptions;
use crate::output;

/// Makes and prints it.
pub async fn run(options: PrintOptions) -> Result<()> {
    let (node, origin) = options.local.open().await?;
    let link = make(&node.login, &origin).await?;
    if options.json {
        return output::json(&serde_json::json!({ "setupUrl": link }));
    }
    output::line(&link)?;
    eprintln!("Valid for an hour, for one administrator.");
    Ok(())
}

/// A link under `origin`.
pub async fn make(login: &Login, origin: &PublicOrigin) -> Result<String> {
    let link = login.create_setup_link().await?;
    Ok(format!("{}/setup?token={}", origin.as_str(), link.token.as_str()))
}
