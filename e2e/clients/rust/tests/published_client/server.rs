//! A fresh server of the real binary for a test.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;
use taskcluster::{Auth, ClientBuilder, Credentials};

pub struct Server {
    pub root_url: String,
    pub credentials: Credentials,
    process: Child,
    folder: tempfile::TempDir,
}

impl Server {
    /// `arguments` are further ones of `init`, `settings` are variables for `serve`.
    pub fn start(arguments: &[&str], settings: &[(&str, &str)]) -> Result<Server> {
        let binary = std::env::var("FALCONER_BIN").context("FALCONER_BIN must name the falconer binary (cargo xtask test sets it)")?;
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let call = || {
            let mut command = Command::new(&binary);
            for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FALCONER_") || name.starts_with("TASKCLUSTER_")) {
                command.env_remove(name);
            }
            command
        };
        let initialized = call().arg("init").args(arguments).arg("--data-dir").arg(&data).arg("--json").output()?;
        let init: Value = serde_json::from_slice(&initialized.stdout).with_context(|| String::from_utf8_lossy(&initialized.stderr).into_owned())?;
        let text = |key: &str| init[key].as_str().unwrap_or_default().to_owned();
        let mut process = call()
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let lines = BufReader::new(process.stdout.take().context("no stdout")?).lines();
        let (send, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("listening on ") {
                    let _ = send.send(url.trim().to_owned());
                }
            }
        });
        let patience = std::env::var("FALCONER_TEST_PATIENCE").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(120);
        let Ok(root_url) = said.recv_timeout(std::time::Duration::from_secs(patience)) else {
            process.kill()?;
            anyhow::bail!("falconer serve did not listen within {patience} s");
        };
        Ok(Server { root_url, credentials: Credentials::new(text("clientId"), text("accessToken")), process, folder })
    }

    /// Credentials from an access grant, as a browser would bring them back.
    pub fn grant(&self, target: &str, scope: &str) -> Result<Credentials> {
        let data = self.folder.path().join("data");
        let mut account = Command::new(std::env::var("FALCONER_BIN")?)
            .args(["account", "create", "ann", "--password-stdin", "--scope", "notes:read:*", "--data-dir"])
            .arg(data)
            .env_remove("FALCONER_BIN")
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        account.stdin.take().context("no stdin")?.write_all(b"a long password")?;
        anyhow::ensure!(account.wait()?.success(), "falconer account create failed");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../support/grant-over-http.mjs");
        let output = Command::new("node").args([script, &self.root_url, "ann", "a long password", target, scope]).output()?;
        let granted: Value = serde_json::from_slice(&output.stdout).with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let text = |key: &str| granted[key].as_str().unwrap_or_default().to_owned();
        Ok(Credentials::new_with_certificate(text("clientId"), text("accessToken"), text("certificate")))
    }

    pub fn auth(&self, credentials: Credentials) -> Result<Auth> {
        Auth::new(ClientBuilder::new(&self.root_url).credentials(credentials))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
