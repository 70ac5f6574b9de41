//! What a directory sends: its token, which resources, in which versions, and a body within a budget.

use std::time::Duration;

use axum::body::Body;
use falconer_login::{MOST_LISTED, ScimError, ScimFault};
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use super::answer::Refused;
use crate::api::request_json::{Budget, DuplicateKeys, JsonError, tree};
use crate::http::only::the_only;

/// The largest body: a group with all members that it may have, and their names.
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// Values in it.
const MOST_VALUES: usize = 60_000;
/// Until it has arrived.
const ARRIVES: Duration = Duration::from_secs(20);
/// Values inside of each other.
const DEEPEST: usize = 12;

/// The token of `Authorization: Bearer`.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = the_only(headers, &AUTHORIZATION).ok()??.to_str().ok()?.split_once(' ')?;
    Some(token.trim()).filter(|_| scheme.eq_ignore_ascii_case("bearer"))
}

/// The versions of `If-Match`; `None`: any. What is no version of ours is none that a resource has.
pub(super) fn versions(headers: &HeaderMap) -> Option<Vec<i64>> {
    if !headers.contains_key(IF_MATCH) {
        return None;
    }
    let named: Vec<&str> = tags(headers, &IF_MATCH).collect();
    if named == ["*"] {
        return None;
    }
    Some(named.into_iter().filter_map(version).collect())
}

/// Whether `If-None-Match` names this version.
pub(super) fn has_already(headers: &HeaderMap, present: i64) -> bool {
    tags(headers, &IF_NONE_MATCH).any(|tag| tag == "*" || version(tag) == Some(present))
}

fn tags<'h>(headers: &'h HeaderMap, name: &http::HeaderName) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

/// Of `W/"3"` or `"3"`.
fn version(tag: &str) -> Option<i64> {
    tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

/// The JSON object of a body.
pub(super) async fn body(headers: &HeaderMap, body: Body) -> Result<Map<String, Value>, Refused> {
    let media = the_only(headers, &CONTENT_TYPE).ok().flatten().and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !["application/scim+json", "application/json"].iter().any(|known| media.eq_ignore_ascii_case(known)) {
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/scim+json"));
    }
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the body as it is, not compressed"));
    }
    let bytes = match tokio::time::timeout(ARRIVES, Limited::new(body, MOST_BYTES).collect()).await {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) => return Err(Refused::new(StatusCode::BAD_REQUEST, "the body ended early")),
        Err(_) => return Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive")),
    };
    let syntax = |text: &str| Refused::from(ScimError::Wrong(ScimFault::Syntax, text.to_owned()));
    let text = std::str::from_utf8(&bytes).map_err(|_| syntax("the body is no UTF-8"))?;
    let budget = Budget { bytes: MOST_BYTES, nodes: MOST_VALUES, entries: usize::MAX, window: 0, time: ARRIVES };
    match tree(text, &budget, DuplicateKeys::Refused) {
        Ok(Value::Object(object)) if object.values().all(|value| is_shallow(value, DEEPEST)) => Ok(object),
        Ok(Value::Object(_)) => Err(syntax("the body is nested too deeply")),
        Ok(_) => Err(syntax("the body is no JSON object")),
        Err(JsonError::OverBudget(_)) => Err(too_large()),
        Err(JsonError::Malformed(error)) => Err(syntax(&format!("the body is no JSON: {error}"))),
    }
}

fn too_large() -> Refused {
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large; send members in several requests")
}

fn is_shallow(value: &Value, left: usize) -> bool {
    let Some(left) = left.checked_sub(1) else { return false };
    match value {
        Value::Array(list) => list.iter().all(|value| is_shallow(value, left)),
        Value::Object(object) => object.values().all(|value| is_shallow(value, left)),
        _ => true,
    }
}

/// What a query asks for.
pub(super) struct Query {
    pub(super) filter: Option<String>,
    /// The first is 1.
    pub(super) start: u32,
    pub(super) count: u32,
    attributes: Option<Vec<String>>,
    without: Vec<String>,
}

impl Query {
    pub(super) fn read(query: &str) -> Result<Query, Refused> {
        let mut read = Query { filter: None, start: 1, count: 100, attributes: None, without: Vec::new() };
        let mut seen = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let number = || {
                let number = value.trim().parse::<i64>().map_err(|_| wrong(format!("{name} is no number")))?;
                Ok::<u32, Refused>(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
            };
            let names = || value.split(',').map(|name| name.trim().to_ascii_lowercase()).collect();
            match &*name {
                "filter" => read.filter = Some(value.clone().into_owned()),
                "startIndex" => read.start = number()?.max(1),
                "count" => read.count = number()?.min(MOST_LISTED),
                "attributes" => read.attributes = Some(names()),
                "excludedAttributes" => read.without = names(),
                _ => continue,
            }
            if seen.contains(&name) {
                return Err(wrong(format!("{name} is there twice")));
            }
            seen.push(name);
        }
        Ok(read)
    }
}

impl Query {
    /// Whether `attributes` says what is shown.
    pub(super) fn names_attributes(&self) -> bool {
        self.attributes.is_some()
    }
}

fn wrong(text: String) -> Refused {
    ScimError::Wrong(ScimFault::Value, text).into()
}

/// How resources are written.
pub(super) struct Shape<'a> {
    pub(super) origin: &'a str,
    pub(super) query: &'a Query,
}

impl Shape<'_> {
    /// Whether this attribute is asked for. Some always are.
    pub(super) fn shows(&self, attribute: &str) -> bool {
        if ["schemas", "id"].contains(&attribute) {
            return true;
        }
        let is = |named: &String| {
            // A part of it, or with its schema in front.
            let last = named.rsplit(':').next().unwrap_or(named);
            last.split('.').next().is_some_and(|named| named.eq_ignore_ascii_case(attribute))
        };
        self.query.attributes.as_ref().is_none_or(|wanted| wanted.iter().any(is)) && !self.query.without.iter().any(is)
    }
}
