//! `falconer gateway`: protects a service that cannot be changed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use falconer_gateway::rules::{Access, Cases, Problems, Rules};

use crate::output;
use crate::text_file;

/// The gateway.
#[derive(clap::Subcommand)]
pub enum Gateway {
    /// Read a rules file, say what is wrong with it, and show what each request needs
    Check {
        /// The rules file, such as gateway.toml
        rules: PathBuf,
    },
    /// Try a table of requests on a rules file, without any server
    Test {
        /// The rules file, such as gateway.toml
        rules: PathBuf,
        /// The cases: [[case]] with request = "GET /books/red", scopes = ["notes:read:red"] and expect = "allowed" (or public, denied, no-rule, bad-request)
        cases: PathBuf,
    },
}

/// Runs one of them.
pub fn run(command: Gateway) -> Result<()> {
    match command {
        Gateway::Check { rules } => check(&rules),
        Gateway::Test { rules, cases } => test(&rules, &cases),
    }
}

fn check(file: &Path) -> Result<()> {
    let rules = read(file)?;
    let rows = rules.table.rules().iter().map(|rule| {
        let needs = match &rule.access {
            Access::Public => "public".to_owned(),
            Access::Needs(needs) => serde_json::to_string(&needs.written).unwrap_or_default(),
        };
        vec![rule.methods.to_string(), rule.pattern.text().to_owned(), needs]
    });
    output::line("The rules are fine.")?;
    output::table(&["methods", "path", "needs"], &rows.collect::<Vec<_>>())
}

fn test(file: &Path, cases: &Path) -> Result<()> {
    let rules = read(file)?;
    let text = text_file::read(cases, "the cases")?;
    let tried = Cases::parse(&text).map_err(|problems| of_file(cases, &problems))?.try_on(&rules.table);
    for different in &tried.different {
        output::line(&format!("{}:{}: {}", cases.display(), different.line, different.text))?;
    }
    match tried.different.len() {
        0 => output::line(&format!("{} cases came out as they say.", tried.cases)),
        1 => bail!("1 of {} cases came out otherwise", tried.cases),
        different => bail!("{different} of {} cases came out otherwise", tried.cases),
    }
}

fn read(file: &Path) -> Result<Rules> {
    let text = text_file::read(file, "the rules").context("the rules file is the argument")?;
    Rules::parse(&text).map_err(|problems| of_file(file, &problems))
}

/// Each mistake in the form that editors jump to.
fn of_file(file: &Path, problems: &Problems) -> anyhow::Error {
    let lines: Vec<String> = problems.0.iter().map(|problem| format!("{}:{}: {}", file.display(), problem.line, problem.text)).collect();
    anyhow!(lines.join("\n"))
}
