//! oauth2-proxy: what many put in front of a service that knows nothing of signing in. It is a Go program, built from its module.

use std::path::PathBuf;

use anyhow::Result;

use super::{Done, node_tests};
use crate::run::{Output, root, step, target};
use crate::test::stores::binaries::Binary;

/// The version that people sign in with; benches/peers has the same.
const VERSION: &str = "v7.15.6";

fn folder() -> PathBuf {
    target().join("oauth2-proxy").join(VERSION)
}

fn program() -> PathBuf {
    folder().join("oauth2-proxy")
}

/// A minute of CPU, once.
pub fn fetch() -> Result<()> {
    if program().exists() {
        return Ok(());
    }
    let place = folder().to_string_lossy().into_owned();
    // It names a newer Go than the tests need, which Go brings by itself.
    let env = [("GOBIN", place.as_str()), ("GOTOOLCHAIN", "auto"), ("GOFLAGS", "-buildvcs=false")];
    step("oauth2-proxy", &root(), "go", &["install", &format!("github.com/oauth2-proxy/oauth2-proxy/v7@{VERSION}")], &env)
}

/// People sign in through it, in Chromium.
pub fn run(output: &Output, binary: &Binary) -> Result<Done> {
    let program = program().to_string_lossy().into_owned();
    let env = binary.with(&[("OAUTH2_PROXY_BIN", &program)]);
    Ok(node_tests(output, "oauth2-proxy", &root().join("e2e"), "relying-parties", &env)?.into())
}
