//! What is the same for whoever passes requests on: headers of one connection, other protocols, and what went wrong behind.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::listener::{AnswerBody, Connected, whole};

/// What belongs to one connection, and is not passed on (RFC 9110, section 7.6.1).
const OF_A_CONNECTION: [HeaderName; 8] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];
/// Takes off what belongs to the connection, and what its Connection header names.
pub(crate) fn remove_connection_headers(headers: &mut HeaderMap) {
    let named = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let named: Vec<HeaderName> = named.filter_map(|name| name.trim().parse().ok()).collect();
    for name in named.into_iter().chain(OF_A_CONNECTION) {
        headers.remove(name);
    }
}

/// The protocol that a client wants to switch to: WebSocket, and no other.
pub(crate) fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let protocol = headers.get(header::UPGRADE)?;
    protocol.as_bytes().eq_ignore_ascii_case(b"websocket").then(|| protocol.clone())
}

/// Passes bytes in both directions until both sides have ended, `over` says so, or the program ends. It counts as the connection that it was. `headers` are those of the answer behind, which are taken.
pub(crate) fn tunnel<Io: AsyncRead + AsyncWrite + Unpin + Send, E: Send>(
    headers: &mut HeaderMap,
    client: hyper::upgrade::OnUpgrade,
    service: impl Future<Output = Result<Io, E>> + Send + 'static,
    protocol: &HeaderValue,
    connected: Option<Connected>,
    over: impl Future<Output = ()> + Send + 'static,
) -> Response<AnswerBody> {
    let mut headers = std::mem::take(headers);
    tokio::spawn(async move {
        if let (Ok(client), Ok(mut service)) = (client.await, service.await) {
            let mut client = TokioIo::new(client);
            let stopped = connected.as_ref().map(|connected| connected.stopped.clone());
            let stopped = async {
                match stopped {
                    Some(mut stopped) => drop(stopped.changed().await),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut service) => {}
                () = stopped => {}
                () = over => {}
            }
        }
        drop(connected);
    });
    remove_connection_headers(&mut headers);
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol.clone());
    let mut response = Response::new(whole(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    response
}

/// The Host header, where there is one.
pub(crate) fn one_host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?;
    if hosts.next().is_some() { None } else { host.to_str().ok() }
}

/// An error with what is below it.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        said = format!("{said}: {cause}");
        next = cause.source();
    }
    said
}
