//! `cargo xtask test`: what the tests need, the tests and all checks, and the table at the end. Also the tasks that stand beside it: a PostgreSQL by
//! hand, the long loops, and the pictures of the README.

mod chromium;
pub mod needs;
mod parts;
pub mod runtimes;
pub mod screenshots;
pub mod soak;
pub mod stores;
mod table;

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Result, anyhow, bail};

use crate::counts::Counts;
use crate::run::Output;
use parts::{Job, Lane, Run};
use stores::binaries::{Binaries, ON_POSTGRES, Store};
use table::Row;

/// How many parts run beside those that compile. They wait for much of their time (the published Python client for two thirds of it): a page has to be seen for a second before its
/// button counts.
const AT_A_TIME: usize = 2;

#[derive(clap::Args)]
pub struct Options {
    /// Only this part; may be repeated
    #[arg(long, value_name = "PART", value_parser = parts::names())]
    only: Vec<String>,
    /// Install nothing: fail where something is missing
    #[arg(long)]
    no_install: bool,
}

/// Runs the parts, all of them, although one fails. Those that wait for browsers and clients run two at a time beside those that compile, and three at a time once nothing is left
/// to compile; those that measure run alone, at the end.
pub fn run(options: &Options) -> Result<()> {
    let wanted = parts::wanted(&options.only);
    let mut names: Vec<&str> = wanted.iter().map(|job| job.part.name).collect();
    if wanted.iter().any(|job| job.store == Store::Postgres) {
        names.push(ON_POSTGRES);
    }
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
fn all(wanted: &[Job<'_>], built: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let binaries = Binaries::default();
    let one = |job, output| one(job, output, &binaries, built);
    let of = |lane: Lane| wanted.iter().copied().filter(move |job| job.part.lane == lane);
    let mut beside: Vec<Job<'_>> = of(Lane::Beside).collect();
    // What starts no server comes last: it works all the time, while the others mostly wait.
    beside.sort_by_key(|job| matches!(job.part.run, Run::Once(_)));
    let left = Mutex::new(beside.into_iter());
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
    let take_turns = || std::iter::from_fn(next).map(|job| one(job, Output::kept())).collect::<Vec<_>>();
    std::thread::scope(|scope| {
        let others = [(); AT_A_TIME].map(|()| scope.spawn(take_turns));
        rows.extend(of(Lane::Compiling).map(|job| one(job, Output::live())));
        rows.extend(take_turns());
        for other in others {
            match other.join() {
                Ok(more) => rows.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    rows.extend(of(Lane::Alone).map(|job| one(job, Output::live())));
    rows.sort_by_key(|row| wanted.iter().position(|job| job.name() == row.part));
    rows
}

/// Runs a part to its end. Without the binary that it starts it fails: an older one may lie there.
fn one(job: Job<'_>, output: Output, binaries: &Binaries, built: bool) -> Row {
    let began = Instant::now();
    let (name, part) = (job.name(), job.part);
    let where_records_are = if job.store == Store::Postgres { ", with all records in PostgreSQL" } else { "" };
    output.line(&format!("\n==== {name}: {}{where_records_are}", part.what));
    let mut said = None;
    let result = match part.run {
        _ if part.binary && !built => Err(anyhow!("its binary could not be built")),
        Run::Once(run) => run(&output),
        Run::OnEachStore(_, run) => binaries.on(job.store).and_then(|binary| run(&output, &binary)),
    };
    let counts = match result {
        Ok(done) => {
            said = done.said;
            done.counts
        }
        Err(error) => {
            output.line(&format!("{name}: {error:#}"));
            output.failed(vec![format!("{name}: {error:#}")]);
            Counts::FAILED
        }
    };
    let failures = output.end();
    Row { part: name, seconds: began.elapsed().as_secs(), counts, said, failures }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parts::{Done, Part};

    /// The first part that failed ended the run, and what came after it was never tried.
    #[test]
    fn all_parts_run_although_some_fail() {
        let part = |name, lane, run, binary| Part { name, what: "", lane, binary, run: Run::Once(run) };
        let fails: fn(&Output) -> Result<Done> = |_| bail!("it failed");
        let passes: fn(&Output) -> Result<Done> = |_| Ok(Counts::PASSED.into());
        let parts = [
            part("first", Lane::Compiling, fails, false),
            part("second", Lane::Compiling, passes, false),
            part("aside", Lane::Beside, fails, false),
            part("aside too", Lane::Beside, passes, false),
            part("aside as well", Lane::Beside, passes, false),
            part("alone", Lane::Alone, passes, false),
            part("without its binary", Lane::Alone, passes, true),
        ];
        let rows = all(&parts.each_ref().map(|part| Job { part, store: Store::Files }), false);
        let shown: Vec<_> = rows.iter().map(|row| (row.part, row.counts.passed, row.counts.failed)).collect();
        let expected = [
            ("first", 0, 1),
            ("second", 1, 0),
            ("aside", 0, 1),
            ("aside too", 1, 0),
            ("aside as well", 1, 0),
            ("alone", 1, 0),
            ("without its binary", 0, 1),
        ];
        assert_eq!(shown, expected);
        assert!(table::of(&rows, std::time::Duration::ZERO).ends_with("\n4 passed, 3 failed"));
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
