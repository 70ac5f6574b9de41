use std::net::IpAddr;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};

use super::original::{Original, original};
use crate::decide::{Answer, Decision, Gateway, LetThrough, Refused, RequestHead};
use crate::rules::Dialect;
use crate::statement;

/// Answers a proxy's question. Whoever is not one of the configured proxies learns nothing.
pub(crate) async fn respond(gateway: &Gateway, dialect: Dialect, peer: IpAddr, parts: &Parts) -> Response<Bytes> {
    if !gateway.settings().proxies.have(peer) {
        tracing::warn!(%peer, "a question from an address that is not one of `proxies`");
        return status(StatusCode::FORBIDDEN);
    }
    let Original { method, target, host, only_status, address } = match original(dialect, parts) {
        Ok(original) => original,
        Err(problem) => {
            let (method, target) = (parts.method.as_str(), parts.uri.path());
            let head = RequestHead { method, target, host: "", headers: &parts.headers, source_ip: None };
            return Answer::refused(&Refused::Misconfigured(problem), &head).into_response();
        }
    };
    let head = RequestHead { method, target, host, headers: &parts.headers, source_ip: address };
    match let_through(gateway, &head).await {
        Ok(statement) if dialect != Dialect::Nginx || only_status => {
            let mut response = status(StatusCode::OK);
            response.headers_mut().insert(statement::HEADER, statement);
            response
        }
        // It was refused a moment ago, so that nginx asks for the answer to that; now it would be let through.
        Ok(_) => gateway.refuse(&Refused::AllowedMeanwhile, &head).into_response(),
        // nginx makes 500 of everything else, and asks again for the whole answer.
        Err(_) if only_status => status(StatusCode::UNAUTHORIZED),
        Err(answer) => answer.into_response(),
    }
}

/// What the service behind is told of a request that goes on.
pub(super) async fn let_through(gateway: &Gateway, head: &RequestHead<'_>) -> Result<HeaderValue, Answer> {
    let statement = match gateway.decide(head).await {
        Decision::Answer(answer) => return Err(answer),
        Decision::Preflight => gateway.statement(head, None, &[]),
        Decision::LetThrough(LetThrough { verified, reveal, watched: _ }) => {
            // Where a hash is signed, the rule passes over it.
            let caller = verified.map(falconer_middleware::Verified::without_body);
            gateway.statement(head, caller.as_ref(), &reveal)
        }
    };
    statement.map_err(|refused| gateway.refuse(&refused, head))
}

fn status(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
