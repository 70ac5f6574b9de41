//! Envoy's question over gRPC: `envoy.service.auth.v3.Authorization/Check`. Of its messages only the fields are read and written that are needed.

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};

use super::protobuf::{Fields, Message, Value};
use super::respond::let_through;
use crate::decide::{Answer, Gateway, RequestHead};
use crate::serve::{AnswerBody, IncomingBody, boxed};
use crate::statement;

/// Where Envoy asks.
pub(crate) const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
/// The largest question: the heads of requests that are taken, and what Envoy says besides.
const LARGEST: usize = 256 * 1024;
/// Codes of gRPC.
const PERMISSION_DENIED: u64 = 7;
const INVALID_ARGUMENT: u32 = 3;

/// What Envoy says of the request.
struct Question {
    method: String,
    target: String,
    host: String,
    headers: HeaderMap,
    address: Option<IpAddr>,
}

/// Answers one question.
pub(crate) async fn check(gateway: &Gateway, peer: IpAddr, request: Request<IncomingBody>) -> Response<AnswerBody> {
    if !gateway.settings().proxies.have(peer) {
        tracing::warn!(%peer, "a question from an address that is not one of `proxies`");
        return answer(PERMISSION_DENIED as u32, Vec::new());
    }
    let body = Limited::new(request.into_body(), LARGEST).collect().await;
    let body = body.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    match said(gateway, &body).await {
        Some(message) => answer(0, message),
        None => answer(INVALID_ARGUMENT, Vec::new()),
    }
}

/// The answer to a framed message; `None`: it is no question of Envoy's.
pub(crate) async fn said(gateway: &Gateway, body: &[u8]) -> Option<Vec<u8>> {
    let Some(Question { method, target, host, headers, address }) = read(body) else {
        tracing::error!("a question that is not Envoy's");
        return None;
    };
    let head = RequestHead { method: &method, target: &target, host: &host, headers: &headers, source_ip: address };
    let said = match let_through(gateway, &head).await {
        Ok(statement) => allowed(&statement),
        Err(answer) => denied(&answer),
    };
    Some(said.0)
}

/// One message with five bytes in front, then `CheckRequest.attributes.request.http`, and `source.address.socket_address.address`.
fn read(body: &[u8]) -> Option<Question> {
    let (prefix, message) = body.split_first_chunk::<5>()?;
    let [0, length @ ..] = prefix else { return None };
    if u32::from_be_bytes(*length) as usize != message.len() || !Fields::of(message).is_whole() {
        return None;
    }
    let attributes = Fields::of(message).bytes(1)?;
    let http = Fields::of(Fields::of(attributes).bytes(4)?).bytes(2)?;
    let address = [1, 1, 1].into_iter().try_fold(attributes, |message, number| Fields::of(message).bytes(number));
    let address = address.and_then(|address| Fields::of(address).text(2)?.parse().ok());
    let http = Fields::of(http);
    let mut headers = HeaderMap::new();
    for (_, entry) in http.clone().filter(|(number, _)| *number == 3) {
        let Value::Bytes(entry) = entry else { return None };
        let entry = Fields::of(entry);
        let (name, value) = (entry.clone().text(1)?, entry.text(2).unwrap_or_default());
        // Names that begin with a colon are Envoy's own.
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value)) {
            // More names than a map holds are more than any proxy takes.
            headers.try_append(name, value).ok()?;
        }
    }
    let text = |number: u64| http.clone().text(number).map(str::to_owned);
    Some(Question { method: text(2)?, target: text(4)?, host: text(5)?, headers, address })
}

/// A header that takes the place of what the client sent.
fn option(name: &str, value: &[u8]) -> Message {
    let header = Message::default().bytes(1, name.as_bytes()).bytes(2, value);
    // `append` is there, and false.
    Message::default().bytes(1, &header.0).bytes(2, b"")
}

fn allowed(caller: &HeaderValue) -> Message {
    let ok = Message::default().bytes(2, &option(statement::HEADER.as_str(), caller.as_bytes()).0);
    Message::default().bytes(1, b"").bytes(3, &ok.0)
}

fn denied(answer: &Answer) -> Message {
    let status = Message::default().number(1, u64::from(answer.status.as_u16()));
    let mut response = Message::default().bytes(1, &status.0);
    for (name, value) in &answer.headers {
        response = response.bytes(2, &option(name.as_str(), value.as_bytes()).0);
    }
    let response = response.bytes(3, &answer.body);
    let code = Message::default().number(1, PERMISSION_DENIED);
    Message::default().bytes(1, &code.0).bytes(2, &response.0)
}

fn answer(status: u32, message: Vec<u8>) -> Response<AnswerBody> {
    let mut framed = vec![0];
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(&message);
    let body = if status == 0 { Bytes::from(framed) } else { Bytes::new() };
    let trailers: HeaderMap = [(HeaderName::from_static("grpc-status"), HeaderValue::from(status))].into_iter().collect();
    let body = Full::new(body).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(boxed(body));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        [&[0][..], &u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
    }

    fn question() -> Vec<u8> {
        let entry = |name: &[u8], value: &[u8]| Message::default().bytes(1, name).bytes(2, value).0;
        let http = Message::default()
            .bytes(1, b"17")
            .bytes(2, b"PUT")
            .bytes(3, &entry(b":path", b"/x"))
            .bytes(3, &entry(b"authorization", b"Hawk x"))
            .bytes(3, &entry(b"empty", b""))
            .bytes(4, b"/books/red?page=2")
            .bytes(5, b"notes.example:8443")
            .number(9, 12);
        let request = Message::default().bytes(1, b"").bytes(2, &http.0);
        Message::default().bytes(1, &Message::default().bytes(4, &request.0).0).0
    }

    #[test]
    fn a_question_is_read() {
        let found = read(&framed(&question())).unwrap();
        assert_eq!((found.method.as_str(), found.target.as_str(), found.host.as_str()), ("PUT", "/books/red?page=2", "notes.example:8443"));
        assert_eq!(found.headers.len(), 2);
        assert_eq!(found.headers[header::AUTHORIZATION], "Hawk x");
    }

    #[test]
    fn what_is_no_question_is_none() {
        let whole = framed(&question());
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_none(), "{end}");
        }
        let mut compressed = whole.clone();
        compressed[0] = 1;
        assert!(read(&compressed).is_none());
        assert!(read(&[whole.as_slice(), b"x"].concat()).is_none());
        assert!(read(&framed(b"")).is_none());
        // More headers than a map holds.
        let names = (0..36_000_u32).map(|number| Message::default().bytes(1, format!("{number:x}").as_bytes()).0);
        let http = names.fold(Message::default().bytes(2, b"GET").bytes(4, b"/").bytes(5, b"a"), |http, name| http.bytes(3, &name));
        let request = Message::default().bytes(2, &http.0);
        assert!(read(&framed(&Message::default().bytes(1, &Message::default().bytes(4, &request.0).0).0)).is_none());
    }
}
