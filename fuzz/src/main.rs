//! `falconer-fuzz`: tries inputs for each target for some seconds, and fails where one of them fails.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use falconer_fuzz::{TARGETS, Target, run};

#[derive(Parser)]
struct Options {
    /// Only this target; may be repeated
    #[arg(long, value_name = "TARGET")]
    only: Vec<String>,
    /// Seconds for each target
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The same seed makes the same inputs
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    if let Some(unknown) = options.only.iter().find(|name| TARGETS.iter().all(|target| target.name != **name)) {
        bail!("there is no target {unknown}; the targets are {}", TARGETS.map(|target| target.name).join(", "));
    }
    let wanted: Vec<&Target> =
        TARGETS.iter().filter(|target| options.only.is_empty() || options.only.iter().any(|name| name == target.name)).collect();
    let (mut passed, mut failed) = (0, 0);
    for target in wanted {
        match run(target, options.seed, Duration::from_secs(options.seconds))? {
            Ok(tried) => {
                passed += 1;
                println!(
                    "{}: {} inputs, {} outcomes, the longest took {} ms",
                    target.name,
                    tried.inputs,
                    tried.outcomes,
                    tried.longest.as_millis()
                );
            }
            Err(found) => {
                failed += 1;
                println!("{}: FAILED, {}\n  the input is {}", target.name, found.why, found.file.display());
            }
        }
    }
    println!("seed {}: {passed} targets passed, {failed} failed", options.seed);
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
