//! `falconer current-scopes` and `falconer expand`.

use anyhow::Result;

use super::UserOptions;
use crate::output;

/// `falconer current-scopes`
#[derive(clap::Args)]
pub struct CurrentScopes {
    #[command(flatten)]
    user: UserOptions,
}

/// `falconer expand SCOPE...`
#[derive(clap::Args)]
pub struct Expand {
    /// Scopes, such as `assume:team:red`
    #[arg(required = true, value_name = "SCOPE")]
    scopes: Vec<String>,
    #[command(flatten)]
    user: UserOptions,
}

/// Prints what the present credentials may do, one scope a line.
pub async fn current(options: CurrentScopes) -> Result<()> {
    let scopes = options.user.client()?.current_scopes().await?.scopes;
    print(&scopes, options.user.json)
}

/// Prints what the given scopes expand to, one scope a line.
pub async fn expand(options: Expand) -> Result<()> {
    let scopes = options.user.client()?.expand_scopes(options.scopes).await?.scopes;
    print(&scopes, options.user.json)
}

fn print(scopes: &[String], json: bool) -> Result<()> {
    if json {
        return output::json(scopes);
    }
    scopes.iter().try_for_each(|scope| output::line(&output::harmless(scope)))
}
