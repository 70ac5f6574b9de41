//! `falconer restored`: says that the database was restored by other means than `falconer restore`, such as PostgreSQL's own.

use anyhow::Result;
use serde_json::json;

use crate::commands::operator::PrintOptions;
use crate::node::noted_history;
use crate::output;

/// Begins another history of the database, and prints what counts now. Doing so once too often costs followers of events one more listing.
pub async fn run(options: PrintOptions) -> Result<()> {
    let (node, _) = options.local.open().await?;
    let (before, revision) = (node.store.history().await?, node.store.revision().await?);
    let begun = node.store.begin_history(before.epoch, revision).await?;
    noted_history::note(&options.local.config()?.data_dir, begun, revision)?;
    if options.json {
        let (before, epoch) = (before.epoch.to_string(), begun.epoch.to_string());
        return output::json(&json!({ "before": before, "epoch": epoch, "revision": revision.0 }));
    }
    output::line(&format!("Another history begins at revision {}: {} instead of {}", revision.0, begun.epoch, before.epoch))?;
    output::line(
        "Servers that run take it over within a second; revisions and ids of events of before the restore mean nothing from now on",
    )
}
