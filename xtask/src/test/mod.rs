//! `cargo xtask test`: what the tests need, the tests and all checks, and the table at the end. Also the tasks that stand beside it: a PostgreSQL by
//! hand, the long loops, and the pictures of the README.

mod clients;
mod keycloak;
pub mod needs;
mod oauth2_proxy;
mod parts;
pub mod runtimes;
pub mod screenshots;
pub mod soak;
pub mod stores;
mod table;

use std::time::Instant;

use anyhow::{Result, anyhow, bail};

use crate::counts::Counts;
use crate::run::Output;
use parts::{Lane, PARTS, Part};
use table::Row;

#[derive(clap::Args)]
pub struct Options {
    /// Only this part; may be repeated
    #[arg(long, value_name = "PART", value_parser = PARTS.iter().map(|part| part.name).collect::<Vec<_>>())]
    only: Vec<String>,
    /// Install nothing: fail where something is missing
    #[arg(long)]
    no_install: bool,
}

/// Runs the parts, all of them, although one fails. Those that wait for browsers and clients run beside those that compile; those that measure run alone,
/// at the end.
pub fn run(options: &Options) -> Result<()> {
    let wanted: Vec<&Part> = PARTS.iter().filter(|part| part.is_wanted(&options.only)).collect();
    // What runs again on PostgreSQL needs what it needs without.
    let names: Vec<&str> = wanted.iter().flat_map(|part| [Some(part.name), part.name.strip_suffix("-postgres")]).flatten().collect();
    if options.no_install {
        needs::complain(&names)?;
    } else {
        needs::install(&names)?;
    }
    let began = Instant::now();
    let built = parts::build(&wanted)?;
    let rows = all(&wanted, built);
    println!("{}", table::of(&rows, began.elapsed()));
    let failed: Vec<&str> = rows.iter().filter(|row| row.counts.failed > 0).map(|row| row.part).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

/// Runs the parts, each in its lane; a row each, in the order of the table.
fn all(wanted: &[&Part], built: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let one = |part, output| one(part, output, built);
    let of = |lane: Lane| wanted.iter().copied().filter(move |part| part.lane == lane);
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| of(Lane::Beside).map(|part| one(part, Output::kept())).collect::<Vec<_>>());
        rows.extend(of(Lane::Compiling).map(|part| one(part, Output::live())));
        match beside.join() {
            Ok(more) => rows.extend(more),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    rows.extend(of(Lane::Alone).map(|part| one(part, Output::live())));
    rows.sort_by_key(|row| wanted.iter().position(|part| part.name == row.part));
    rows
}

/// Runs a part to its end. Without the binary that it starts it fails: an older one may lie there.
fn one(part: &Part, output: Output, built: bool) -> Row {
    let began = Instant::now();
    output.line(&format!("\n==== {}: {}", part.name, part.what));
    let mut said = None;
    let result = if part.binary && !built { Err(anyhow!("its binary could not be built")) } else { (part.run)(&output) };
    let counts = match result {
        Ok(done) => {
            said = done.said;
            done.counts
        }
        Err(error) => {
            output.line(&format!("{}: {error:#}", part.name));
            output.failed(vec![format!("{}: {error:#}", part.name)]);
            Counts::FAILED
        }
    };
    let failures = output.end();
    Row { part: part.name, seconds: began.elapsed().as_secs(), counts, said, failures }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parts::Done;

    /// The first part that failed ended the run, and what came after it was never tried.
    #[test]
    fn all_parts_run_although_some_fail() {
        let part = |name, lane, run, binary| Part { name, what: "", lane, binary, run };
        let fails: fn(&Output) -> Result<Done> = |_| bail!("it failed");
        let passes: fn(&Output) -> Result<Done> = |_| Ok(Done { counts: Counts::PASSED, said: None });
        let parts = [
            part("first", Lane::Compiling, fails, false),
            part("second", Lane::Compiling, passes, false),
            part("aside", Lane::Beside, fails, false),
            part("aside too", Lane::Beside, passes, false),
            part("alone", Lane::Alone, passes, false),
            part("without its binary", Lane::Alone, passes, true),
        ];
        let rows = all(&parts.each_ref(), false);
        let shown: Vec<_> = rows.iter().map(|row| (row.part, row.counts.passed, row.counts.failed)).collect();
        let expected =
            [("first", 0, 1), ("second", 1, 0), ("aside", 0, 1), ("aside too", 1, 0), ("alone", 1, 0), ("without its binary", 0, 1)];
        assert_eq!(shown, expected);
        assert!(table::of(&rows, std::time::Duration::ZERO).ends_with("\n3 passed, 3 failed"));
    }

    /// The second command stood in CONTRIBUTING only, and nothing said how long either takes and what it needs.
    #[test]
    fn the_readme_names_both_commands_and_what_they_take() {
        let read = |name: &str| std::fs::read_to_string(crate::run::root().join(name)).unwrap();
        let (readme, manifest) = (read("README.md"), read("Cargo.toml"));
        let row = |command: &str| readme.lines().find(|line| line.starts_with(&format!("| `{command}` | "))).unwrap();
        for command in ["cargo run --release -- serve --demo", "cargo xtask test"] {
            assert!(row(command).contains(" minutes") && row(command).contains(" GB "), "{command}");
        }
        let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap().trim_end_matches('"');
        let first = row("cargo run --release -- serve --demo");
        assert!(first.contains(&format!("| Rust {version}, a C compiler")), "{version}: {first}");
    }
}
