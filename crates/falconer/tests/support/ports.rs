//! A port of this machine that stays a test's own. One that is asked for and given back can be somebody else's a moment later.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses a part of it; a test may stop")]

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// The system gives this port to nobody for as long as this lives. Who connects is refused, until a server listens there that was told the address and sets
/// `SO_REUSEADDR`, as servers do.
pub struct HeldPort {
    socket: TcpSocket,
}

impl HeldPort {
    pub fn new() -> HeldPort {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        HeldPort { socket }
    }

    /// `127.0.0.1` and the port.
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub fn port(&self) -> u16 {
        self.address().port()
    }
}
