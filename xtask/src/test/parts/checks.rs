//! Checks, and tests that start no server or choose the stores themselves.

use anyhow::Result;

use super::{Done, all, run_cargo};
use crate::bench::instructions;
use crate::counts::Counts;
use crate::dependencies;
use crate::run::{Output, counted, root, target};
use crate::test::stores::{binaries, pgbouncer, postgres};

pub fn check(_: &Output) -> Result<Done> {
    crate::check::run()?;
    Ok(Counts::PASSED.into())
}

pub fn lints(output: &Output) -> Result<Done> {
    let cargo = |title: &str, args: &[&str], env: &[(&str, &str)]| run_cargo(output, title, args, env);
    Ok(all(
        output,
        vec![
            cargo("format", &["fmt", "--all", "--check"], &[]),
            cargo("clippy", &["clippy", "--workspace", "--all-targets", "--locked", "--keep-going", "--", "-D", "warnings"], &[]),
            cargo("documentation", &["doc", "--workspace", "--no-deps", "--locked"], &[("RUSTDOCFLAGS", "-D warnings")]),
            dependencies::run().map(|()| Counts::PASSED),
            cargo("packages", &packaging(), &[]),
        ],
    ))
}

/// What others depend on is published, but for the upload: versions, texts and files that a package needs are there, and the registry takes no version twice. It is not built
/// once more for that.
fn packaging() -> Vec<&'static str> {
    let names = ["falconer-scopes", "falconer-credentials", "falconer-wire", "falconer-client", "falconer-middleware"];
    let mut args = vec!["publish", "--dry-run", "--no-verify", "--locked", "--allow-dirty"];
    args.extend(names.iter().flat_map(|name| ["-p", name]));
    args
}

/// The tests of the crates, with a PostgreSQL and pgbouncer before it: those of the environment, or some that end with the tests. Tests that need it are ignored by `cargo test`
/// alone, and run here.
pub fn crates(output: &Output) -> Result<Done> {
    let given = |name: &str| std::env::var(name).ok().filter(|url| !url.is_empty());
    let server = if given(postgres::VARIABLE).is_none() { Some(postgres::Server::start(postgres::Disk::AsInProduction)?) } else { None };
    let url = given(postgres::VARIABLE).or_else(|| server.as_ref().map(|server| server.url.clone())).unwrap_or_default();
    let pooler = if given(pgbouncer::VARIABLE).is_none() { Some(pgbouncer::Pooler::before(&url)?) } else { None };
    let pooled = given(pgbouncer::VARIABLE).or_else(|| pooler.as_ref().map(|pooler| pooler.url.clone())).unwrap_or_default();
    // With their output: some print what was tried, how often, and from which seed.
    let args = ["test", "--workspace", "--locked", "--no-fail-fast", "--", "--include-ignored", "--show-output"];
    let counts = run_cargo(output, "crates", &args, &[(postgres::VARIABLE, &url), (pgbouncer::VARIABLE, &pooled)])?;
    Ok(counts.into())
}

/// Four seconds a target, always from the same seed, so that a change fails for what it does; `cargo xtask soak` draws one. What is found is written beside the
/// corpora, and fails from then on.
pub fn fuzz(output: &Output) -> Result<Done> {
    let driver = target().join("debug/falconer-fuzz").to_string_lossy().into_owned();
    Ok(counted(output, "fuzz targets", &root(), &driver, &["--seconds", "4", "--seed", "1"], &[])?.into())
}

pub fn counted_instructions(_: &Output) -> Result<Done> {
    let said = instructions::run(false)?;
    Ok(Done { counts: Counts::PASSED, said })
}

/// What was taken away is not accepted any more, while 64 workers use it as fast as they are answered: 60 times for each way to take it away.
/// `cargo xtask bench --rows revo` does 2,000 each, `cargo xtask soak` 10,000.
pub fn revocation(output: &Output) -> Result<Done> {
    let (binary, out) = (binaries::program(), target().join("bench/revocation.json").to_string_lossy().into_owned());
    let driver = target().join("debug/falconer-bench").to_string_lossy().into_owned();
    let args = ["--binary", &binary, "--out", &out, "--rows", "revo", "--revocations", "60", "--must-hold"];
    Ok(counted(output, "revocation", &root(), &driver, &args, &[])?.into())
}
