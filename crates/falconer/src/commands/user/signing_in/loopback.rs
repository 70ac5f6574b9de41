//! A port of the person's own machine that waits for the answer of a page.
//!
//! It takes only the answer that carries its own random `state`; anything else that knocks (a favicon, another page) gets 404.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result};
use falconer_auth::Random as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::system::SystemRandom;

/// The path of the answer.
const PATH: &str = "/signed-in";

/// The parameters of an answer.
pub type Answer = BTreeMap<String, String>;

/// A port that is taken, and what its answer has to carry.
pub struct Loopback {
    listener: TcpListener,
    port: u16,
    expected: Expected,
}

/// Which answer is ours.
#[derive(Clone)]
pub struct Expected {
    state: String,
    /// Is there unless there is an `error`.
    parameter: &'static str,
}

impl Loopback {
    /// Takes a port, 0 for a free one. `parameter`: what a whole answer has.
    pub async fn take(port: u16, parameter: &'static str) -> Result<Loopback> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| format!("can't listen on port {port} of loopback for the answer; leave --port out to take a free one"))?;
        let port = listener.local_addr()?.port();
        Ok(Loopback { listener, port, expected: Expected { state: random_word(), parameter } })
    }

    /// Where the answer is to go.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// What the answer has to carry.
    pub fn state(&self) -> &str {
        &self.expected.state
    }

    /// The same for an answer that comes another way.
    pub fn expected(&self) -> &Expected {
        &self.expected
    }

    /// The first answer that is ours. Browsers open connections that they do not use, so none may hold up another.
    pub async fn answer(&self) -> Result<Answer> {
        let (say, mut answers) = tokio::sync::mpsc::channel(1);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let ((stream, _), expected, say) = (accepted?, self.expected.clone(), say.clone());
                    tokio::spawn(async move {
                        if let Some(found) = answer(stream, &expected).await {
                            // Nobody hears a second answer.
                            let _ = say.send(found).await;
                        }
                    });
                }
                Some(found) = answers.recv() => return Ok(found),
            }
        }
    }
}

/// 128 random bits.
pub fn random_word() -> String {
    let mut bytes = [0_u8; 16];
    SystemRandom.fill(&mut bytes);
    falconer_credentials::slugid(bytes)
}

impl Expected {
    /// The parameters of an address, where it is the answer.
    pub fn read(&self, address: &url::Url) -> Option<Answer> {
        let found: Answer = address.query_pairs().into_owned().collect();
        let is_ours = address.path() == PATH && found.get("state").is_some_and(|state| *state == self.state);
        (is_ours && (found.contains_key("error") || found.contains_key(self.parameter))).then_some(found)
    }
}

async fn answer(mut stream: TcpStream, expected: &Expected) -> Option<Answer> {
    let head = tokio::time::timeout(Duration::from_secs(5), read_head(&mut stream)).await.ok()??;
    let path = head.split_whitespace().nth(1)?;
    let url = url::Url::parse("http://127.0.0.1/").ok()?.join(path).ok()?;
    let found = expected.read(&url);
    let nonce = &expected.state;
    // The script takes what came out of the address bar and the tab's history.
    let (status, text) = match &found {
        Some(found) if found.contains_key("error") => (
            "200 OK",
            "<!doctype html><html lang=\"en\"><title>Nothing was granted</title><p>Nothing was granted. You can close this tab.".to_owned(),
        ),
        Some(_) => (
            "200 OK",
            format!(
                "<!doctype html><html lang=\"en\"><title>Signed in</title><script nonce=\"{nonce}\">history.replaceState(null, '', '{PATH}')</script>\
                 <p>Signed in. You can close this tab and go back to the terminal."
            ),
        ),
        None => (
            "404 Not Found",
            "<!doctype html><html lang=\"en\"><title>Not here</title><p>This is the command line waiting for Falconer's answer.".to_owned(),
        ),
    };
    let policy = if found.is_some() { format!("default-src 'none'; script-src 'nonce-{nonce}'") } else { "default-src 'none'".to_owned() };
    let reply = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nreferrer-policy: no-referrer\r\n\
         cache-control: no-store\r\ncontent-security-policy: {policy}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
    // The answer counts even if the browser has gone before its page was written.
    let _ = stream.write_all(reply.as_bytes()).await;
    let _ = stream.shutdown().await;
    found
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
