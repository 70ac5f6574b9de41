//! The tasks of this workspace: `cargo xtask <task>`.
//!
//! Nothing here is part of the product. Each task is one file; a new one is a file, a variant of [`Task`] and a line in CONTRIBUTING.md.

mod bench;
mod bench_instructions;
mod check;
mod generate;
mod needs;
mod postgres;
mod run;
mod screenshots;
mod soak;
mod test;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The tasks of the Falconer workspace")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check the allowed arrows between crates, the templates and the sizes of files (sizes only warn)
    Check,
    /// Install what the tests need, then run every check and every test
    Test(test::Options),
    /// Write the reference pages of the documentation from the table of the API
    Generate,
    /// Print what the tests need and what is missing on this machine
    Needs,
    /// Run a PostgreSQL for tests in the foreground and print its URL
    Postgres,
    /// Measure the packaged binary beside the floors in one run; or count instructions of the decisions that gate a change
    Bench(bench::Options),
    /// Make the screenshots of the README from the end-to-end flow
    Screenshots,
    /// Run the long loops: more property cases, more kills
    Soak,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Check => check::run(),
        Task::Test(options) => test::run(&options),
        Task::Generate => generate::run(),
        Task::Needs => needs::report(),
        Task::Postgres => postgres::run(),
        Task::Bench(options) => bench::run(&options),
        Task::Screenshots => screenshots::run(),
        Task::Soak => soak::run(),
    }
}
