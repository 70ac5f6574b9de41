//! The listener on real loopback sockets: limits of time, size and number. Every test has limits of its own, small where it waits for one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "server/announced.rs"]
mod announced;
#[path = "server/early_answers.rs"]
mod early_answers;
#[path = "support/frames.rs"]
mod frames;
#[path = "../../falconer/tests/support/patience.rs"]
mod patience;
#[path = "../../falconer/tests/support/ports.rs"]
mod ports;
#[path = "support/sockets.rs"]
mod sockets;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Extension;
use axum::routing::get;
use falconer_web::{Limits, Peer, Streaming, serve};
use patience::patience;
use ports::HeldPort;
use sockets::read_to_end;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// For what comes in no time, however long it is.
const SHORT: Duration = Duration::from_millis(150);
/// For what ends, and in which something has to come before that: long for a machine that does a lot besides.
const AMPLE: Duration = Duration::from_secs(3);

struct Server {
    /// Nobody else listens there once this server has ended.
    _port: HeldPort,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn server(router: Router, limits: Limits) -> Server {
    let port = HeldPort::new();
    let address = port.address();
    let listener = TcpListener::bind(address).await.unwrap();
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(serve(listener, router, limits, async move {
        let _ = stopped.await;
    }));
    Server { _port: port, address, stop, task }
}

fn hello() -> Router {
    Router::new().route("/", get(|Extension(peer): Extension<Peer>| async move { peer.0.to_string() }))
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and reads until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        sockets::exchange(self.address, bytes).await
    }
}

/// Reads one answer that is not compressed and has a length.
async fn read_answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    let whole = |text: &str| {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok())?;
        (body.len() >= length).then_some(())
    };
    while whole(&text).is_none() {
        let count = tokio::time::timeout(patience(), stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(count > 0, "closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(buffer.get(..count).unwrap()));
    }
    text
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_connection_serves_request_after_request_and_tells_the_peer() {
    let server = server(hello(), Limits::default()).await;
    let mut stream = server.connect().await;
    let ours = stream.local_addr().unwrap().to_string();
    for _ in 0..3 {
        stream.write_all(GET).await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with(&ours), "{answer}");
    }
}

#[tokio::test]
async fn a_head_beyond_the_buffer_is_431() {
    let server = server(hello(), Limits { head_bytes: 8192, ..Limits::default() }).await;
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(20_000));
    let answer = server.exchange(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let endless = format!("GET /{} HTTP/1.1\r\n", "a".repeat(20_000));
    assert!(server.exchange(endless.as_bytes()).await.starts_with("HTTP/1.1 431 "));
}

#[tokio::test]
async fn nonsense_is_400() {
    let server = server(hello(), Limits::default()).await;
    for nonsense in ["\x16\x03\x01\x02\x00\x01\x00\x01", "GET / HTTP/9.9\r\n\r\n", "GET  / HTTP/1.1\r\nhost: x\r\n\r\n", "\0\0\0\0\r\n\r\n"]
    {
        let answer = server.exchange(nonsense.as_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 400 "), "{nonsense:?}: {answer}");
    }
    assert!(server.exchange(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn who_says_nothing_is_closed() {
    let limits = Limits { first_byte: SHORT, headers: Duration::from_secs(600), ..Limits::default() };
    let server = server(hello(), limits).await;
    let started = Instant::now();
    assert_eq!(server.exchange(b"").await, "");
    assert!(started.elapsed() >= SHORT);
}

#[tokio::test]
async fn who_dribbles_headers_is_closed() {
    let limits = Limits { first_byte: Duration::from_secs(600), headers: SHORT, ..Limits::default() };
    let server = server(hello(), limits).await;
    let started = Instant::now();
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    // Each byte alone would be in time.
    let (mut reads, mut writes) = stream.into_split();
    let dribble = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        loop {
            tick.tick().await;
            if writes.write_all(b"a").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let closed = async {
        let mut rest = [0; 16];
        while let Ok(1..) = reads.read(&mut rest).await {}
    };
    tokio::select! {
        () = closed => {}
        () = dribble => {}
        () = tokio::time::sleep(patience()) => panic!("still open"),
    }
    assert!(started.elapsed() >= SHORT);
}

#[tokio::test]
async fn an_idle_connection_lives_longer_than_slow_headers_may_take() {
    let limits = Limits { headers: AMPLE, first_byte: AMPLE, idle: AMPLE * 2, ..Limits::default() };
    let server = server(hello(), limits).await;
    let mut stream = server.connect().await;
    stream.write_all(GET).await.unwrap();
    read_answer(&mut stream).await;
    let idle = Instant::now();
    assert_eq!(read_to_end(&mut stream).await, "");
    assert!(idle.elapsed() > AMPLE, "{:?}", idle.elapsed());
}

#[tokio::test]
async fn an_answer_that_nobody_finishes_is_closed() {
    let slow = Router::new().route("/", get(std::future::pending::<()>));
    let server = server(slow, Limits { request: SHORT, ..Limits { headers: SHORT, ..Limits::default() } }).await;
    assert_eq!(server.exchange(GET).await, "");
}

#[tokio::test]
async fn connections_beyond_the_cap_get_503_at_once() {
    let server = server(hello(), Limits { max_connections: 1, ..Limits::default() }).await;
    let mut first = server.connect().await;
    first.write_all(GET).await.unwrap();
    read_answer(&mut first).await;
    let refused = server.exchange(b"").await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("connection: close"), "{refused}");
    let (head, body) = refused.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{refused}");
    // The one that was there is still served, and its place is free once it goes.
    first.write_all(GET).await.unwrap();
    read_answer(&mut first).await;
    drop(first);
    let retrying =
        async { while !server.exchange(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.starts_with("HTTP/1.1 200") {} };
    tokio::time::timeout(patience(), retrying).await.unwrap();
}

#[tokio::test]
async fn shutting_down_lets_requests_end_and_takes_no_new_ones() {
    let (arrived, mut arrivals) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
    let waiting = Router::new().route(
        "/",
        get(move || {
            let arrived = arrived.clone();
            async move {
                let (go_on, wait) = oneshot::channel();
                arrived.send(go_on).unwrap();
                wait.await.unwrap();
                "done"
            }
        }),
    );
    let server = server(waiting, Limits::default()).await;
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    busy.write_all(GET).await.unwrap();
    let go_on = tokio::time::timeout(patience(), arrivals.recv()).await.unwrap().unwrap();
    server.stop.send(()).unwrap();
    assert_eq!(read_to_end(&mut idle).await, "");
    assert!(TcpStream::connect(server.address).await.is_err());
    go_on.send(()).unwrap();
    let answer = read_to_end(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"), "{answer}");
    tokio::time::timeout(patience(), server.task).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn shutting_down_does_not_wait_for_ever() {
    let stuck = Router::new().route("/", get(std::future::pending::<()>));
    let server = server(stuck, Limits { drain: SHORT, ..Limits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(GET).await.unwrap();
    server.stop.send(()).unwrap();
    tokio::time::timeout(patience(), server.task).await.unwrap().unwrap().unwrap();
    assert_eq!(read_to_end(&mut stream).await, "");
}

/// An answer that lasts and sends what the test gives it.
fn lasting() -> (Router, mpsc::UnboundedSender<&'static str>) {
    let (send, receive) = mpsc::unbounded_channel::<&'static str>();
    let receive = std::sync::Arc::new(tokio::sync::Mutex::new(receive));
    let answer = move || {
        let receive = receive.clone();
        async move {
            let chunks = futures_util::stream::unfold(receive, |receive| async move {
                let chunk = receive.lock().await.recv().await?;
                Some((Ok::<_, std::convert::Infallible>(Bytes::from(chunk)), receive))
            });
            let mut response = http::Response::new(Body::from_stream(chunks));
            response.extensions_mut().insert(Streaming);
            response
        }
    };
    (Router::new().route("/", get(answer)), send)
}

async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains(wanted) {
        let count = tokio::time::timeout(patience(), stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(count > 0, "closed after {text:?}");
        text.push_str(&String::from_utf8_lossy(buffer.get(..count).unwrap()));
    }
    text
}

#[tokio::test]
async fn an_answer_that_lasts_may_last_longer_than_a_request() {
    let (router, send) = lasting();
    let request = AMPLE;
    let server = server(router, Limits { request, ..Limits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(GET).await.unwrap();
    let started = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    while started.elapsed() < request + Duration::from_secs(1) {
        tick.tick().await;
        send.send("going on\n").unwrap();
        read_until(&mut stream, "going on\n").await;
    }
    drop(send);
    read_until(&mut stream, "0\r\n\r\n").await;
    // The connection is an ordinary one again: the next request is answered (by a stream that has ended).
    stream.write_all(GET).await.unwrap();
    read_until(&mut stream, "0\r\n\r\n").await;
}

#[tokio::test]
async fn an_answer_that_lasts_and_says_nothing_is_closed() {
    let (router, send) = lasting();
    let server = server(router, Limits { request: AMPLE, ..Limits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(GET).await.unwrap();
    send.send("once\n").unwrap();
    read_until(&mut stream, "once\n").await;
    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn shutting_down_ends_answers_that_last_at_once_and_whole() {
    let (router, send) = lasting();
    let server = server(router, Limits { drain: patience() * 10, ..Limits::default() }).await;
    let mut stream = server.connect().await;
    stream.write_all(GET).await.unwrap();
    send.send("first\n").unwrap();
    read_until(&mut stream, "first\n").await;
    server.stop.send(()).unwrap();
    let rest = read_to_end(&mut stream).await;
    assert!(rest.ends_with("0\r\n\r\n"), "{rest:?}");
    tokio::time::timeout(patience(), server.task).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn an_answer_that_lasts_takes_its_place_below_the_cap() {
    let (router, send) = lasting();
    let server = server(router, Limits { max_connections: 1, ..Limits::default() }).await;
    let mut first = server.connect().await;
    first.write_all(GET).await.unwrap();
    send.send("first\n").unwrap();
    read_until(&mut first, "first\n").await;
    assert!(server.exchange(b"").await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn an_answer_that_lasts_and_is_not_read_piles_nothing_up_and_is_closed() {
    const CHUNK: usize = 64 * 1024;
    // More than the kernel keeps for a connection on loopback by far, less than a test should fear.
    const MOST: usize = 64 * 1024 * 1024;
    let (gone, mut ended) = mpsc::unbounded_channel::<usize>();
    let answer = move || {
        let gone = gone.clone();
        async move {
            /// Says how much was taken when nobody will take more.
            struct Taken(usize, mpsc::UnboundedSender<usize>);
            impl Drop for Taken {
                fn drop(&mut self) {
                    let _ = self.1.send(self.0);
                }
            }
            let chunks = futures_util::stream::unfold(Taken(0, gone), |mut taken| async move {
                taken.0 += CHUNK;
                Some((Ok::<_, std::convert::Infallible>(Bytes::from(vec![b'a'; CHUNK])), taken))
            });
            let mut response = http::Response::new(Body::from_stream(chunks));
            response.extensions_mut().insert(Streaming);
            response
        }
    };
    let limits = Limits { request: AMPLE, ..Limits::default() };
    let server = server(Router::new().route("/", get(answer)), limits).await;
    let mut stream = server.connect().await;
    stream.write_all(GET).await.unwrap();
    let taken = tokio::time::timeout(patience(), ended.recv()).await.expect("it was not closed").unwrap();
    assert!(taken < MOST, "{taken} bytes for somebody who reads nothing");
}
