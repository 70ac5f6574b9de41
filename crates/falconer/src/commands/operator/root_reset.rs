//! `falconer root-reset`: a new token for the root client, for when the old one is lost or was seen.

use anyhow::Result;

use super::PrintOptions;
use crate::output;

/// Resets and prints it.
pub async fn run(options: PrintOptions) -> Result<()> {
    let (node, _) = options.local.open().await?;
    let root = node.auth.root_reset().await?;
    if options.json {
        return output::json(&serde_json::json!({ "clientId": root.client_id, "accessToken": root.access_token.expose() }));
    }
    output::fields(&[("clientId", vec![root.client_id]), ("accessToken", vec![root.access_token.expose().to_owned()])])?;
    eprintln!("The old token ends within a second, also in a server that is running.");
    Ok(())
}
