//! A way to the database on which the statements are counted, and how often somebody waits for answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Passes on what clients and the server say, and counts what waits for an answer.
pub struct CountingProxy {
    count: Arc<AtomicUsize>,
    trips: Arc<AtomicUsize>,
    loses: Arc<AtomicBool>,
    port: u16,
}

impl CountingProxy {
    /// Before the server of a URL.
    pub async fn before(url: &str) -> CountingProxy {
        let to = place_of(url).to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (count, port) = (Arc::new(AtomicUsize::new(0)), listener.local_addr().unwrap().port());
        let (trips, loses) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counted, gone_and_back, lost) = (count.clone(), trips.clone(), loses.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (counted, gone_and_back, lost) = (counted.clone(), gone_and_back.clone(), lost.clone());
                let server = TcpStream::connect(&to).await.unwrap();
                // Else each small write waits some 40 ms for the one before to be acknowledged.
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                tokio::spawn(async move {
                    let (answered_a_use, answered) = (AtomicBool::new(false), AtomicBool::new(false));
                    let ((from_client, mut to_client), (mut from_server, to_server)) = (client.into_split(), server.into_split());
                    let answers = async {
                        let mut answer = [0; 4096];
                        while let Ok(length @ 1..) = from_server.read(&mut answer).await {
                            if answered_a_use.load(Ordering::SeqCst) && lost.swap(false, Ordering::SeqCst) {
                                return;
                            }
                            answered.store(true, Ordering::SeqCst);
                            if to_client.write_all(answer.get(..length).unwrap_or_default()).await.is_err() {
                                return;
                            }
                        }
                    };
                    tokio::select! {
                        () = pass_on(from_client, to_server, (&counted, &gone_and_back), (&answered, &answered_a_use)) => {}
                        () = answers => {}
                    }
                });
            }
        });
        CountingProxy { count, trips, loses, port }
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
        counted(&self.count, call).await
    }

    /// How often a call waits for what the database answers: statements that are sent together are waited for once.
    pub async fn trips<T>(&self, call: impl Future<Output = T>) -> (usize, T) {
        counted(&self.trips, call).await
    }
}

async fn counted<T>(count: &AtomicUsize, call: impl Future<Output = T>) -> (usize, T) {
    let before = count.load(Ordering::SeqCst);
    let done = call.await;
    (count.load(Ordering::SeqCst) - before, done)
}

/// Host and port.
fn place_of(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap();
    let rest = rest.split(['/', '?']).next().unwrap();
    rest.rsplit_once('@').map_or(rest, |(_, place)| place)
}

/// Message by message. The first one has no letter; `Q` is a simple statement, and `S` ends another one. Empty ones are left out: they ask whether the server is there.
async fn pass_on(
    client: impl AsyncRead + Unpin,
    mut server: impl tokio::io::AsyncWrite + Unpin,
    (count, trips): (&AtomicUsize, &AtomicUsize),
    (answered, uses): (&AtomicBool, &AtomicBool),
) {
    let mut client = BufReader::new(client);
    let mut kind = None;
    loop {
        let is_sent_alone = client.buffer().is_empty();
        if kind.is_some() {
            let Ok(letter) = client.read_u8().await else { return };
            kind = Some(letter);
        }
        let Ok(length) = client.read_u32().await else { return };
        let mut body = vec![0; length as usize - 4];
        if client.read_exact(&mut body).await.is_err() {
            return;
        }
        let is_question = kind == Some(b'Q') && body == [0];
        if kind.is_some() && !is_question && is_sent_alone && answered.swap(false, Ordering::SeqCst) {
            trips.fetch_add(1, Ordering::SeqCst);
        }
        if kind == Some(b'S') || (kind == Some(b'Q') && !is_question) {
            count.fetch_add(1, Ordering::SeqCst);
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
