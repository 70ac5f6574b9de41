//! What a thousand hostile requests cost beside a thousand plain ones: `falconer-bench strangers`. Each kind once took much more than it was worth.
//!
//! `kinds` holds the requests, `measure` sends them to the binary and reads what it took from the operating system. Each kind has a server of its own, so
//! that the highest memory is that kind's.

pub mod kinds;
mod measure;

use std::path::PathBuf;

use anyhow::{Result, bail};

use self::measure::Cost;

/// The options of `falconer-bench strangers`.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "falconer-bench strangers", about = "CPU and highest memory of hostile requests of each kind, beside plain ones")]
pub struct Options {
    /// The binary to measure
    #[arg(long, env = "FALCONER_BIN")]
    pub binary: PathBuf,
    /// Requests of each kind
    #[arg(long, default_value_t = 1_000)]
    pub requests: usize,
    /// Connections that send them at the same time
    #[arg(long, default_value_t = 8)]
    pub connections: usize,
    /// Where the table goes, besides standard output
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// Fail where a kind costs more than its limit
    #[arg(long)]
    pub must_hold: bool,
}

/// Measures all kinds, prints the table.
pub fn run(options: &Options) -> Result<()> {
    let mut costs = Vec::new();
    for kind in kinds::ALL {
        let cost = measure::of(options, &kind)?;
        eprintln!("   {}: {:.0} ms, {:.1} MB", kind.name, cost.cpu_ms, cost.peak_mb);
        costs.push((kind, cost));
    }
    let plain = costs.first().map(|(_, cost)| *cost).unwrap_or_default();
    let mut table = format!(
        "| {} requests | answer | bytes sent, each | CPU | times plain | at most | highest memory | more than plain | at most |\n",
        options.requests
    );
    table.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    let mut over = Vec::new();
    for (kind, cost) in &costs {
        let (times, more) = (cost.cpu_ms / plain.cpu_ms, cost.peak_mb - plain.peak_mb);
        table.push_str(&format!(
            "| {} | {} | {} | {:.0} ms | {times:.1} | {} | {:.1} MB | {more:.1} MB | {} MB |\n",
            kind.name, cost.status, cost.sent, cost.cpu_ms, kind.most_times, cost.peak_mb, kind.most_more_mb
        ));
        if times > kind.most_times || more > kind.most_more_mb {
            over.push(kind.name);
        }
    }
    print!("\n{table}");
    if let Some(file) = &options.markdown {
        std::fs::write(file, &table)?;
    }
    if options.must_hold && !over.is_empty() {
        bail!("these cost more than they may: {}", over.join(", "));
    }
    Ok(())
}

impl Default for Cost {
    fn default() -> Cost {
        Cost { status: 0, sent: 0, cpu_ms: f64::NAN, peak_mb: f64::NAN }
    }
}
