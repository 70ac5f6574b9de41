//! `cargo xtask test`: what the tests need, the tests and all checks, and the table at the end. Also the tasks that stand beside it: a PostgreSQL by
//! hand, the long loops, and the pictures of the README.

mod keycloak;
pub mod needs;
mod parts;
mod pgbouncer;
pub mod postgres;
pub mod runtimes;
pub mod screenshots;
pub mod soak;
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
    let names: Vec<&str> = wanted.iter().map(|part| part.name).collect();
    if options.no_install {
        needs::complain(&names)?;
    } else {
        needs::install(&names)?;
    }
    let began = Instant::now();
    let mut rows = Vec::new();
    let built = parts::build(&wanted)?;
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
    rows.sort_by_key(|row| PARTS.iter().position(|part| part.name == row.part));
    println!("{}", table::of(&rows, began.elapsed()));
    let failed: Vec<&str> = rows.iter().filter(|row| row.counts.failed > 0).map(|row| row.part).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
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
