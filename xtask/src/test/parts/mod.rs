//! The parts of `cargo xtask test`. Each runs all of its steps, although one fails.
//!
//! `checks.rs` has those that start no server, or bring their store; `kits.rs` the packages that services mount; `clients.rs` what others have written; `around.rs` what stands
//! before, beside or against a server.

mod around;
mod checks;
mod clients;
pub mod keycloak;
mod kits;
pub mod oauth2_proxy;

pub use clients::browser;

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::stores::binaries::{Binary, Store};
use crate::counts::Counts;
use crate::run::{Output, cargo_program, counted, root};

/// What a part comes to.
#[derive(Default)]
pub struct Done {
    pub counts: Counts,
    /// What has to be said again at the end of the run.
    pub said: Option<String>,
}

impl From<Counts> for Done {
    fn from(counts: Counts) -> Done {
        Done { counts, said: None }
    }
}

/// Beside what a part may run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Runs cargo, which works on one thing at a time.
    Compiling,
    /// Starts what was built before, and mostly waits for servers, clients and browsers; its lines come in one piece when it is done.
    Beside,
    /// Takes times: runs when nothing else does.
    Alone,
}

/// How a part is run.
#[derive(Clone, Copy)]
pub enum Run {
    /// Starts no server, or chooses the stores itself.
    Once(fn(&Output) -> Result<Done>),
    /// Starts servers: once with all records in files, and once, by this name, with all of them in PostgreSQL.
    OnEachStore(&'static str, fn(&Output, &Binary) -> Result<Done>),
}

/// A part of the tests.
pub struct Part {
    pub name: &'static str,
    pub what: &'static str,
    pub lane: Lane,
    /// Starts a program of the development profile.
    pub binary: bool,
    pub run: Run,
}

/// A part on a store.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    pub part: &'a Part,
    pub store: Store,
}

impl Job<'_> {
    pub fn name(&self) -> &'static str {
        match (self.store, self.part.run) {
            (Store::Postgres, Run::OnEachStore(name, _)) => name,
            _ => self.part.name,
        }
    }
}

/// All parts, in the order of the table.
pub const PARTS: &[Part] = &[
    Part {
        name: "check",
        what: "arrows, rooms, circles, generated pages",
        lane: Lane::Compiling,
        binary: false,
        run: Run::Once(checks::check),
    },
    Part {
        name: "lints",
        what: "format, clippy, documentation, dependencies, packages",
        lane: Lane::Compiling,
        binary: false,
        run: Run::Once(checks::lints),
    },
    Part {
        name: "crates",
        what: "the tests of the crates, on both stores",
        lane: Lane::Compiling,
        binary: false,
        run: Run::Once(checks::crates),
    },
    Part {
        name: "instructions",
        what: "instruction counts against the baseline",
        lane: Lane::Compiling,
        binary: false,
        run: Run::Once(checks::counted_instructions),
    },
    Part {
        name: "revocation",
        what: "what was taken away is refused, under load",
        lane: Lane::Alone,
        binary: true,
        run: Run::Once(checks::revocation),
    },
    // The longest of its lane comes first, so that the others fill the time beside it.
    Part {
        name: "browser",
        what: "the pages in Chromium",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("browser-postgres", clients::browser_part),
    },
    Part {
        name: "sdk",
        what: "the JavaScript package, on real servers",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("sdk-postgres", kits::javascript),
    },
    Part {
        name: "python",
        what: "the Python package, on real servers",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("python-postgres", kits::python),
    },
    Part {
        name: "go",
        what: "the Go package and its example, on real servers",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("go-postgres", kits::go),
    },
    Part {
        name: "clients",
        what: "published clients, unchanged",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("clients-postgres", clients::clients),
    },
    Part {
        name: "client-rust",
        what: "the published Rust client",
        lane: Lane::Compiling,
        binary: true,
        run: Run::OnEachStore("client-rust-postgres", clients::client_rust),
    },
    Part {
        name: "api",
        what: "generated calls of every method",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("api-postgres", around::api),
    },
    Part {
        name: "gateway",
        what: "the gateway beside five real proxies",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("gateway-postgres", around::gateway),
    },
    Part {
        name: "attack",
        what: "the attacks on every example, and on broken services",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("attack-postgres", around::attack),
    },
    Part {
        name: "monitoring",
        what: "the alerts and the dashboard, on a real Prometheus",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("monitoring-postgres", around::monitoring),
    },
    Part {
        name: "failover",
        what: "two servers while Patroni and etcd fail their database over",
        lane: Lane::Beside,
        binary: true,
        run: Run::Once(around::failover),
    },
    Part {
        name: "relying-parties",
        what: "oauth2-proxy as a relying party, in Chromium",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("relying-parties-postgres", oauth2_proxy::run),
    },
    Part {
        name: "keycloak",
        what: "a real Keycloak, as a provider and as a relying party",
        lane: Lane::Beside,
        binary: true,
        run: Run::OnEachStore("keycloak-postgres", keycloak::run),
    },
    Part {
        name: "fuzz",
        what: "four seconds for each thing that strangers can send",
        lane: Lane::Beside,
        binary: true,
        run: Run::Once(checks::fuzz),
    },
];

/// Parts that run only where they are named: what Keycloak needs has to be downloaded, and not every machine can; Patroni decides by its own clock what stands still, on a
/// machine that has the time for it.
const ON_REQUEST: &[&str] = &["keycloak", "failover"];

/// Every part on each of its stores, first all on their own files: what is slow or broken by itself is seen first.
fn every_job() -> Vec<Job<'static>> {
    let on = |store| {
        PARTS
            .iter()
            .filter(move |part| store == Store::Files || matches!(part.run, Run::OnEachStore(..)))
            .map(move |part| Job { part, store })
    };
    on(Store::Files).chain(on(Store::Postgres)).collect()
}

/// What can be named.
pub fn names() -> Vec<&'static str> {
    every_job().iter().map(Job::name).collect()
}

/// What runs where these are named.
pub fn wanted(named: &[String]) -> Vec<Job<'static>> {
    let is_wanted =
        |job: &Job| if named.is_empty() { !ON_REQUEST.contains(&job.part.name) } else { named.iter().any(|name| name == job.name()) };
    every_job().into_iter().filter(is_wanted).collect()
}

/// What the tests of the crates ask of dependencies besides what the programs need. Programs for tests are built with it too: else cargo would build everything
/// that stands on these two once for the programs and once for the tests.
const FEATURES_OF_TESTS: &str = "falconer-store/conformance,tokio/test-util";

/// Builds what several parts start, before they run side by side; whether it is there.
pub fn build(wanted: &[Job]) -> Result<bool> {
    let parts: Vec<&Part> = wanted.iter().map(|job| job.part).collect();
    if !parts.iter().any(|part| part.binary) {
        return Ok(true);
    }
    let mut args = vec!["build", "--locked", "-p", "falconer", "--bins", "--features", FEATURES_OF_TESTS];
    if parts.iter().any(|part| part.lane == Lane::Alone) {
        args.extend(["-p", "falconer-benches"]);
    }
    if parts.iter().any(|part| part.name == "fuzz") {
        args.extend(["-p", "falconer-fuzz"]);
    }
    Ok(run_cargo(&Output::live(), "the binary", &args, &[])?.failed == 0)
}

fn run_cargo(output: &Output, title: &str, args: &[&str], env: &[(&str, &str)]) -> Result<Counts> {
    counted(output, title, &root(), &cargo_program(), args, env)
}

/// Runs steps one after the other, although one fails or cannot even be started.
fn all(output: &Output, steps: Vec<Result<Counts>>) -> Done {
    let mut counts = Counts::default();
    for step in steps {
        counts += step.unwrap_or_else(|error| {
            output.line(&format!("{error:#}"));
            output.failed(vec![format!("{error:#}")]);
            Counts::FAILED
        });
    }
    counts.into()
}

/// Runs every `*.test.mjs` of a folder, one file after the other: they start servers and browsers of their own.
fn node_tests(output: &Output, title: &str, folder: &Path, tests: &str, env: &[(&str, &str)]) -> Result<Counts> {
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
    // A test that waits for what never comes fails; the longest takes a tenth of this.
    let mut args = vec!["--test", "--test-concurrency=1", "--test-timeout=300000"];
    args.extend(files.iter().map(String::as_str));
    counted(output, title, folder, "node", &args, env)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::run::prints;

    /// The features of each package, as cargo would build it.
    fn features(args: &[&str]) -> BTreeMap<String, String> {
        let common = ["tree", "--workspace", "--locked", "--offline", "--prefix", "none", "-f", "{p}|{f}"];
        let printed = prints(&cargo_program(), &[&common, args].concat()).expect("cargo tree prints the packages");
        let lines = printed.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('|'));
        lines.map(|(package, features)| (package.to_owned(), features.to_owned())).collect()
    }

    #[test]
    fn what_takes_long_or_a_download_runs_where_it_is_named_only() {
        let wanted = |named: &[String]| wanted(named).iter().map(Job::name).collect::<Vec<_>>();
        assert_eq!(wanted(&["keycloak".to_owned()]), ["keycloak"]);
        let all = wanted(&[]);
        assert!(all.iter().all(|name| !ON_REQUEST.iter().any(|rare| name.starts_with(rare))), "{all:?}");
        assert_eq!(names().len() - all.len(), 3, "Keycloak twice, Patroni once");
    }

    /// Clients and pages ran on PostgreSQL where somebody named them, and everything else on files alone.
    #[test]
    fn what_starts_servers_runs_on_both_stores() {
        let all = wanted(&[]);
        let on = |store| all.iter().filter(|job| job.store == store && job.part.binary).map(|job| job.part.name).collect::<Vec<_>>();
        let mut on_files = on(Store::Files);
        // Measured in the process, and nothing of a server.
        on_files.retain(|name| !["revocation", "fuzz"].contains(name));
        assert_eq!(on_files, on(Store::Postgres));
    }

    #[test]
    fn names_are_different() {
        let mut names = names();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    /// Programs and tests were built of two sets of dependencies: tokio, HTTP, TLS and all of our own crates twice, a third time for `fuzz`.
    #[test]
    fn programs_are_built_of_what_the_tests_are_built_of() {
        let programs = features(&["-e", "normal,build", "--features", FEATURES_OF_TESTS]);
        let tests = features(&["-e", "normal,build,dev"]);
        assert!(programs.len() > 200 && programs.keys().any(|package| package.starts_with("falconer-web v")), "{programs:?}");
        let different: Vec<_> = programs.iter().filter(|(package, features)| tests.get(*package) != Some(features)).collect();
        assert!(different.is_empty(), "built twice: {different:?}; name what the tests ask for in FEATURES_OF_TESTS");
    }
}
