//! A way to the database on which the statements are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Passes on what clients and the server say, and counts what waits for an answer.
pub struct CountingProxy {
    count: Arc<AtomicUsize>,
    loses: Arc<AtomicBool>,
    port: u16,
}

impl CountingProxy {
    /// Before the server of a URL.
    pub async fn before(url: &str) -> CountingProxy {
        let to = place_of(url).to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (count, port) = (Arc::new(AtomicUsize::new(0)), listener.local_addr().unwrap().port());
        let loses = Arc::new(AtomicBool::new(false));
        let (counted, lost) = (count.clone(), loses.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (counted, lost, server) = (counted.clone(), lost.clone(), TcpStream::connect(&to).await.unwrap());
                // Else each small write waits some 40 ms for the one before to be acknowledged.
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                tokio::spawn(async move {
                    let answered_a_use = AtomicBool::new(false);
                    let ((from_client, mut to_client), (mut from_server, to_server)) = (client.into_split(), server.into_split());
                    let answers = async {
                        let mut answer = [0; 4096];
                        while let Ok(length @ 1..) = from_server.read(&mut answer).await {
                            if answered_a_use.load(Ordering::SeqCst) && lost.swap(false, Ordering::SeqCst) {
                                return;
                            }
                            if to_client.write_all(answer.get(..length).unwrap_or_default()).await.is_err() {
                                return;
                            }
                        }
                    };
                    tokio::select! {
                        () = pass_on(from_client, to_server, &counted, &answered_a_use) => {}
                        () = answers => {}
                    }
                });
            }
        });
        CountingProxy { count, loses, port }
    }

    /// The same URL through this way.
    pub fn url(&self, url: &str) -> String {
        url.replacen(place_of(url), &format!("127.0.0.1:{}", self.port), 1)
    }

    /// The next use of a code is done, and its answer does not arrive.
    pub fn lose_a_use(&self) {
        self.loses.store(true, Ordering::SeqCst);
    }

    /// How many statements a call takes.
    pub async fn count<T>(&self, call: impl Future<Output = T>) -> (usize, T) {
        let before = self.count.load(Ordering::Relaxed);
        let done = call.await;
        (self.count.load(Ordering::Relaxed) - before, done)
    }
}

/// Host and port.
fn place_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap();
    let rest = rest.split(['/', '?']).next().unwrap();
    rest.rsplit_once('@').map_or(rest, |(_, place)| place)
}

/// Message by message. The first one has no letter; `Q` is a simple statement, and `S` ends another one. Empty ones are left out: they ask whether the server is there.
async fn pass_on(
    mut client: impl AsyncRead + Unpin,
    mut server: impl tokio::io::AsyncWrite + Unpin,
    count: &AtomicUsize,
    uses: &AtomicBool,
) {
    let mut kind = None;
    loop {
        if kind.is_some() {
            let Ok(letter) = client.read_u8().await else { return };
            kind = Some(letter);
        }
        let Ok(length) = client.read_u32().await else { return };
        let mut body = vec![0; length as usize - 4];
        if client.read_exact(&mut body).await.is_err() {
            return;
        }
        if kind == Some(b'S') || (kind == Some(b'Q') && body != [0]) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        if kind == Some(b'P') {
            uses.store(body.windows(8).any(|word| word == b"used_by "), Ordering::SeqCst);
        }
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend(length.to_be_bytes());
        message.extend(body);
        if server.write_all(&message).await.is_err() {
            return;
        }
        kind = kind.or(Some(0));
    }
}
