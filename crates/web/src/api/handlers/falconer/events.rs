//! Changes of clients and roles as server-sent events (`docs/events.md`; the format is the WHATWG HTML standard's, section 9.2).
//!
//! ```text
//! id: 9f86d081884c7d65-17
//! event: client-created
//! data: {"version":1,"clientId":"proj/one","revision":17}
//! ```
//! The stream begins with `ready`, says `reset` where a follower has to list again, and `end` when the caller may follow no longer. An id is a
//! [`Position`]: whoever sends the last one as `Last-Event-ID` (browsers do) or as `since` misses nothing and hears nothing twice.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use falconer_auth::{ApiError, ChangeKind, Entity, Event, Follower, Position};
use falconer_wire::Code;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::api::answer::failure::Failure;
use crate::api::answer::headers::LAST_EVENT_ID;
use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request};
use crate::http::only::{Several, the_only};

/// How long nothing may be sent: proxies and listeners end a connection that is quiet for longer. Also how often a quiet follower's credentials
/// are looked at.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Pieces of changes that are at hand are put together until there are as many bytes. Most pieces are longer by themselves, and go out as they are.
const AT_ONCE: usize = 8 << 10;

pub(crate) async fn follow(request: &Request<'_>) -> Answer {
    let from = position(request.headers, request.query.get("since"))?;
    let follower = request.auth.follow(request.who, from).await?;
    let body = Body::from_stream(futures_util::stream::unfold(Stage::Beginning(Box::new(follower)), step));
    // Proxies that collect answers before they send them would keep events back.
    Ok(Reply::streaming("text/event-stream", body).with(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")))
}

/// The header wins: a browser that comes again sends it along with the URL that it began with. An empty one is none.
fn position(headers: &HeaderMap, since: Option<&str>) -> Result<Option<Position>, Failure> {
    let wrong_header = || wrong("Last-Event-ID");
    let header = the_only(headers, &LAST_EVENT_ID).map_err(|Several| wrong_header())?;
    let header = header.map(HeaderValue::to_str).transpose().map_err(|_| wrong_header())?;
    let (name, given) = match header.filter(|text| !text.is_empty()) {
        Some(text) => ("Last-Event-ID", Some(text)),
        None => ("since", since),
    };
    given.map(|text| text.parse().map_err(|_| wrong(name))).transpose()
}

fn wrong(name: &str) -> Failure {
    Failure::new(
        Code::InvalidRequestArguments,
        format!("{name} must be a revision such as 17, or the id of an event such as 9f86d081884c7d65-17.2"),
    )
}

/// What a stream does next.
enum Stage {
    Beginning(Box<Follower>),
    Following(Box<Follower>),
    Ended,
}

/// One thing to send. Nothing is prepared before the one before it went out.
async fn step(stage: Stage) -> Option<(Result<Bytes, Infallible>, Stage)> {
    let mut follower = match stage {
        Stage::Beginning(follower) => {
            let ready = event("ready", follower.position(), &json!({ "version": 1, "revision": follower.position().revision().0 }));
            return Some((Ok(ready.into()), Stage::Following(follower)));
        }
        Stage::Following(follower) => follower,
        Stage::Ended => return None,
    };
    loop {
        let next = match tokio::time::timeout(HEARTBEAT, follower.ready()).await {
            Ok(ready) => ready.map(Some),
            Err(_) => follower.check().map(|()| None),
        };
        return match next {
            Ok(Some(None)) => {
                // Hundreds of followers that each sent all they have, or a piece of it, would hold up every other call of this thread.
                follower.turn().await;
                let piece = pieces(&mut follower);
                if piece.is_empty() {
                    continue;
                }
                Some((Ok(piece), Stage::Following(follower)))
            }
            Ok(Some(Some(position))) => {
                let reset = event("reset", position, &json!({ "version": 1, "revision": position.revision().0 }));
                Some((Ok(reset.into()), Stage::Following(follower)))
            }
            // Without data nothing is dispatched, but the id counts: what others changed since moves it along.
            Ok(None) => Some((Ok(format!(":\nid: {}\n\n", follower.position()).into()), Stage::Following(follower))),
            Err(error) if ends_the_right(&error) => {
                let end = event("end", follower.position(), &json!({ "version": 1, "reason": Failure::from(error).text }));
                Some((Ok(end.into()), Stage::Ended))
            }
            Err(error) => {
                tracing::warn!(%error, "a follower of changes was let go");
                None
            }
        };
    }
}

/// Whether it says something of the caller: the credentials do not hold any more, or the right is gone. Everything else says something of this server or its store, and the
/// stream just ends, so that whoever comes again finds out whether they still may.
fn ends_the_right(error: &ApiError) -> bool {
    match error {
        ApiError::AuthenticationFailed(_) | ApiError::InsufficientScopes { .. } | ApiError::OutlivesGrant { .. } => true,
        ApiError::InvalidRequestArguments(_)
        | ApiError::InputError(_)
        | ApiError::ResourceNotFound(_)
        | ApiError::RequestConflict(_)
        | ApiError::TooManyRequests { .. }
        | ApiError::ClockBehind { .. }
        | ApiError::CutOff { .. }
        | ApiError::ClockAhead { .. }
        | ApiError::TokenNotOpened { .. }
        | ApiError::Unavailable(_)
        | ApiError::OutcomeUnknown(_)
        | ApiError::Internal(_) => false,
    }
}

/// What goes out at once. Nothing, where what is at hand tells of nothing, or may not be told any more.
fn pieces(follower: &mut Follower) -> Bytes {
    let Some(first) = follower.text_at_hand(written) else { return Bytes::new() };
    if first.len() >= AT_ONCE {
        return Bytes::from_owner(first);
    }
    let mut many = first.to_vec();
    while many.len() < AT_ONCE
        && let Some(next) = follower.text_at_hand(written)
    {
        many.extend_from_slice(&next);
    }
    many.into()
}

fn written(change: &Event) -> String {
    let (kind, key, id) = match &change.entity {
        Entity::Client(id) => ("client", "clientId", id),
        Entity::Role(id) => ("role", "roleId", id),
    };
    let what = match change.what {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Deleted => "deleted",
    };
    event(&format!("{kind}-{what}"), change.position, &json!({ "version": 1, key: id, "revision": change.revision.0 }))
}

/// JSON in one line has neither of the characters that end a line.
fn event(name: &str, position: Position, data: &Value) -> String {
    format!("id: {position}\nevent: {name}\ndata: {data}\n\n")
}
