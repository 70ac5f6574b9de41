//! The listener: our own accept loop, so that time, size and number of connections are bounded before any route is asked.

use std::future::Future;
use std::time::Duration;

use tokio::net::TcpListener;

/// What one listener allows.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more are answered 503 and closed. Default 8192.
    pub max_connections: usize,
    /// From accepting to the first byte. Default 10 s.
    pub first_byte: Duration,
    /// From the first byte of a request to the end of its headers. Default 10 s.
    pub headers: Duration,
    /// Between two requests of one connection. Default 90 s.
    pub idle: Duration,
    /// From the end of the headers to the end of the answer, body and writing included. Default 60 s.
    pub request: Duration,
    /// How long the requests in flight may take after the shutdown began. Default 15 s.
    pub drain: Duration,
    /// Buffer for the head of a request in bytes; beyond it 431. Default 32 KiB (routes apply the finer limits).
    pub head_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_connections: 8192,
            first_byte: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            idle: Duration::from_secs(90),
            request: Duration::from_secs(60),
            drain: Duration::from_secs(15),
            head_bytes: 32 * 1024,
        }
    }
}

/// Serves until `shutdown` is ready, then lets the requests in flight end (at most `limits.drain`).
pub async fn serve(listener: TcpListener, router: axum::Router, limits: Limits, shutdown: impl Future<Output = ()>) {
    todo!()
}
