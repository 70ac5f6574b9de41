//! `cargo xtask test`: installs what the tests need, then runs all checks and all tests, in the order of CONTRIBUTING.md.
//! The runners print their own summaries.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::run::{cargo, root, step, target};
use crate::{bench_instructions, check, needs, postgres};

/// The parts, in the order in which they run.
const PARTS: &[&str] = &["check", "lints", "crates", "instructions", "revocation", "sdk", "clients", "api", "browser"];

#[derive(clap::Args)]
pub struct Options {
    /// Only these parts (check, lints, crates, instructions, revocation, sdk, clients, api, browser); may be repeated
    #[arg(long)]
    only: Vec<String>,
    /// Install nothing: fail where something is missing
    #[arg(long)]
    no_install: bool,
}

pub fn run(options: &Options) -> Result<()> {
    if let Some(unknown) = options.only.iter().find(|part| !PARTS.contains(&part.as_str())) {
        bail!("there is no part `{unknown}`; the parts are {}", PARTS.join(", "));
    }
    let wanted = |part: &str| options.only.is_empty() || options.only.iter().any(|p| p == part);
    if !options.no_install && ["instructions", "sdk", "clients", "api", "browser"].iter().any(|part| wanted(part)) {
        needs::install()?;
    }
    if wanted("check") {
        check::run()?;
    }
    if wanted("lints") {
        lints()?;
    }
    if wanted("crates") {
        crates()?;
    }
    let said = if wanted("instructions") { bench_instructions::run(false)? } else { None };
    if wanted("revocation") {
        revocation()?;
    }
    if wanted("sdk") {
        node_tests("JavaScript SDK", &root().join("sdk/js"), "test", &[])?;
    }
    if wanted("clients") || wanted("api") || wanted("browser") {
        cargo("the binary", &["build", "--locked", "-p", "falconer"], &[])?;
    }
    if wanted("clients") {
        clients()?;
    }
    if wanted("api") {
        api()?;
    }
    if wanted("browser") {
        browser(&[])?;
    }
    println!("\nall parts passed: {}", PARTS.iter().copied().filter(|p| wanted(p)).collect::<Vec<_>>().join(", "));
    if let Some(said) = said {
        println!("but {said}");
    }
    Ok(())
}

/// The tests of the crates, with a PostgreSQL: the one of the environment, or one that ends with the tests.
fn crates() -> Result<()> {
    let given = std::env::var(postgres::VARIABLE).ok().filter(|url| !url.is_empty());
    let server = if given.is_none() { Some(postgres::Server::start()?) } else { None };
    let url = given.or_else(|| server.as_ref().map(|s| s.url.clone())).unwrap_or_default();
    // With their output: some print what was tried, how often, and from which seed.
    cargo("crates", &["test", "--workspace", "--locked", "--", "--show-output"], &[(postgres::VARIABLE, &url)])
}

/// What was taken away is not accepted any more, while 64 workers use it as fast as they are answered: 100 times for each of five ways to take it
/// away. `cargo xtask bench --rows revo` does 2,000 each.
fn revocation() -> Result<()> {
    cargo("the server and what drives it", &["build", "--locked", "-p", "falconer", "-p", "falconer-benches", "--bins"], &[])?;
    let (binary, out) = (binary(), target().join("bench/revocation.json").to_string_lossy().into_owned());
    let driver = target().join("debug/falconer-bench").to_string_lossy().into_owned();
    let args = ["--binary", &binary, "--out", &out, "--rows", "revo", "--revocations", "100", "--must-hold"];
    step("revocation", &root(), &driver, &args, &[])
}

fn lints() -> Result<()> {
    cargo("format", &["fmt", "--all", "--check"], &[])?;
    cargo("clippy", &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], &[])?;
    cargo("documentation", &["doc", "--workspace", "--no-deps", "--locked"], &[("RUSTDOCFLAGS", "-D warnings")])
}

/// The binary that the end-to-end tests start.
fn binary() -> String {
    target().join("debug/falconer").to_string_lossy().into_owned()
}

fn chromium() -> String {
    needs::chromium().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The published clients, unchanged, against the real binary.
fn clients() -> Result<()> {
    let binary = binary();
    let env = [("FALCONER_BIN", binary.as_str())];
    let e2e = root().join("e2e");
    let python = needs::venv().join("bin/python").to_string_lossy().into_owned();
    let pytest = ["-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"];
    step("published Python client", &e2e, &python, &[&pytest[..], &["clients/python"]].concat(), &env)?;
    step("published tc-admin", &e2e, &python, &[&pytest[..], &["clients/tcadmin"]].concat(), &env)?;
    node_tests("published JavaScript client", &e2e, "clients/node", &env)?;
    let chromium = chromium();
    node_tests("published client for browsers", &e2e, "clients/web", &[env[0], ("CHROMIUM_BIN", chromium.as_str())])?;
    let folder = target().to_string_lossy().into_owned();
    let rust = [("FALCONER_BIN", binary.as_str()), ("CARGO_TARGET_DIR", folder.as_str())];
    step("published Rust client", &e2e.join("clients/rust"), "cargo", &["test", "--locked", "--", "--show-output"], &rust)
}

/// Generated calls of every method that the OpenAPI document names.
fn api() -> Result<()> {
    let binary = binary();
    let python = needs::venv().join("bin/python").to_string_lossy().into_owned();
    step("schemathesis over the OpenAPI document", &root().join("e2e"), &python, &["fuzz_api/run.py"], &[("FALCONER_BIN", binary.as_str())])
}

/// The flow in real Chromium. `extra` goes to the test runner's environment.
pub fn browser(extra: &[(&str, &str)]) -> Result<()> {
    let binary = binary();
    let chromium = chromium();
    let mut env = vec![("FALCONER_BIN", binary.as_str()), ("CHROMIUM_BIN", chromium.as_str())];
    env.extend_from_slice(extra);
    node_tests("browser", &root().join("e2e"), "browser", &env)
}

/// Runs every `*.test.mjs` of a folder, one file after the other: they start servers and browsers of their own.
fn node_tests(title: &str, folder: &Path, tests: &str, env: &[(&str, &str)]) -> Result<()> {
    let mut files: Vec<String> = std::fs::read_dir(folder.join(tests))
        .with_context(|| format!("no folder {tests} in {}", folder.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".test.mjs"))
        .map(|name| format!("{tests}/{name}"))
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("{title}: {tests} holds no *.test.mjs");
    }
    let mut args = vec!["--test", "--test-concurrency=1"];
    args.extend(files.iter().map(String::as_str));
    step(title, folder, "node", &args, env)
}
