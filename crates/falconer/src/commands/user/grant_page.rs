//! The page that grants access, asked by a program on the person's own machine: a grant to a loopback target of our own, through the browser.
//!
//! The listener takes only the answer that carries its own random `state`; anything else that knocks (a favicon, another page) gets 404.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use falconer_auth::Random;
use falconer_client::{Client, Error, Method, Retry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::system::SystemRandom;

/// What the page is asked for, and how.
pub struct GrantPageRequest<'a> {
    /// These only; without any, everything that the person may do except what is broad.
    pub scopes: &'a [String],
    /// A lifetime, as [`lifetime`] reads it.
    pub expires: Option<&'a str>,
    /// What the page shows as the reason.
    pub description: &'a str,
    /// The address is printed, and no browser opened.
    pub no_browser: bool,
    /// The port of loopback that waits for the answer; 0 for a free one.
    pub port: u16,
    /// How long to wait for the decision; `None`: as long as it takes.
    pub timeout: Option<Duration>,
}

/// Waits for the grant: `clientId`, `accessToken`, `certificate`, the first two never empty.
pub async fn ask(root_url: &str, request: &GrantPageRequest<'_>) -> Result<BTreeMap<String, String>> {
    let listener = TcpListener::bind(("127.0.0.1", request.port)).await.with_context(|| {
        format!("can't listen on port {} of loopback for the answer; leave --port out to take a free one", request.port)
    })?;
    let state = fresh_state();
    let target = format!("http://127.0.0.1:{}/signed-in?state={state}", listener.local_addr()?.port());
    let mut address = url::Url::parse(root_url).with_context(|| format!("`{root_url}` is no root URL"))?;
    address.set_path("/");
    {
        let mut query = address.query_pairs_mut();
        query.append_pair("target", &target).append_pair("description", request.description).append_pair("tell_cancel", "true");
        request.scopes.iter().for_each(|scope| {
            query.append_pair("scope", scope);
        });
        if let Some(expires) = request.expires {
            query.append_pair("expires", expires);
        }
    }
    // A form's `+` is a space only where somebody decodes it as a form.
    let address = address.as_str().replace('+', "%20");
    try_page(root_url, &address).await?;
    eprintln!("Open this page to sign in and grant access:\n\n  {address}\n");
    if !request.no_browser && open::that_detached(&address).is_err() {
        eprintln!("No browser could be opened: copy the address.");
    }
    let decision = wait(&listener, &state);
    let answer = match request.timeout {
        None => decision.await?,
        Some(timeout) => tokio::time::timeout(timeout, decision).await.map_err(|_| {
            anyhow::anyhow!("nobody pressed Grant within {} seconds; run it again, or give more with --timeout", timeout.as_secs())
        })??,
    };
    if answer.contains_key("error") {
        bail!("Cancel was pressed on the page: nothing was granted");
    }
    if ["clientId", "accessToken"].iter().any(|name| answer.get(*name).is_none_or(String::is_empty)) {
        bail!("the answer holds no credentials");
    }
    Ok(answer)
}

/// Asks for the page once, as the browser will: a server that is away, or that refuses this request, would leave everybody waiting.
async fn try_page(root_url: &str, address: &str) -> Result<()> {
    let once = Retry { tries: 1, timeout: Duration::from_secs(20), ..Retry::default() };
    match Client::new(root_url)?.with_retry(once).fetch(&Method::GET, address, None).await {
        // Whoever is not signed in is led to sign-in: the request is one that can be granted.
        Err(Error::Api { status: 300..=399, .. }) => Ok(()),
        Ok(_) | Err(Error::Api { status: 404, .. }) => {
            bail!("{root_url} has no page that grants access: is it the root URL of a Falconer?")
        }
        Err(error @ Error::Api { .. }) => Err(anyhow::Error::from(error).context(format!("{root_url} refuses this request"))),
        Err(error) => Err(error.into()),
    }
}

fn fresh_state() -> String {
    let mut bytes = [0_u8; 16];
    SystemRandom.fill(&mut bytes);
    falconer_credentials::slugid(bytes)
}

/// As every server checks it.
pub fn scope(text: &str) -> Result<String, String> {
    match any_scope(text) {
        Ok(scope) if scope.trim() != scope => Err("it begins or ends with a space, which no scope of a service does".to_owned()),
        other => other,
    }
}

/// A scope as the API takes it.
pub fn any_scope(text: &str) -> Result<String, String> {
    if falconer_scopes::is_valid_scope(text) {
        Ok(text.to_owned())
    } else {
        Err("a scope is printable ASCII, such as notes:read:red".to_owned())
    }
}

/// A lifetime that the page understands.
pub fn lifetime(text: &str) -> Result<String, String> {
    match falconer_wire::time_expression::parse_ms(text) {
        Ok(1..) => Ok(text.to_owned()),
        _ => Err("write something like `1 hour` or `3 days`".to_owned()),
    }
}

/// The parameters of the first answer that carries our state. Browsers open connections that they do not use, so none may hold up another.
async fn wait(listener: &TcpListener, state: &str) -> Result<BTreeMap<String, String>> {
    let (say, mut answers) = tokio::sync::mpsc::channel(1);
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let ((stream, _), state, say) = (accepted?, state.to_owned(), say.clone());
                tokio::spawn(async move {
                    if let Some(found) = answer(stream, &state).await {
                        // Nobody hears a second answer.
                        let _ = say.send(found).await;
                    }
                });
            }
            Some(found) = answers.recv() => return Ok(found),
        }
    }
}

async fn answer(mut stream: TcpStream, state: &str) -> Option<BTreeMap<String, String>> {
    let head = tokio::time::timeout(Duration::from_secs(5), read_head(&mut stream)).await.ok()??;
    let path = head.split_whitespace().nth(1)?;
    let url = url::Url::parse("http://127.0.0.1/").ok()?.join(path).ok()?;
    let found: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
    let ours = url.path() == "/signed-in" && found.get("state").is_some_and(|s| s == state);
    let is_cancel = found.contains_key("error");
    let ours = ours && (is_cancel || found.contains_key("accessToken"));
    // The script takes the credentials out of the address bar and the tab's history.
    let (status, text) = if ours && is_cancel {
        (
            "200 OK",
            "<!doctype html><html lang=\"en\"><title>Nothing was granted</title><p>Nothing was granted. You can close this tab.".to_owned(),
        )
    } else if ours {
        (
            "200 OK",
            format!(
                "<!doctype html><html lang=\"en\"><title>Signed in</title><script nonce=\"{state}\">history.replaceState(null, '', '/signed-in')</script>\
                 <p>Signed in. You can close this tab and go back to the terminal."
            ),
        )
    } else {
        (
            "404 Not Found",
            "<!doctype html><html lang=\"en\"><title>Not here</title><p>This is the command line waiting for Falconer's answer.".to_owned(),
        )
    };
    let policy = if ours { format!("default-src 'none'; script-src 'nonce-{state}'") } else { "default-src 'none'".to_owned() };
    let reply = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nreferrer-policy: no-referrer\r\n\
         cache-control: no-store\r\ncontent-security-policy: {policy}\r\nconnection: close\r\n\r\n{text}",
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
