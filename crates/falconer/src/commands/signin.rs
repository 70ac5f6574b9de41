//! `falconer signin`: a grant to a loopback target of our own, through the browser.
//!
//! The listener takes only the answer that carries its own random `state`; anything else that knocks (a favicon, another page) gets 404.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use falconer_auth::Random;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::user::UserOptions;
use crate::edge::SystemRandom;
use crate::output;

/// `falconer signin`
#[derive(clap::Args)]
pub struct Options {
    /// Ask for this scope only; may be repeated; by default everything that you may do except what is broad
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A wish for the lifetime, such as `1 hour` or `3 days`
    #[arg(long)]
    expires: Option<String>,
    /// What the page shows as your reason
    #[arg(long, default_value = "Credentials for the command line.")]
    description: String,
    /// Print the address and open no browser
    #[arg(long)]
    no_browser: bool,
    /// Seconds to wait for your decision
    #[arg(long, default_value = "600")]
    timeout: u64,
    /// Lines for csh instead of sh
    #[arg(long, group = "shell")]
    csh: bool,
    /// Lines for fish
    #[arg(long, group = "shell")]
    fish: bool,
    /// Lines for PowerShell
    #[arg(long, group = "shell")]
    powershell: bool,
    #[command(flatten)]
    user: UserOptions,
}

/// Waits for the grant and prints the credentials.
pub async fn run(options: Options) -> Result<()> {
    let root_url = options.user.root_url()?.trim_end_matches('/').to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.context("can't listen on loopback for the answer")?;
    let state = fresh_state();
    let target = format!("http://127.0.0.1:{}/signed-in?state={state}", listener.local_addr()?.port());
    let mut address = url::Url::parse(&root_url).with_context(|| format!("`{root_url}` is no root URL"))?;
    address.set_path("/");
    {
        let mut query = address.query_pairs_mut();
        query.append_pair("target", &target).append_pair("description", &options.description);
        options.scopes.iter().for_each(|scope| {
            query.append_pair("scope", scope);
        });
        if let Some(expires) = &options.expires {
            query.append_pair("expires", expires);
        }
    }
    eprintln!("Open this page to sign in and grant access:\n\n  {address}\n");
    if !options.no_browser && open::that_detached(address.as_str()).is_err() {
        eprintln!("No browser could be opened: copy the address.");
    }
    let answer = tokio::time::timeout(Duration::from_secs(options.timeout), wait(&listener, &state))
        .await
        .with_context(|| format!("nobody pressed Grant within {} seconds", options.timeout))??;
    print(&options, &root_url, &answer)
}

fn fresh_state() -> String {
    let mut bytes = [0_u8; 16];
    SystemRandom.fill(&mut bytes);
    falconer_credentials::slugid(bytes)
}

/// The parameters of the first answer that carries our state.
async fn wait(listener: &TcpListener, state: &str) -> Result<BTreeMap<String, String>> {
    loop {
        let (stream, _) = listener.accept().await?;
        if let Some(found) = answer(stream, state).await {
            return Ok(found);
        }
    }
}

async fn answer(mut stream: TcpStream, state: &str) -> Option<BTreeMap<String, String>> {
    let head = tokio::time::timeout(Duration::from_secs(5), read_head(&mut stream)).await.ok()??;
    let path = head.split_whitespace().nth(1)?;
    let url = url::Url::parse("http://127.0.0.1/").ok()?.join(path).ok()?;
    let found: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let ours = url.path() == "/signed-in" && found.get("state").is_some_and(|s| s == state) && found.contains_key("accessToken");
    let (status, text) = if ours {
        ("200 OK", "<!doctype html><title>Signed in</title><p>Signed in. You can close this tab and go back to the terminal.")
    } else {
        ("404 Not Found", "<!doctype html><title>Not here</title><p>This is the command line waiting for Falconer's answer.")
    };
    let reply = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nreferrer-policy: no-referrer\r\n\
         cache-control: no-store\r\ncontent-security-policy: default-src 'none'\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    // The credentials count even if the browser has gone before its page was written.
    let _ = stream.write_all(reply.as_bytes()).await;
    let _ = stream.shutdown().await;
    ours.then_some(found)
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut part = [0_u8; 4096];
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        let count = stream.read(&mut part).await.ok()?;
        head.extend_from_slice(part.get(..count)?);
        if count == 0 || head.len() > 64 * 1024 {
            return None;
        }
    }
    String::from_utf8(head).ok()
}

fn print(options: &Options, root_url: &str, found: &BTreeMap<String, String>) -> Result<()> {
    let value = |name: &str| found.get(name).map(String::as_str).unwrap_or_default();
    if value("clientId").is_empty() || value("accessToken").is_empty() {
        bail!("the answer holds no credentials");
    }
    let variables = [
        ("TASKCLUSTER_ROOT_URL", root_url),
        ("TASKCLUSTER_CLIENT_ID", value("clientId")),
        ("TASKCLUSTER_ACCESS_TOKEN", value("accessToken")),
        ("TASKCLUSTER_CERTIFICATE", value("certificate")),
    ];
    if options.user.json {
        return output::json(&serde_json::json!({
            "rootUrl": root_url, "clientId": value("clientId"), "accessToken": value("accessToken"), "certificate": value("certificate"),
        }));
    }
    for (name, text) in variables.into_iter().filter(|(_, text)| !text.is_empty()) {
        println!("{}", line(options, name, text));
    }
    eprintln!("Signed in as {}.", value("clientId"));
    Ok(())
}

fn line(options: &Options, name: &str, text: &str) -> String {
    let quoted = format!("'{}'", text.replace('\'', "'\\''"));
    if options.csh {
        format!("setenv {name} {quoted}")
    } else if options.fish {
        format!("set -gx {name} '{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
    } else if options.powershell {
        format!("$env:{name} = '{}'", text.replace('\'', "''"))
    } else {
        format!("export {name}={quoted}")
    }
}
