//! A thread for each core: each accepts, and serves what it accepted from the first byte to the last, with all that it asks others on the way. So a question of a
//! proxy wakes no other thread.
//!
//! Whoever is free first takes a connection. Where connections last, that may be one thread for nearly all of them, so that one that has more than another hands
//! the next one to that.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream as Socket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};

use super::listener::{Accept, Bounds, Limits, Service, accept_until};

/// A thread may have so many connections more than another one.
const UNEQUAL: usize = 4;

/// Somebody waits so long again and again: a deadline that is set before all others takes a call of the system, and questions have deadlines of seconds.
const TICK: Duration = Duration::from_secs(1);

/// How many threads serve.
pub(super) fn count() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Accepts on a thread for each of the services until `shutdown`. `false`: something under way took too long after that, and is cut off. Errors: there are not as
/// many threads to be had.
pub(super) async fn accept_on_threads<S: Service<SocketAddr>>(
    listener: TcpListener,
    services: Vec<S>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<bool> {
    let listener = listener.into_std()?;
    let bounds = Bounds::new(limits);
    let (stop, stopped) = watch::channel(());
    let (places, queues): (Vec<_>, Vec<_>) = services.iter().map(|_| Place::new()).map(|(place, handed)| (Arc::new(place), handed)).unzip();
    let all: Arc<[Arc<Place>]> = places.iter().cloned().collect();
    let mut threads = Vec::new();
    for (service, (own, handed)) in services.into_iter().zip(places.into_iter().zip(queues)) {
        let beginning = ThreadStart { socket: listener.try_clone()?, handed, own, all: Arc::clone(&all) };
        threads.push(Thread::start(beginning, service, bounds.clone(), stopped.clone())?);
    }
    drop(listener);
    shutdown.await;
    let _ = stop.send(());
    let done = bounds.are_free().await;
    let _ = tokio::task::spawn_blocking(move || threads.into_iter().for_each(Thread::end)).await;
    Ok(done)
}

/// A connection that one thread hands to another, which it counts for already.
type HandedConnection = (Socket, SocketAddr, Counted);

/// A thread as the others see it.
struct Place {
    queue: UnboundedSender<HandedConnection>,
    /// How many connections it has.
    connections: Arc<AtomicUsize>,
}

/// A connection's part of the number of a thread.
struct Counted(Arc<AtomicUsize>);

impl Place {
    fn new() -> (Place, UnboundedReceiver<HandedConnection>) {
        let (queue, handed) = unbounded_channel();
        (Place { queue, connections: Arc::default() }, handed)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    fn count(&self) -> Counted {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(&self.connections))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What one thread begins with.
struct ThreadStart {
    socket: std::net::TcpListener,
    handed: UnboundedReceiver<HandedConnection>,
    own: Arc<Place>,
    all: Arc<[Arc<Place>]>,
}

struct Thread {
    /// Says by its end that the thread has to end.
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Thread {
    fn start<S: Service<SocketAddr>>(
        beginning: ThreadStart,
        service: S,
        bounds: Bounds,
        stopped: watch::Receiver<()>,
    ) -> io::Result<Thread> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel::<()>();
        let serve = async move {
            match OnThread::new(beginning) {
                // A task: whatever wakes the future that a runtime of one thread waits for takes a call of the system.
                Ok(listener) => drop(tokio::spawn(accept_until(listener, service, bounds, stopped))),
                Err(error) => tracing::error!(%error, "a thread can't accept connections"),
            }
            // What it took goes on until all have ended, or have had the time for it.
            let mut ended = ended;
            while tokio::time::timeout(TICK, &mut ended).await.is_err() {}
        };
        let thread = std::thread::Builder::new().name("serve".to_owned()).spawn(move || runtime.block_on(serve))?;
        Ok(Thread { end, thread })
    }

    fn end(self) {
        drop(self.end);
        let _ = self.thread.join();
    }
}

/// Where the connections of one thread come from.
struct OnThread {
    listener: TcpListener,
    handed: UnboundedReceiver<HandedConnection>,
    own: Arc<Place>,
    all: Arc<[Arc<Place>]>,
}

impl OnThread {
    fn new(beginning: ThreadStart) -> io::Result<OnThread> {
        let ThreadStart { socket, handed, own, all } = beginning;
        Ok(OnThread { listener: TcpListener::from_std(socket)?, handed, own, all })
    }

    /// Another thread that has far fewer connections than this one.
    fn idler(&self) -> Option<&Place> {
        let least = self.all.iter().min_by_key(|place| place.connections())?;
        (least.connections() + UNEQUAL <= self.own.connections()).then_some(least)
    }
}

impl Accept for OnThread {
    type Stream = TcpStream;
    type Peer = SocketAddr;
    type Permit = Counted;

    fn address(peer: SocketAddr) -> Option<IpAddr> {
        TcpListener::address(peer)
    }

    async fn next(&mut self) -> io::Result<(TcpStream, SocketAddr, Counted)> {
        loop {
            tokio::select! {
                accepted = Accept::next(&mut self.listener) => {
                    let (stream, peer, ()) = accepted?;
                    let Some(idler) = self.idler() else { return Ok((stream, peer, self.own.count())) };
                    // A thread that is gone takes no more: then the connection is closed.
                    let _ = idler.queue.send((stream.into_std()?, peer, idler.count()));
                }
                Some((socket, peer, counted)) = self.handed.recv() => return Ok((TcpStream::from_std(socket)?, peer, counted)),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop")]
mod tests {
    use std::collections::BTreeMap;

    use http::{Request, Response};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::serve::{AnswerBody, IncomingBody, whole};

    /// Says which thread answers.
    #[derive(Clone)]
    struct Number(usize);

    impl Service<SocketAddr> for Number {
        async fn answer(&self, _: Request<IncomingBody>, _: SocketAddr) -> Response<AnswerBody> {
            Response::new(whole(self.0.to_string().into()))
        }
    }

    async fn ask(stream: &mut TcpStream) -> String {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        loop {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0);
            if let Some((_, body)) = std::str::from_utf8(&answer).unwrap().split_once("\r\n\r\n").filter(|(_, body)| !body.is_empty()) {
                return body.to_owned();
            }
        }
    }

    #[tokio::test]
    async fn connections_that_last_are_shared_and_end_with_the_program() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let limits = Limits { connections: 64, http2: false, per_address: None };
        let serving = tokio::spawn(accept_on_threads(listener, (0..3).map(Number).collect(), limits, async { drop(stopped.await) }));
        let mut open = Vec::new();
        let mut by_thread = BTreeMap::new();
        for _ in 0..30 {
            let mut stream = TcpStream::connect(address).await.unwrap();
            *by_thread.entry(ask(&mut stream).await).or_insert(0) += 1;
            open.push(stream);
        }
        let (fewest, most) = (by_thread.values().min().unwrap(), by_thread.values().max().unwrap());
        assert!(by_thread.len() == 3 && most - fewest <= UNEQUAL, "{by_thread:?}");
        let mut other = open.pop().unwrap();
        assert_eq!(ask(&mut other).await, ask(&mut other).await, "a connection stays where it is");
        drop(stop);
        assert!(serving.await.unwrap().unwrap(), "connections that do nothing end with the program");
        assert_eq!(other.read(&mut [0; 16]).await.unwrap(), 0);
    }
}
