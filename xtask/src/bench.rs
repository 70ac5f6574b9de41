//! `cargo xtask bench`: builds the release binary and runs `benches/`, which measures it beside the floor in one run.

use anyhow::Result;

use crate::run::{cargo, target};

#[derive(clap::Args)]
pub struct Options {
    /// Seconds of load for each row
    #[arg(long, default_value = "10")]
    seconds: u32,
}

pub fn run(options: &Options) -> Result<()> {
    cargo("release binary", &["build", "--release", "--locked", "-p", "falconer", "-p", "falconer-benches"], &[])?;
    let binary = target().join("release/falconer").to_string_lossy().into_owned();
    let seconds = options.seconds.to_string();
    let env = [("FALCONER_BIN", binary.as_str()), ("BENCH_SECONDS", seconds.as_str())];
    cargo("authenticateHawk", &["run", "--release", "--locked", "-p", "falconer-benches", "--bin", "authenticate-hawk"], &env)
}
