//! `cargo xtask bench`: builds the packaged binary (profile `dist`) and runs `benches/`, which measures it beside the floors in one run. With `--instructions` it counts
//! instructions instead (`instructions.rs`).

pub mod instructions;

use std::path::Path;

use anyhow::{Context, Result};

use crate::run::{cargo, root, step, target};

#[derive(clap::Args)]
pub struct Options {
    /// Only rows whose id begins with one of these (with commas); `list` prints all ids
    #[arg(long, value_name = "ROWS")]
    rows: Option<String>,
    /// Only rows that are measured on these data sets (with commas): small, 1k, 10k, deep, wide, real, real16
    #[arg(long, value_name = "SETS")]
    set: Option<String>,
    /// Seconds of load that count for each row [default: 10]
    #[arg(long)]
    seconds: Option<String>,
    /// Keep-alive connections [default: 16]
    #[arg(long)]
    connections: Option<String>,
    /// Requests a second of the rows in an open loop [default: 5000]
    #[arg(long, value_name = "RATE")]
    open_loop: Option<String>,
    /// Revocations of each kind [default: 2000]
    #[arg(long, value_name = "COUNT")]
    revocations: Option<String>,
    /// Also measure with 1,000,000 clients (loading them takes long)
    #[arg(long)]
    million: bool,
    /// Another server of the protocol to measure beside Falconer, such as http://127.0.0.1:8081; its credentials, which must be allowed everything, are
    /// taken from TASKCLUSTER_CLIENT_ID and TASKCLUSTER_ACCESS_TOKEN
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// A shell command that starts that server on an empty database, once for each data set; BENCH_DATA_DIR names an empty folder
    #[arg(long, value_name = "COMMAND")]
    peer_command: Option<String>,
    /// The process of a server that runs already, for its CPU and memory
    #[arg(long, value_name = "PID")]
    peer_pid: Option<String>,
    /// Write table and plot into docs/performance.md and docs/images/performance.svg too (they always go to target/bench)
    #[arg(long)]
    publish: bool,
    /// Count instructions of the gated decisions and compare with benches/baseline.toml
    #[arg(long)]
    instructions: bool,
    /// With --instructions: write what was counted into benches/baseline.toml; commit it alone, with the reason
    #[arg(long, requires = "instructions")]
    write_baseline: bool,
}

pub fn run(options: &Options) -> Result<()> {
    if options.instructions {
        return instructions::run(options.write_baseline).map(drop);
    }
    cargo("packaged binary", &["build", "--profile", "dist", "--locked", "-p", "falconer", "-p", "falconer-benches", "--bins"], &[])?;
    let folder = target().join("bench");
    std::fs::create_dir_all(&folder)?;
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let dist = target().join("dist");
    let mut args = vec![
        "--binary".to_owned(),
        dist.join("falconer").to_string_lossy().into_owned(),
        "--out".to_owned(),
        path("performance.json"),
        "--plot".to_owned(),
        path("performance.svg"),
        "--markdown".to_owned(),
        path("performance.md"),
    ];
    let chosen = [
        ("--rows", &options.rows),
        ("--set", &options.set),
        ("--seconds", &options.seconds),
        ("--connections", &options.connections),
        ("--open-loop", &options.open_loop),
        ("--revocations", &options.revocations),
        ("--server", &options.server),
        ("--peer-command", &options.peer_command),
        ("--peer-pid", &options.peer_pid),
    ];
    for (name, value) in chosen {
        if let Some(value) = value {
            args.extend([name.to_owned(), value.clone()]);
        }
    }
    if options.million {
        args.push("--million".to_owned());
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    step("performance", &root(), &dist.join("falconer-bench").to_string_lossy(), &args, &[])?;
    if options.publish {
        std::fs::copy(path("performance.svg"), root().join("docs/images/performance.svg"))?;
        put_table(&root().join("docs/performance.md"), &std::fs::read_to_string(path("performance.md"))?)?;
    }
    Ok(())
}

const BEGIN: &str = "<!-- figures: written by `cargo xtask bench --publish` -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Puts the table between its marks in the page.
fn put_table(page: &Path, table: &str) -> Result<()> {
    let text = std::fs::read_to_string(page)?;
    let text = with_table(&text, table).context("docs/performance.md has no marks where figures begin and end")?;
    Ok(std::fs::write(page, text)?)
}

fn with_table(page: &str, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_one_before() {
        let page = std::fs::read_to_string(root().join("docs/performance.md")).unwrap_or_default();
        let once = with_table(&page, "| new |\n").unwrap_or_default();
        assert!(once.contains("\n| new |\n") && once.contains("## Instruction counts"), "{once}");
        assert!(!once.contains("| `verify-plain` | authenticateHawk"), "the table before is gone");
        assert_eq!(with_table(&once, "| new |\n"), Some(once));
        assert_eq!(with_table("no marks", ""), None);
    }
}
