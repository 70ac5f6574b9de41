//! The parts that start clients which others have written, and a browser.

use anyhow::Result;

use super::needs;
use super::parts::{Done, all, binary, chromium, node_tests};
use super::stores::in_place::InPlaceOfTheBinary;
use crate::counts::Counts;
use crate::run::{Output, cargo_program, counted, root, target};

/// The published clients, unchanged, against the real binary.
pub fn clients(output: &Output) -> Result<Done> {
    clients_of(output, &[("FALCONER_BIN", &binary())])
}

pub fn clients_on_postgres(output: &Output) -> Result<Done> {
    let store = InPlaceOfTheBinary::start(binary())?;
    clients_of(output, &store.environment())
}

/// `store` names the binary, and what it needs besides.
fn clients_of(output: &Output, store: &[(&str, &str)]) -> Result<Done> {
    let chromium = chromium();
    let env = [store, &[("PYTHONUNBUFFERED", "1")]].concat();
    let e2e = root().join("e2e");
    let python = needs::venv().join("bin/python").to_string_lossy().into_owned();
    let pytest = |title: &str, folder: &str| {
        counted(output, title, &e2e, &python, &["-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", folder], &env)
    };
    Ok(all(
        output,
        vec![
            pytest("published Python client", "clients/python"),
            pytest("published tc-admin", "clients/tcadmin"),
            node_tests(output, "published JavaScript client", &e2e, "clients/node", &env),
            node_tests(output, "published client for browsers", &e2e, "clients/web", &[store, &[("CHROMIUM_BIN", &chromium)]].concat()),
        ],
    ))
}

/// The published Rust client, which has a workspace of its own.
pub fn client_rust(output: &Output) -> Result<Done> {
    let (binary, folder) = (binary(), target().to_string_lossy().into_owned());
    let env = [("FALCONER_BIN", binary.as_str()), ("CARGO_TARGET_DIR", folder.as_str())];
    let args = ["test", "--locked", "--no-fail-fast", "--", "--show-output"];
    let counts = counted(output, "published Rust client", &root().join("e2e/clients/rust"), &cargo_program(), &args, &env)?;
    Ok(Done { counts, said: None })
}

pub fn browser_part(output: &Output) -> Result<Done> {
    Ok(Done { counts: browser(output, &[("FALCONER_BIN", &binary())])?, said: None })
}

pub fn browser_on_postgres(output: &Output) -> Result<Done> {
    let store = InPlaceOfTheBinary::start(binary())?;
    Ok(Done { counts: browser(output, &store.environment())?, said: None })
}

/// The flow in real Chromium. `extra` names the binary, and goes to the test runner's environment.
pub fn browser(output: &Output, extra: &[(&str, &str)]) -> Result<Counts> {
    let chromium = chromium();
    let env = [extra, &[("CHROMIUM_BIN", &chromium)]].concat();
    node_tests(output, "browser", &root().join("e2e"), "browser", &env)
}
