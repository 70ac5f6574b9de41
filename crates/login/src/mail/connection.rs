//! A connection on which STARTTLS can be asked for: nothing that comes before TLS is kept for after it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// RFC 8446, 5.1: the first byte of what a client sends in TLS. No command of SMTP begins with it.
const HANDSHAKE: u8 = 22;

/// Gives a byte at a time until TLS begins. The library's reader keeps what it has read too much, and would take answers that somebody in between sent along with
/// the one to STARTTLS for those of the server after it. So these bytes are where TLS looks for its own, and fails.
#[derive(Debug)]
pub(super) struct UnreadAhead {
    stream: TcpStream,
    in_tls: bool,
}

impl UnreadAhead {
    pub(super) async fn to(host: &str, port: u16) -> io::Result<UnreadAhead> {
        Ok(UnreadAhead { stream: TcpStream::connect((host, port)).await?, in_tls: false })
    }
}

impl AsyncTokioStream for UnreadAhead {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncRead for UnreadAhead {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.in_tls {
            return Pin::new(&mut self.stream).poll_read(context, into);
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut one))?;
        into.put_slice(one.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for UnreadAhead {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.in_tls |= bytes.first() == Some(&HANDSHAKE);
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
