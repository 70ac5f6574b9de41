//! A listener that announces its end, and one that is told to end at once.

use falconer_web::{End, serve_until};

use super::*;
use crate::frames::{PREFACE, frame, next_frame, request};

/// Longer than any test waits.
fn for_ever() -> Limits {
    Limits { announce: patience() * 10, drain: patience() * 10, ..Limits::default() }
}

/// One that is told how to end, and when to do so at once.
struct Signalled {
    _port: HeldPort,
    address: SocketAddr,
    end: oneshot::Sender<End>,
    at_once: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

impl Signalled {
    async fn start(router: Router) -> Signalled {
        let port = HeldPort::new();
        let address = port.address();
        let listener = TcpListener::bind(address).await.unwrap();
        let ((end, ends), (at_once, ends_at_once)) = (oneshot::channel(), oneshot::channel::<()>());
        let task = tokio::spawn(async move {
            let end = async { ends.await.unwrap() };
            let at_once = async { ends_at_once.await.unwrap() };
            serve_until(listener, router, for_ever(), end, at_once).await
        });
        Signalled { _port: port, address, end, at_once, task }
    }
}

async fn ended(task: JoinHandle<std::io::Result<()>>) {
    tokio::time::timeout(patience(), task).await.expect("it goes on").unwrap().unwrap();
}

/// Asks on one connection after the other until an answer says that it is the last one.
async fn until_it_closes(stream: &mut TcpStream) {
    loop {
        stream.write_all(GET).await.unwrap();
        if read_answer(stream).await.contains("connection: close") {
            return;
        }
    }
}

/// Story: a proxy that keeps connections sent a request at the moment when one was closed, and had no answer.
#[tokio::test]
async fn connections_end_with_their_next_answer() {
    let server = server(hello(), for_ever()).await;
    let (mut kept, mut other) = (server.connect().await, server.connect().await);
    for stream in [&mut kept, &mut other] {
        stream.write_all(GET).await.unwrap();
        assert!(!read_answer(stream).await.contains("connection: close"));
    }
    server.stop.send(()).unwrap();
    until_it_closes(&mut kept).await;
    assert_eq!(read_to_end(&mut kept).await, "");
    // Who comes now is answered once, also with a request that is there before the connection is looked at.
    for _ in 0..50 {
        let answer = sockets::exchange(server.address, GET).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    }
    // One that had nothing to say is kept, and answered.
    until_it_closes(&mut other).await;
    server.task.abort();
}

/// Over HTTP/2 a connection says with GOAWAY that it takes nothing more: one that is open, and one that is opened later.
#[tokio::test]
async fn connections_of_http2_are_told_to_go_away() {
    const DATA: u8 = 0;
    const GOAWAY: u8 = 7;
    let server = server(hello(), for_ever()).await;
    let opening = [PREFACE, &frame(4, 0, 0, &[]), &request(1, None)].concat();
    let mut open = server.connect().await;
    open.write_all(&opening).await.unwrap();
    next_frame(&mut open, DATA).await;
    server.stop.send(()).unwrap();
    next_frame(&mut open, GOAWAY).await;
    let mut kept = TcpStream::connect(server.address).await.unwrap();
    kept.write_all(GET).await.unwrap();
    assert!(read_answer(&mut kept).await.contains("connection: close"));
    let mut late = TcpStream::connect(server.address).await.unwrap();
    late.write_all(&opening).await.unwrap();
    let mut seen = Vec::new();
    while !(seen.contains(&DATA) && seen.contains(&GOAWAY)) {
        seen.push(frames::any_frame(&mut late).await.0);
    }
    server.task.abort();
}

#[tokio::test]
async fn the_end_comes_after_it() {
    let server = server(hello(), Limits { announce: SHORT, ..Limits::default() }).await;
    let mut idle = server.connect().await;
    server.stop.send(()).unwrap();
    assert_eq!(read_to_end(&mut idle).await, "");
    ended(server.task).await;
    assert!(TcpStream::connect(server.address).await.is_err());
}

/// Somebody at a terminal waits for it, and no proxy does.
#[tokio::test]
async fn an_end_may_come_unannounced() {
    let server = Signalled::start(hello()).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    server.end.send(End::Unannounced).unwrap();
    assert_eq!(read_to_end(&mut idle).await, "");
    ended(server.task).await;
    drop(server.at_once);
}

#[tokio::test]
async fn at_once_is_at_once_whatever_is_under_way() {
    let stuck = || Router::new().route("/", get(std::future::pending::<()>));
    for end in [Some(End::Announced), Some(End::Unannounced), None] {
        let server = Signalled::start(stuck()).await;
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(GET).await.unwrap();
        let mut unused = Some(server.end);
        if let Some(end) = end {
            unused.take().unwrap().send(end).unwrap();
        }
        server.at_once.send(()).unwrap();
        ended(server.task).await;
        assert_eq!(read_to_end(&mut stream).await, "");
        drop(unused);
    }
}
