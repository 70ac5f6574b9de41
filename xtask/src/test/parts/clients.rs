//! What others have written: published clients, and a browser.

use anyhow::Result;

use super::{Done, all, node_tests};
use crate::counts::Counts;
use crate::run::{Output, cargo_program, counted, root, target};
use crate::test::needs;
use crate::test::stores::binaries::Binary;

/// The published clients, unchanged, against the real binary.
pub fn clients(output: &Output, binary: &Binary) -> Result<Done> {
    let env = binary.with(&[("PYTHONUNBUFFERED", "1")]);
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
            node_tests(output, "published client for browsers", &e2e, "clients/web", &binary.with(&[])),
        ],
    ))
}

/// The published Rust client, which has a workspace of its own.
pub fn client_rust(output: &Output, binary: &Binary) -> Result<Done> {
    let folder = target().to_string_lossy().into_owned();
    let env = binary.with(&[("CARGO_TARGET_DIR", &folder)]);
    let args = ["test", "--locked", "--no-fail-fast", "--", "--show-output"];
    Ok(counted(output, "published Rust client", &root().join("e2e/clients/rust"), &cargo_program(), &args, &env)?.into())
}

pub fn browser_part(output: &Output, binary: &Binary) -> Result<Done> {
    Ok(browser(output, binary, &[])?.into())
}

/// The flow in real Chromium.
pub fn browser(output: &Output, binary: &Binary, more: &[(&str, &str)]) -> Result<Counts> {
    node_tests(output, "browser", &root().join("e2e"), "browser", &binary.with(more))
}
