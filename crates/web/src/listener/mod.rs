//! The listener: our own accept loop, so that time, size and number of connections are bounded before any route is asked.
//!
//! hyper's own header timeout also ends idle connections, so that it can't tell "slow" from "quiet"; `deadlines` can. `quota` bounds what one address
//! may hold, `frames` what an HTTP/2 connection may ask for without making a request.

pub(crate) mod connection;
mod cores;
pub(crate) mod deadlines;
mod frames;
pub(crate) mod in_flight;
pub(crate) mod network;
pub(crate) mod parts;
pub(crate) mod quota;
mod request_body;
pub(crate) mod service;
mod socket;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use self::connection::{Connections, Permits, ServingState, refuse};
use self::cores::Cores;
use self::quota::Quota;
use self::service::HttpService;

/// What one listener allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more are answered 503 and closed. Default 8192.
    pub max_connections: usize,
    /// Connections of one address at once (IPv6: one /64), trusted proxies excepted; more are answered 503 and closed. Default 1000.
    pub max_connections_of_address: usize,
    /// Bytes of requests that have not arrived whole and of answers that have not been sent whole, together; beyond it 503. Default 256 MiB.
    pub under_way_bytes: usize,
    /// The same for one address, which is the one behind a trusted proxy. Default 32 MiB.
    pub under_way_bytes_of_address: usize,
    /// From accepting to the first byte. Default 10 s.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its headers. Default 10 s.
    pub headers: Duration,
    /// Between two requests of one connection. Default 90 s.
    pub idle: Duration,
    /// From the end of the headers to the end of the answer, body and writing included; for an answer that lasts, between two writes. Default
    /// 60 s.
    pub request: Duration,
    /// How long requests are still taken after the shutdown began: each answer closes its connection, so that whoever kept one comes back elsewhere. Default none.
    pub announce: Duration,
    /// How long the requests in flight may take after that. Default 15 s.
    pub drain: Duration,
    /// Buffer for the head of a request in bytes; beyond it 431. Default 48 KiB (routes apply the finer limits).
    pub head_bytes: usize,
    /// Threads that serve connections; 0: as many as the runtime has. Default 0.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_connections: 8192,
            max_connections_of_address: 1000,
            under_way_bytes: 256 * 1024 * 1024,
            under_way_bytes_of_address: 32 * 1024 * 1024,
            first_byte: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            idle: Duration::from_secs(90),
            request: Duration::from_secs(60),
            announce: Duration::ZERO,
            drain: Duration::from_secs(15),
            head_bytes: 48 * 1024,
            threads: 0,
        }
    }
}

/// How many connections beyond the cap may wait for their 503 at once; the rest are closed without a word.
const REFUSALS: usize = 256;

/// How many of those are taken in that have connected when a listener that announced its end is closed.
const REST: usize = 4096;
/// How long they have to send their request.
const LAST: Duration = Duration::from_millis(250);

/// How a listener is told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It goes on for `limits.announce`, so that whoever keeps connections goes elsewhere before the port is closed.
    Announced,
    /// The port is closed at once, and the requests in flight end.
    Unannounced,
}

/// Serves until `shutdown` is ready, then lets the requests in flight end (at most `limits.drain`). Errors: the threads could not be started.
pub async fn serve(
    listener: TcpListener,
    service: impl Into<HttpService>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let end = async {
        shutdown.await;
        End::Announced
    };
    serve_until(listener, service, limits, end, std::future::pending()).await
}

/// Serves until `end` is ready: announces that for `limits.announce`, lets the requests in flight end (at most `limits.drain`). When `at_once` is ready it
/// closes everything, whatever it is doing. Errors: the threads could not be started.
///
/// Every request carries the [`crate::Peer`] extension. What answers must apply the limits of one request (URL, headers, body) itself: see
/// [`crate::RequestLimits`].
pub async fn serve_until(
    listener: TcpListener,
    service: impl Into<HttpService>,
    limits: Limits,
    end: impl Future<Output = End>,
    at_once: impl Future<Output = ()>,
) -> io::Result<()> {
    let service = service.into();
    let threads = if limits.threads == 0 { tokio::runtime::Handle::current().metrics().num_workers() } else { limits.threads };
    let cores = Cores::start(threads)?;
    let most = u32::try_from(limits.max_connections).unwrap_or(u32::MAX >> 4).min(u32::MAX >> 4);
    let connections = Arc::new(Semaphore::new(most as usize));
    let of_addresses = Quota::new(usize::MAX, limits.max_connections_of_address);
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let (stop, stopped) = watch::channel(ServingState::Serve);
    let under_way = Quota::new(limits.under_way_bytes, limits.under_way_bytes_of_address);
    let all = Connections { service, limits, under_way, stopped };
    let mut at_once = pin!(at_once);
    let mut announced = pin!(async {
        let announces = end.await == End::Announced && !limits.announce.is_zero();
        if announces {
            // The heartbeat first: proxies that ask it look elsewhere.
            all.service.announce_end();
            let _ = stop.send(ServingState::Announce);
            tokio::time::sleep(limits.announce).await;
        }
        announces
    });
    let take_in = |stream: TcpStream, peer: SocketAddr| {
        let permit = Arc::clone(&connections).try_acquire_owned().ok();
        // Behind a proxy are many, each of them with an address of its own.
        let mut share = of_addresses.share((!all.service.trusts(peer.ip())).then_some(peer.ip()));
        match permit.filter(|_| share.grow(1).is_ok()) {
            Some(permit) => {
                let (all, permits) = (all.clone(), Permits::new(permit, share));
                if let Err(error) = cores.serve(stream, move |stream| connection::serve(stream, peer, all, permits)) {
                    tracing::warn!(%error, "a connection could not be handed over");
                }
            }
            None => {
                all.service.count(|metrics| &metrics.refused);
                if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                    tokio::spawn(refuse(stream, permit));
                }
            }
        }
    };
    let (mut was_announced, mut is_cut) = (false, false);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            announces = announced.as_mut() => {
                was_announced = announces;
                break;
            }
            () = at_once.as_mut() => {
                is_cut = true;
                break;
            }
        };
        match accepted {
            Ok((stream, peer)) => take_in(stream, peer),
            Err(error) => pause_after(&error).await,
        }
    }
    // Whoever has connected by now may have sent something, which would be lost. The system's own socket is asked: the runtime may not know of them yet.
    if let Ok(listener) = listener.into_std()
        && was_announced
    {
        for _ in 0..REST {
            match listener.accept() {
                Ok((stream, peer)) => match stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream)) {
                    Ok(stream) => take_in(stream, peer),
                    Err(error) => tracing::warn!(%error, "a connection could not be taken in"),
                },
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                // It was that connection's own fault.
                Err(_) => {}
            }
        }
    }
    // The port is closed: nobody may connect and wait while the last requests end.
    let drained = async {
        if was_announced {
            tokio::time::sleep(LAST).await;
        }
        let _ = stop.send(ServingState::Drain);
        tokio::time::timeout(limits.drain, connections.acquire_many(most)).await.is_ok()
    };
    let is_cut = is_cut
        || tokio::select! {
            drained = drained => !drained,
            () = at_once => true,
        };
    if is_cut {
        let _ = stop.send(ServingState::Now);
        let _ = tokio::time::timeout(Duration::from_secs(1), connections.acquire_many(most)).await;
    }
    cores.end().await;
    Ok(())
}

/// A failed accept is the connection's own fault (go on), or the process is out of descriptors (wait for one to be free).
async fn pause_after(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        tracing::warn!(%error, "accepting a connection failed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
