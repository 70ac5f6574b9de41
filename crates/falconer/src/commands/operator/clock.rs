//! `falconer clock`: what to do when the clock of the machine was wrong while something was changed.

use anyhow::Result;

use super::PrintOptions;
use crate::output;

/// `falconer clock`
#[derive(clap::Subcommand)]
pub enum Clock {
    /// Accept the present time of this machine as right, whatever was stored; look at the clock first
    Accept(PrintOptions),
}

/// Accepts it, and prints what counts now.
pub async fn run(command: Clock) -> Result<()> {
    let Clock::Accept(options) = command;
    let (node, _) = options.local.open().await?;
    let accepted = node.auth.accept_time().await?;
    let (before, now) = (output::time(accepted.before_ms), output::time(accepted.now_ms));
    if options.json {
        return output::json(&serde_json::json!({ "before": before, "accepted": now }));
    }
    output::fields(&[("before", vec![before]), ("accepted", vec![now])])?;
    eprintln!(
        "A server that is running takes it over within a second. What had ended by the clock of before, and not by this one, counts again."
    );
    Ok(())
}
