//! Local accounts, made beside a server.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Makes an account that may do next to nothing. `falconer` is the binary with what it needs to find the records.
pub fn create(mut falconer: Command, name: &str, password: &str) -> Result<()> {
    falconer.args(["account", "create", name, "--password-stdin", "--scope", "auth:current-scopes"]);
    let mut child =
        falconer.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("falconer account create")?;
    child.stdin.take().context("no stdin")?.write_all(format!("{password}\n").as_bytes())?;
    let done = child.wait_with_output()?;
    if !done.status.success() {
        bail!("falconer account create: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}
