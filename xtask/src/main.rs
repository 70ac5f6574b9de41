//! The tasks of this workspace: `cargo xtask <task>`.
//!
//! Nothing here is part of the product. Each task is one file; a new one is a file, a variant of [`Task`] and a line in CONTRIBUTING.md.

mod bench;
mod check;
mod counts;
mod dependencies;
mod failures;
mod generate;
mod interface;
mod run;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The tasks of the Falconer workspace")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Draw the house, and check arrows between crates, rooms, circles, templates and generated pages
    Check,
    /// Check that each entry of a manifest is used, and licences, versions and sources against deny.toml
    Dependencies,
    /// Install what the tests need, then run every check and every test
    Test(test::Options),
    /// Write the reference pages of the documentation from the table of the API
    Generate,
    /// Print what the tests need and what is missing on this machine
    Needs,
    /// Run a PostgreSQL for tests in the foreground and print its URL
    Postgres,
    /// Measure the packaged binary beside the floors in one run; or count instructions of the decisions that gate a change
    Bench(Box<bench::Options>),
    /// Make the screenshots of the README from the end-to-end flow
    Screenshots,
    /// Run the long loops: more property cases, more kills
    Soak,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match test::runtimes::find_them().and_then(|()| run(cli.task)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Check => check::run(),
        Task::Dependencies => dependencies::run(),
        Task::Test(options) => test::run(&options),
        Task::Generate => generate::run(),
        Task::Needs => test::needs::report(),
        Task::Postgres => test::stores::postgres::by_hand(),
        Task::Bench(options) => bench::run(&options),
        Task::Screenshots => test::screenshots::run(),
        Task::Soak => test::soak::run(),
    }
}
