//! What the crates depend on: entries of manifests that nothing uses, and what `deny.toml` says of licences, versions and sources. Part of the lints.

mod deny;
mod graph;
mod unused;

use anyhow::{Context, Result, bail};

use crate::run::root;

/// Prints what is wrong, and fails if anything is.
pub fn run() -> Result<()> {
    let text = std::fs::read_to_string(root().join("deny.toml")).context("deny.toml")?;
    let rules = deny::Rules::read(&text)?;
    let graph = graph::Graph::read(rules.target()?)?;
    let mut faults = rules.faults(&graph.linked);
    faults.extend(unused::faults(&graph.ours)?);
    if faults.is_empty() {
        println!(
            "dependencies: licences, versions and sources of {} crates hold, and each entry of a manifest is used",
            graph.linked.len()
        );
        return Ok(());
    }
    bail!("{} faults of dependencies:\n  {}", faults.len(), faults.join("\n  "))
}
