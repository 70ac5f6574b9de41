//! How many people can sign in, and whether they still can while somebody guesses or a directory hangs: `falconer-bench people`.

mod accounts;
mod directory_hangs;
mod guesses;
mod sign_ins;

use std::path::PathBuf;

use anyhow::{Result, bail};

/// The options of `falconer-bench people`.
#[derive(clap::Parser, Clone, Debug)]
#[command(
    name = "falconer-bench people",
    about = "Sign-ins a second, sign-ins beside wrong attempts, verification while a directory hangs"
)]
pub struct Options {
    /// The binary to measure
    #[arg(long, env = "FALCONER_BIN")]
    pub binary: PathBuf,
    /// Seconds of each figure
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
    /// Wrong attempts a second
    #[arg(long, default_value_t = 500.0)]
    pub guesses: f64,
    /// Where the table goes, besides standard output
    #[arg(long)]
    pub markdown: Option<PathBuf>,
    /// Fail where somebody has to wait longer than they may
    #[arg(long)]
    pub must_hold: bool,
}

/// One line of the table.
struct Line {
    work: String,
    measured: String,
    note: String,
    /// What is to be reached, and whether it was.
    bound: Option<(String, bool)>,
}

/// Measures, prints the table.
pub fn run(options: &Options) -> Result<()> {
    let mut lines = sign_ins::measure(options)?;
    lines.extend(guesses::measure(options)?);
    lines.extend(directory_hangs::measure(options)?);
    let mut table = "| work | measured | to reach | met | note |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for line in &lines {
        let (bound, met) = line.bound.as_ref().map_or(("", ""), |(bound, met)| (bound.as_str(), if *met { "yes" } else { "**no**" }));
        table.push_str(&format!("| {} | {} | {bound} | {met} | {} |\n", line.work, line.measured, line.note));
    }
    print!("\n{table}");
    if let Some(file) = &options.markdown {
        std::fs::write(file, &table)?;
    }
    let missed: Vec<&str> =
        lines.iter().filter(|line| line.bound.as_ref().is_some_and(|(_, met)| !met)).map(|line| line.work.as_str()).collect();
    if options.must_hold && !missed.is_empty() {
        bail!("not reached: {}", missed.join(", "));
    }
    Ok(())
}
