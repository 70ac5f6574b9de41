//! The body of a request as it arrives.
//!
//! Where an answer is given before the body has come whole, what still comes is read and thrown away for a while. A connection that is closed with unread bytes is
//! reset: whoever is still sending is told of an error of the network instead of reading the answer (RFC 9112, section 9.6).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// How long, and how much.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 1024 * 1024;

#[derive(Debug)]
pub(crate) struct IncomingBody {
    /// Nothing: it has ended, which one in chunks says only to whoever reads on.
    body: Option<Incoming>,
}

impl From<Incoming> for IncomingBody {
    fn from(body: Incoming) -> IncomingBody {
        IncomingBody { body: Some(body) }
    }
}

impl Body for IncomingBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for IncomingBody {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        // Where the program ends nobody is left to read it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LINGER, discard(body)));
        }
    }
}

async fn discard(mut body: Incoming) {
    let mut left = LINGER_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        if bytes > left {
            return;
        }
        left = left.saturating_sub(bytes);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop")]
mod tests {
    use std::convert::Infallible;

    use http::{Request, Response, StatusCode};
    use http_body_util::Empty;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn too_large(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
        drop(request.map(IncomingBody::from));
        let mut response = Response::new(Empty::new());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        Ok(response)
    }

    /// The answer has come, then the rest is sent: how that ends.
    async fn sends_on(head: &str, rest: usize) -> std::io::Result<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut stream = TcpStream::connect(listener.local_addr()?).await?;
        let (served, _) = listener.accept().await?;
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(served), service_fn(too_large)));
        stream.write_all(head.as_bytes()).await?;
        let mut first = [0; 12];
        stream.read_exact(&mut first).await?;
        for _ in 0..rest / 16_384 {
            stream.write_all(&[b'a'; 16_384]).await?;
        }
        stream.shutdown().await?;
        stream.read_to_end(&mut Vec::new()).await?;
        Ok(String::from_utf8_lossy(&first).into_owned())
    }

    #[tokio::test]
    async fn an_answer_reaches_whoever_is_still_sending_and_nobody_sends_without_end() {
        const CHUNKED: &str = "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n7fffffff\r\n";
        for head in ["POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 819200\r\n\r\n", CHUNKED] {
            assert_eq!(sends_on(head, 819_200).await.unwrap(), "HTTP/1.1 413", "{head}");
        }
        assert!(sends_on(CHUNKED, 1 << 28).await.is_err());
    }
}
