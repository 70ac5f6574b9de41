//! The parts of `cargo xtask test`. Each runs all of its steps, although one fails.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::clients;
use super::keycloak;
use super::needs;
use super::oauth2_proxy;
use super::stores::{pgbouncer, postgres};
use crate::bench::instructions;
use crate::check;
use crate::counts::Counts;
use crate::dependencies;
use crate::run::{Output, cargo_program, counted, root, target};

/// What a part comes to.
#[derive(Default)]
pub struct Done {
    pub counts: Counts,
    /// What has to be said again at the end of the run.
    pub said: Option<String>,
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

/// A part of the tests.
pub struct Part {
    pub name: &'static str,
    pub what: &'static str,
    pub lane: Lane,
    /// Starts a program of the development profile.
    pub binary: bool,
    pub run: fn(&Output) -> Result<Done>,
}

/// All parts, in the order of the table.
pub const PARTS: &[Part] = &[
    Part { name: "check", what: "arrows, rooms, circles, generated pages", lane: Lane::Compiling, binary: false, run: check_part },
    Part { name: "lints", what: "format, clippy, documentation, dependencies, packages", lane: Lane::Compiling, binary: false, run: lints },
    Part { name: "crates", what: "the tests of the crates, on both stores", lane: Lane::Compiling, binary: false, run: crates },
    Part {
        name: "instructions",
        what: "instruction counts against the baseline",
        lane: Lane::Compiling,
        binary: false,
        run: counted_instructions,
    },
    Part { name: "revocation", what: "what was taken away is refused, under load", lane: Lane::Alone, binary: true, run: revocation },
    Part { name: "sdk", what: "the JavaScript package, on real servers", lane: Lane::Beside, binary: true, run: sdk },
    Part { name: "python", what: "the Python package, on real servers", lane: Lane::Beside, binary: true, run: python_kit },
    Part { name: "go", what: "the Go package and its example, on real servers", lane: Lane::Beside, binary: true, run: go_kit },
    Part { name: "clients", what: "published clients, unchanged", lane: Lane::Beside, binary: true, run: clients::clients },
    Part {
        name: "clients-postgres",
        what: "the published clients again, with all records in PostgreSQL",
        lane: Lane::Beside,
        binary: true,
        run: clients::clients_on_postgres,
    },
    Part { name: "client-rust", what: "the published Rust client", lane: Lane::Compiling, binary: true, run: clients::client_rust },
    Part { name: "api", what: "generated calls of every method", lane: Lane::Beside, binary: true, run: api },
    Part { name: "gateway", what: "the gateway beside five real proxies", lane: Lane::Beside, binary: true, run: gateway },
    Part { name: "attack", what: "the attacks on every example, and on broken services", lane: Lane::Beside, binary: true, run: attack },
    Part {
        name: "monitoring",
        what: "the alerts and the dashboard, on a real Prometheus",
        lane: Lane::Beside,
        binary: true,
        run: monitoring,
    },
    Part {
        name: "failover",
        what: "two servers while Patroni and etcd fail their database over",
        lane: Lane::Beside,
        binary: true,
        run: failover,
    },
    Part { name: "browser", what: "the pages in Chromium", lane: Lane::Beside, binary: true, run: clients::browser_part },
    Part {
        name: "browser-postgres",
        what: "the pages in Chromium again, with all records in PostgreSQL",
        lane: Lane::Beside,
        binary: true,
        run: clients::browser_on_postgres,
    },
    Part {
        name: "relying-parties",
        what: "oauth2-proxy as a relying party, in Chromium",
        lane: Lane::Beside,
        binary: true,
        run: oauth2_proxy::run,
    },
    Part {
        name: "keycloak",
        what: "a real Keycloak, as a provider and as a relying party",
        lane: Lane::Beside,
        binary: true,
        run: keycloak::run,
    },
    // The last of its lane: it works all the time, while the others mostly wait.
    Part { name: "fuzz", what: "eight seconds for each thing that strangers can send", lane: Lane::Beside, binary: true, run: fuzz },
];

/// Parts that run only where they are named: what Keycloak needs has to be downloaded, and not every machine can; clients and pages once more take as long as half of
/// all the rest; Patroni decides by its own clock what stands still, on a machine that has the time for it.
const ON_REQUEST: &[&str] = &["keycloak", "clients-postgres", "browser-postgres", "failover"];

impl Part {
    /// Whether it runs where these are named.
    pub fn is_wanted(&self, named: &[String]) -> bool {
        if named.is_empty() { !ON_REQUEST.contains(&self.name) } else { named.iter().any(|name| name == self.name) }
    }
}

/// What the tests of the crates ask of dependencies besides what the programs need. Programs for tests are built with it too: else cargo would build everything
/// that stands on these two once for the programs and once for the tests.
const FEATURES_OF_TESTS: &str = "falconer-store/conformance,tokio/test-util";

/// Builds what several parts start, before they run side by side; whether it is there.
pub fn build(wanted: &[&Part]) -> Result<bool> {
    if !wanted.iter().any(|part| part.binary) {
        return Ok(true);
    }
    let mut args = vec!["build", "--locked", "-p", "falconer", "--bins", "--features", FEATURES_OF_TESTS];
    if wanted.iter().any(|part| part.lane == Lane::Alone) {
        args.extend(["-p", "falconer-benches"]);
    }
    if wanted.iter().any(|part| part.name == "fuzz") {
        args.extend(["-p", "falconer-fuzz"]);
    }
    Ok(run_cargo(&Output::live(), "the binary", &args, &[])?.failed == 0)
}

fn run_cargo(output: &Output, title: &str, args: &[&str], env: &[(&str, &str)]) -> Result<Counts> {
    counted(output, title, &root(), &cargo_program(), args, env)
}

/// Runs steps one after the other, although one fails or cannot even be started.
pub fn all(output: &Output, steps: Vec<Result<Counts>>) -> Done {
    let mut counts = Counts::default();
    for step in steps {
        counts += step.unwrap_or_else(|error| {
            output.line(&format!("{error:#}"));
            output.failed(vec![format!("{error:#}")]);
            Counts::FAILED
        });
    }
    Done { counts, said: None }
}

fn check_part(_: &Output) -> Result<Done> {
    check::run()?;
    Ok(Done { counts: Counts::PASSED, said: None })
}

fn lints(output: &Output) -> Result<Done> {
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
fn crates(output: &Output) -> Result<Done> {
    let given = |name: &str| std::env::var(name).ok().filter(|url| !url.is_empty());
    let server = if given(postgres::VARIABLE).is_none() { Some(postgres::Server::start()?) } else { None };
    let url = given(postgres::VARIABLE).or_else(|| server.as_ref().map(|server| server.url.clone())).unwrap_or_default();
    let pooler = if given(pgbouncer::VARIABLE).is_none() { Some(pgbouncer::Pooler::before(&url)?) } else { None };
    let pooled = given(pgbouncer::VARIABLE).or_else(|| pooler.as_ref().map(|pooler| pooler.url.clone())).unwrap_or_default();
    // With their output: some print what was tried, how often, and from which seed.
    let args = ["test", "--workspace", "--locked", "--no-fail-fast", "--", "--include-ignored", "--show-output"];
    let counts = run_cargo(output, "crates", &args, &[(postgres::VARIABLE, &url), (pgbouncer::VARIABLE, &pooled)])?;
    Ok(Done { counts, said: None })
}

/// Eight seconds a target, always from the same seed, so that a change fails for what it does; `cargo xtask soak` draws one. What is found is written beside the
/// corpora, and fails from then on.
fn fuzz(output: &Output) -> Result<Done> {
    let driver = target().join("debug/falconer-fuzz").to_string_lossy().into_owned();
    Ok(Done { counts: counted(output, "fuzz targets", &root(), &driver, &["--seconds", "8", "--seed", "1"], &[])?, said: None })
}

fn counted_instructions(_: &Output) -> Result<Done> {
    let said = instructions::run(false)?;
    Ok(Done { counts: Counts::PASSED, said })
}

/// What was taken away is not accepted any more, while 64 workers use it as fast as they are answered: 60 times for each way to take it away.
/// `cargo xtask bench --rows revo` does 2,000 each, `cargo xtask soak` 10,000.
fn revocation(output: &Output) -> Result<Done> {
    let (binary, out) = (binary(), target().join("bench/revocation.json").to_string_lossy().into_owned());
    let driver = target().join("debug/falconer-bench").to_string_lossy().into_owned();
    let args = ["--binary", &binary, "--out", &out, "--rows", "revo", "--revocations", "60", "--must-hold"];
    Ok(Done { counts: counted(output, "revocation", &root(), &driver, &args, &[])?, said: None })
}

/// The binary that the end-to-end tests start.
pub fn binary() -> String {
    target().join("debug/falconer").to_string_lossy().into_owned()
}

pub fn chromium() -> String {
    needs::chromium().map(|p| p.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The JavaScript package: the repository's vectors and scenarios on real servers.
fn sdk(output: &Output) -> Result<Done> {
    let binary = binary();
    let env = [("FALCONER_BIN", binary.as_str())];
    Ok(Done { counts: node_tests(output, "the JavaScript package", &root().join("sdk/js"), "test", &env)?, said: None })
}

/// The Python package: types, the repository's vectors and scenarios on real servers, the examples, and the package as it is installed.
fn python_kit(output: &Output) -> Result<Done> {
    let binary = binary();
    let env = [("FALCONER_BIN", binary.as_str()), ("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")];
    let folder = root().join("sdk/python");
    let python = needs::kit_venv().join("bin/python").to_string_lossy().into_owned();
    let run = |title: &str, args: &[&str]| counted(output, title, &folder, &python, args, &env);
    let mut args = vec!["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"];
    args.extend(["../../examples/notes-python", "../../examples/cron-job", "../../examples/deputy"]);
    Ok(all(
        output,
        vec![
            run("types of the Python package", &["-m", "mypy", "--cache-dir=/dev/null"]),
            run("the Python package and its examples", &args),
        ],
    ))
}

/// The Go package: the repository's vectors and scenarios on real servers; and the example, which takes it as somebody else's module does.
fn go_kit(output: &Output) -> Result<Done> {
    let binary = binary();
    // Nothing but the standard library: what would need another module fails.
    let env = [("FALCONER_BIN", binary.as_str()), ("GOPROXY", "off")];
    let run = |title: &str, folder: &str, args: &[&str]| counted(output, title, &root().join(folder), "go", args, &env);
    let (kit, example) = ("sdk/go", "examples/notes-go");
    let test = &["test", "-count=1", "./..."];
    Ok(all(
        output,
        vec![
            run("go vet", kit, &["vet", "./..."]),
            run("the Go package", kit, test),
            run("go vet of the example", example, &["vet", "./..."]),
            run("the Go example", example, test),
        ],
    ))
}

/// Generated calls of every method that the OpenAPI document names.
fn api(output: &Output) -> Result<Done> {
    let binary = binary();
    let python = needs::venv().join("bin/python").to_string_lossy().into_owned();
    let env = [("FALCONER_BIN", binary.as_str()), ("PYTHONUNBUFFERED", "1")];
    let counts = counted(output, "schemathesis over the OpenAPI document", &root().join("e2e"), &python, &["fuzz_api/run.py"], &env)?;
    Ok(Done { counts, said: None })
}

/// The gateway beside real proxies, with the configuration that its page prints; and a static site behind nginx in Chromium.
fn gateway(output: &Output) -> Result<Done> {
    let (binary, chromium) = (binary(), chromium());
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let env = [
        ("FALCONER_BIN", binary.as_str()),
        ("CHROMIUM_BIN", chromium.as_str()),
        ("PATH", path.as_str()),
        ("PYTHONUNBUFFERED", "1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ];
    let e2e = root().join("e2e");
    let python = needs::proxies_venv().join("bin/python").to_string_lossy().into_owned();
    let args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "gateway"];
    Ok(all(
        output,
        vec![
            counted(output, "the gateway beside nginx, Traefik, Caddy, Envoy and HAProxy", &e2e, &python, &args, &env),
            node_tests(output, "a static site behind nginx", &e2e, "gateway", &env),
        ],
    ))
}

/// `falconer attack` on every example, which hold, and on services with one fault each, which it finds. The interpreter is the one that the Python example
/// needs.
fn attack(output: &Output) -> Result<Done> {
    let binary = binary();
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
    let env = [("FALCONER_BIN", binary.as_str()), ("PATH", path.as_str()), ("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")];
    let python = needs::kit_venv().join("bin/python").to_string_lossy().into_owned();
    let args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "attack"];
    let counts = counted(output, "attacks on examples and on broken services", &root().join("e2e"), &python, &args, &env)?;
    Ok(Done { counts, said: None })
}

/// The alerts and the dashboard of the documentation, on a real Prometheus that scrapes real servers.
fn monitoring(output: &Output) -> Result<Done> {
    let binary = binary();
    let python = needs::venv().join("bin/python").to_string_lossy().into_owned();
    let env = [("FALCONER_BIN", binary.as_str()), ("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")];
    let args = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "monitoring"];
    Ok(Done { counts: counted(output, "alerts and dashboard on Prometheus", &root().join("e2e"), &python, &args, &env)?, said: None })
}

/// Two servers on a PostgreSQL that Patroni and etcd watch over, whose leader is lost and then frozen. Patroni needs twenty seconds for each.
fn failover(output: &Output) -> Result<Done> {
    let binary = binary();
    let python = needs::venv().join("bin/python").to_string_lossy().into_owned();
    let env = [("FALCONER_BIN", binary.as_str()), ("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")];
    let args = ["-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "failover"];
    Ok(Done { counts: counted(output, "failing over with Patroni", &root().join("e2e"), &python, &args, &env)?, said: None })
}

/// Runs every `*.test.mjs` of a folder, one file after the other: they start servers and browsers of their own.
pub fn node_tests(output: &Output, title: &str, folder: &Path, tests: &str, env: &[(&str, &str)]) -> Result<Counts> {
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
        let wanted = |named: &[String]| PARTS.iter().filter(|part| part.is_wanted(named)).map(|part| part.name).collect::<Vec<_>>();
        assert_eq!(wanted(&["keycloak".to_owned()]), ["keycloak"]);
        let all = wanted(&[]);
        assert!(all.contains(&"browser") && all.len() == PARTS.len() - ON_REQUEST.len(), "{all:?}");
        assert!(all.iter().all(|name| !ON_REQUEST.contains(name)), "{all:?}");
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
