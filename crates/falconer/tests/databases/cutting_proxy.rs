//! A proxy that cuts every connection at a byte: what came before has arrived, and nothing after it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Where it cuts.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// After so many bytes that the client sends, on all connections together.
    Sent(usize),
    /// After so many bytes that the database answers.
    Answered(usize),
    /// After so many bytes of the `COMMIT` that follows the words on the same connection.
    Commit(usize),
    /// After so many bytes of the answer to it.
    AnswerToCommit(usize),
}

/// What is left until then.
#[derive(Default)]
struct State {
    cut: Option<Cut>,
    words: Vec<u8>,
    /// A `COMMIT` was passed on: the answer to it is counted on this connection.
    committed_on: Option<u64>,
}

/// A proxy in front of one server. It ends with this value.
pub struct CuttingProxy {
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Grows with each cut.
    cuts: Arc<watch::Sender<u64>>,
    accepting: JoinHandle<()>,
}

impl CuttingProxy {
    /// Forwards to `server` (`host:port`).
    pub async fn before(server: String) -> CuttingProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, cuts) = (Arc::new(Mutex::new(State::default())), Arc::new(watch::Sender::new(0)));
        let (shared, counted) = (Arc::clone(&state), Arc::clone(&cuts));
        let accepting = tokio::spawn(async move {
            for number in 0.. {
                let (from, _) = listener.accept().await.unwrap();
                let Ok(to) = TcpStream::connect(&server).await else { continue };
                from.set_nodelay(true).unwrap();
                to.set_nodelay(true).unwrap();
                let ((from_client, to_client), (from_server, to_server)) = (from.into_split(), to.into_split());
                for (from, to, is_from_client) in [(from_client, to_server, true), (from_server, to_client, false)] {
                    let half = Half { state: Arc::clone(&shared), cuts: Arc::clone(&counted), number, is_from_client, seen: Vec::new() };
                    tokio::spawn(half.forward(from, to));
                }
            }
        });
        CuttingProxy { address, state, cuts, accepting }
    }

    /// Cuts there, and lets through what comes after that.
    pub fn cut(&self, cut: Cut, words: &str) {
        *self.state.lock().unwrap() = State { cut: Some(cut), words: words.as_bytes().to_vec(), committed_on: None };
    }

    /// How often it has cut.
    pub fn cuts(&self) -> u64 {
        *self.cuts.borrow()
    }

    /// Whatever was to be cut is let through.
    pub fn let_through(&self) {
        *self.state.lock().unwrap() = State::default();
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One direction of one connection.
struct Half {
    state: Arc<Mutex<State>>,
    cuts: Arc<watch::Sender<u64>>,
    number: u64,
    is_from_client: bool,
    /// The words that it has seen last.
    seen: Vec<u8>,
}

impl Half {
    async fn forward(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let (mut buffer, mut cut) = (vec![0; 1 << 16], self.cuts.subscribe());
        cut.mark_unchanged();
        loop {
            let length = tokio::select! {
                read = from.read(&mut buffer) => match read { Ok(length @ 1..) => length, _ => return },
                _ = cut.changed() => return,
            };
            let let_through = self.let_through(&buffer[..length]);
            if to.write_all(&buffer[..let_through.unwrap_or(length)]).await.is_err() {
                return;
            }
            if let_through.is_some() {
                let _ = to.flush().await;
                self.cuts.send_modify(|cuts| *cuts += 1);
                return;
            }
        }
    }

    /// How much of this is let through before the cut; none: all of it, and no cut.
    fn let_through(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut state = self.state.lock().unwrap();
        let place = |words: &[u8]| bytes.windows(words.len().max(1)).position(|window| window == words);
        if self.is_from_client && place(&state.words).is_some() {
            self.seen.clone_from(&state.words);
        }
        let commit = place(b"COMMIT").filter(|_| self.seen == state.words);
        let (cut_at, left) = match (state.cut?, self.is_from_client) {
            (Cut::Sent(left), true) => (left, Cut::Sent(left.saturating_sub(bytes.len()))),
            (Cut::Answered(left), false) => (left, Cut::Answered(left.saturating_sub(bytes.len()))),
            (Cut::Commit(after), true) => (commit? + after, Cut::Commit(after)),
            (Cut::AnswerToCommit(after), true) => {
                commit?;
                state.committed_on = Some(self.number);
                (usize::MAX, Cut::AnswerToCommit(after))
            }
            (Cut::AnswerToCommit(left), false) if state.committed_on == Some(self.number) => {
                (left, Cut::AnswerToCommit(left.saturating_sub(bytes.len())))
            }
            _ => return None,
        };
        state.cut = (cut_at >= bytes.len()).then_some(left);
        (cut_at < bytes.len()).then_some(cut_at)
    }
}
