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
    /// Measure with PostgreSQL instead of SQLite: postgres://user:password@host:port/database, whose user may make databases (`cargo xtask postgres` runs one)
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
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
        ("--postgres", &options.postgres),
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
        let marks = if options.postgres.is_some() { WITH_POSTGRESQL } else { WITH_SQLITE };
        if options.postgres.is_none() {
            std::fs::copy(path("performance.svg"), root().join("docs/images/performance.svg"))?;
        }
        put_table(&root().join("docs/performance.md"), &marks, &std::fs::read_to_string(path("performance.md"))?)?;
    }
    Ok(())
}

/// Between which marks a table stands in the page.
struct Marks {
    begin: &'static str,
    end: &'static str,
}

const WITH_SQLITE: Marks =
    Marks { begin: "<!-- figures: written by `cargo xtask bench --publish` -->\n", end: "<!-- end of figures -->\n" };
const WITH_POSTGRESQL: Marks = Marks {
    begin: "<!-- figures with PostgreSQL: written by `cargo xtask bench --postgres URL --publish` -->\n",
    end: "<!-- end of figures with PostgreSQL -->\n",
};

/// Puts the table between its marks in the page.
fn put_table(page: &Path, marks: &Marks, table: &str) -> Result<()> {
    let text = std::fs::read_to_string(page)?;
    let text = with_table(&text, marks, table).context("docs/performance.md has no marks where figures begin and end")?;
    Ok(std::fs::write(page, text)?)
}

fn with_table(page: &str, Marks { begin, end }: &Marks, table: &str) -> Option<String> {
    let (before, rest) = page.split_once(begin)?;
    let (_, after) = rest.split_once(end)?;
    Some(format!("{before}{begin}\n{table}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_takes_the_place_of_the_one_before() {
        let page = std::fs::read_to_string(root().join("docs/performance.md")).unwrap_or_default();
        for (marks, other) in [(WITH_SQLITE, WITH_POSTGRESQL), (WITH_POSTGRESQL, WITH_SQLITE)] {
            let once = with_table(&page, &marks, "| new |\n").unwrap_or_default();
            assert!(once.contains("\n| new |\n") && once.contains("## Instruction counts"), "{once}");
            assert_eq!(
                once.matches("| `create-role-10` | createRole, 10 roles").count(),
                1,
                "the table before is gone, and the other one is not"
            );
            assert!(with_table(&once, &other, "").is_some());
            assert_eq!(with_table(&once, &marks, "| new |\n"), Some(once));
            assert_eq!(with_table("no marks", &marks, ""), None);
        }
    }
}
