//! The published Rust client, unchanged, against the real binary.
//!
//! Its authenticated requests with query parameters are signed without their query string, so they fail on every correct server
//! (wire document on clients, section 3); such calls are made here only to show that they are refused.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use taskcluster::{Auth, ClientBuilder, Credentials};

struct Server {
    root_url: String,
    credentials: Credentials,
    process: Child,
    folder: tempfile::TempDir,
}

impl Server {
    fn start() -> Result<Server> {
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
        let made = call().arg("init").arg("--data-dir").arg(&data).arg("--json").output()?;
        let init: Value = serde_json::from_slice(&made.stdout).with_context(|| String::from_utf8_lossy(&made.stderr).into_owned())?;
        let text = |key: &str| init[key].as_str().unwrap_or_default().to_owned();
        let mut process =
            call().args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&data).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let lines = BufReader::new(process.stdout.take().context("no stdout")?).lines();
        let mut root_url = None;
        for line in lines {
            if let Some(url) = line?.strip_prefix("listening on ") {
                root_url = Some(url.trim().to_owned());
                break;
            }
        }
        let root_url = root_url.context("falconer serve ended before it listened")?;
        Ok(Server { root_url, credentials: Credentials::new(text("clientId"), text("accessToken")), process, folder })
    }

    /// Credentials from an access grant, as a browser would bring them back.
    fn grant(&self, target: &str, scope: &str) -> Result<Credentials> {
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
        let made = Command::new("node").args([script, &self.root_url, "ann", "a long password", target, scope]).output()?;
        let granted: Value = serde_json::from_slice(&made.stdout).with_context(|| String::from_utf8_lossy(&made.stderr).into_owned())?;
        let text = |key: &str| granted[key].as_str().unwrap_or_default().to_owned();
        Ok(Credentials::new_with_certificate(text("clientId"), text("accessToken"), text("certificate")))
    }

    fn auth(&self, credentials: Credentials) -> Result<Auth> {
        Auth::new(ClientBuilder::new(&self.root_url).credentials(credentials))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn status(error: &anyhow::Error) -> Option<u16> {
    taskcluster::err_status_code(error).map(|status| status.as_u16())
}

fn in_an_hour() -> String {
    let time: taskcluster::chrono::DateTime<taskcluster::chrono::Utc> = (SystemTime::now() + Duration::from_secs(3600)).into();
    time.to_rfc3339()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_client_works() -> Result<()> {
    let server = Server::start()?;
    let root = server.auth(server.credentials.clone())?;
    assert_eq!(root.currentScopes().await?, json!({"scopes": ["*"]}));

    let input = json!({"expires": in_an_hour(), "description": "from a test", "scopes": ["auth:current-scopes", "notes:read:*"]});
    let made = root.createClient("rust/one", &input).await?;
    let token = made["accessToken"].as_str().context("no token")?;
    let mine = server.auth(Credentials::new("rust/one", token))?;
    let held = json!({"scopes": ["assume:anonymous", "auth:current-scopes", "notes:read:*"]});
    assert_eq!(mine.currentScopes().await?, held);
    assert_eq!(root.client("rust/one").await?["description"], "from a test");
    root.updateClient("rust/one", &json!({"expires": in_an_hour(), "description": "changed"})).await?;
    assert_eq!(root.client("rust/one").await?["description"], "changed");
    let refused = root.client("rust/none").await.unwrap_err();
    assert_eq!(status(&refused), Some(404));

    root.createRole("rust:*", &json!({"description": "", "scopes": ["badge:<..>"]})).await?;
    assert_eq!(root.expandScopes(&json!({"scopes": ["assume:rust:a"]})).await?, json!({"scopes": ["assume:rust:a", "badge:a"]}));
    root.updateRole("rust:*", &json!({"description": "", "scopes": ["door"]})).await?;
    assert_eq!(root.role("rust:*").await?["scopes"], json!(["door"]));
    root.deleteRole("rust:*").await?;

    let narrow = ["auth:current-scopes", "notes:read:a"];
    let expected = json!({"scopes": ["assume:anonymous", "auth:current-scopes", "notes:read:a"]});
    let hour = Duration::from_secs(3600);
    let anonymous = server.credentials.create_temp_creds(hour, narrow)?;
    assert_eq!(server.auth(anonymous)?.currentScopes().await?, expected);
    let named = server.credentials.create_named_temp_creds("rust/named", hour, narrow)?;
    assert_eq!(server.auth(named)?.currentScopes().await?, expected);

    let authorized = Auth::new(ClientBuilder::new(&server.root_url).credentials(server.credentials.clone()).authorized_scopes(narrow))?;
    assert_eq!(authorized.currentScopes().await?, expected);

    let url = root.currentScopes_signed_url(Duration::from_secs(60))?;
    assert_eq!(reqwest::get(url).await?.text().await?.contains("\"*\""), true);

    let parts = json!({"method": "get", "resource": "/x", "host": "h.example", "port": 443});
    assert_eq!(root.authenticateHawk(&parts).await?["status"], "no-auth");

    let granted = server.grant("https://notes.example.com/cb", "notes:read:zap")?;
    assert_eq!(
        server.auth(granted)?.currentScopes().await?,
        json!({"scopes": ["assume:anonymous", "auth:current-scopes", "notes:read:zap"]})
    );

    root.disableClient("rust/one").await?;
    assert_eq!(status(&mine.currentScopes().await.unwrap_err()), Some(401));
    root.deleteClient("rust/one").await?;

    // Exempt by name: listClients with a query parameter and credentials.
    let unsigned_query = root.listClients(Some("rust/"), None, None).await.unwrap_err();
    assert_eq!(status(&unsigned_query), Some(401));
    Ok(())
}
