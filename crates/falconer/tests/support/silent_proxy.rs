//! A proxy that can stop forwarding without closing anything: its kernel acknowledges what is sent, and nobody answers.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses a part of it; a test may stop")]

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does with what comes.
#[derive(Clone, PartialEq)]
enum Gate {
    Open,
    Closed,
    /// Closes when a `COMMIT` follows these words on the same connection.
    AtCommitAfter(Vec<u8>, Kept),
}

/// What a gate that closes at a commit keeps back.
#[derive(Clone, Copy, PartialEq)]
pub enum Kept {
    /// The commit itself.
    Commit,
    /// The answer to it.
    Answer,
}

/// A proxy in front of one server. It ends with this value.
pub struct SilentProxy {
    pub address: SocketAddr,
    gate: Arc<watch::Sender<Gate>>,
    accepting: JoinHandle<()>,
}

impl SilentProxy {
    /// Forwards to `server` (`host:port`).
    pub async fn before(server: String) -> SilentProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let gate = Arc::new(watch::Sender::new(Gate::Open));
        let shared = Arc::clone(&gate);
        let accepting = tokio::spawn(async move {
            loop {
                let (from, _) = listener.accept().await.unwrap();
                let Ok(to) = TcpStream::connect(&server).await else { continue };
                // Small writes go on at once, as on the way without a proxy: else each question to a database may take 40 ms more.
                from.set_nodelay(true).unwrap();
                to.set_nodelay(true).unwrap();
                let ((from_client, to_client), (from_server, to_server)) = (from.into_split(), to.into_split());
                tokio::spawn(forward(from_client, to_server, Arc::clone(&shared), true));
                tokio::spawn(forward(from_server, to_client, Arc::clone(&shared), false));
            }
        });
        SilentProxy { address, gate, accepting }
    }

    /// Nothing gets through from now on.
    pub fn fall_silent(&self) {
        self.gate.send_replace(Gate::Closed);
    }

    /// The same as soon as a `COMMIT` follows `words`.
    pub fn fall_silent_at_the_commit_of(&self, words: &str, kept: Kept) {
        self.gate.send_replace(Gate::AtCommitAfter(words.as_bytes().to_vec(), kept));
    }

    /// Waits until it is silent.
    pub async fn is_silent(&self) {
        self.gate.subscribe().wait_for(|gate| *gate == Gate::Closed).await.unwrap();
    }

    /// Everything gets through again, also what was kept back.
    pub fn go_on(&self) {
        self.gate.send_replace(Gate::Open);
    }
}

impl Drop for SilentProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, gate: Arc<watch::Sender<Gate>>, is_from_client: bool) {
    let (mut buffer, mut has_words, mut watched) = (vec![0; 1 << 16], false, gate.subscribe());
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let sent = buffer.get(..length).unwrap_or_default();
        let now = gate.borrow().clone();
        let mut kept = None;
        if let Gate::AtCommitAfter(words, what) = now
            && is_from_client
        {
            has_words |= holds(sent, &words);
            if has_words && holds(sent, b"COMMIT") {
                kept = Some(what);
            }
        }
        if kept.is_some() {
            gate.send_replace(Gate::Closed);
        }
        if kept != Some(Kept::Answer) && watched.wait_for(|gate| *gate != Gate::Closed).await.is_err() {
            return;
        }
        if to.write_all(sent).await.is_err() {
            return;
        }
    }
    // The end of one side is that of the other, once it may get through.
    let _ = watched.wait_for(|gate| *gate != Gate::Closed).await;
}

fn holds(bytes: &[u8], words: &[u8]) -> bool {
    bytes.windows(words.len()).any(|window| window == words)
}
