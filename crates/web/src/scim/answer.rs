//! Answers: resources, lists and errors (RFC 7644 sections 3.4.2 and 3.12).

use axum::body::Body;
use axum::response::Response;
use falconer_login::{GROUP_SCHEMA, ScimError, ScimKind, ScimRecord, USER_SCHEMA, user_json};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::request::Shape;
use crate::http::problem::Problem;

/// What is not done, and how that is said.
pub(super) struct Refused {
    status: StatusCode,
    kind: Option<&'static str>,
    text: String,
    retry_after_seconds: Option<u64>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Refused {
        Refused { status, kind: None, text: text.into(), retry_after_seconds: None }
    }

    fn with_kind(self, kind: &'static str) -> Refused {
        Refused { kind: Some(kind), ..self }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Refused {
        let text = format!("{}. {}", problem.title, problem.next);
        Refused { retry_after_seconds: problem.retry_after_seconds, ..Refused::new(problem.status, text) }
    }
}

impl From<ScimError> for Refused {
    fn from(error: ScimError) -> Refused {
        let text = error.to_string();
        match error {
            ScimError::Wrong(fault, _) => Refused::new(StatusCode::BAD_REQUEST, text).with_kind(fault.as_str()),
            ScimError::NotFound => Refused::new(StatusCode::NOT_FOUND, text),
            ScimError::Taken(_) => Refused::new(StatusCode::CONFLICT, text).with_kind("uniqueness"),
            ScimError::LargeGroup { .. } => Refused::new(StatusCode::BAD_REQUEST, text).with_kind("tooMany"),
            ScimError::Full { .. } => Refused::new(StatusCode::CONFLICT, text).with_kind("tooMany"),
            ScimError::Changed => Refused::new(StatusCode::PRECONDITION_FAILED, text),
            ScimError::Login(error) => Problem::from(error).into(),
        }
    }
}

/// An error, as RFC 7644 section 3.12 has it.
pub(super) fn of_error(refused: Refused) -> Response {
    let Refused { status, kind, text, retry_after_seconds } = refused;
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.as_str(),
        "detail": text,
    });
    if let (Some(kind), Some(body)) = (kind, body.as_object_mut()) {
        body.insert("scimType".to_owned(), json!(kind));
    }
    let mut response = json(status, &body);
    if let Some(seconds) = retry_after_seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// What the edge refused, in the shape that directories read.
pub(crate) fn of_problem(problem: Problem) -> Response {
    of_error(problem.into())
}

pub(super) fn unauthorized() -> Response {
    let mut response = of_error(Refused::new(StatusCode::UNAUTHORIZED, "send the token of a directory as Authorization: Bearer"));
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"scim\""));
    response
}

pub(super) fn not_found() -> Response {
    of_error(Refused::new(StatusCode::NOT_FOUND, "there is nothing at this path"))
}

pub(super) fn method_not_allowed(methods: &[Method]) -> Response {
    let mut response = of_error(Refused::new(StatusCode::METHOD_NOT_ALLOWED, "this path takes another method"));
    let allowed: Vec<&str> = methods.iter().map(Method::as_str).collect();
    insert(&mut response, ALLOW, &allowed.join(", "));
    response
}

pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A change that is answered without the resource (RFC 7644 section 3.5.2).
pub(super) fn changed(version: i64) -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    insert(&mut response, ETAG, &tag(version));
    response
}

pub(super) fn not_modified(version: i64) -> Response {
    let mut response = empty(StatusCode::NOT_MODIFIED);
    insert(&mut response, ETAG, &tag(version));
    response
}

pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    let mut response = empty(status);
    *response.body_mut() = Body::from(body.to_string());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/scim+json; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    response
}

/// One resource, with its version and, where it is new, where it is.
pub(super) fn resource(status: StatusCode, record: &ScimRecord, shape: &Shape<'_>) -> Response {
    let mut response = json(status, &Value::Object(written(record, shape)));
    insert(&mut response, ETAG, &tag(record.version));
    if status == StatusCode::CREATED {
        insert(&mut response, LOCATION, &location(record, shape.origin));
    }
    response
}

/// Where a list is a part of a longer one.
pub(super) struct Page {
    pub(super) total: u64,
    /// The first is 1.
    pub(super) start: u32,
}

pub(super) fn list(page: &Page, records: &[ScimRecord], shape: &Shape<'_>) -> Response {
    list_of(page, records.iter().map(|record| Value::Object(written(record, shape))).collect())
}

pub(super) fn list_of(page: &Page, resources: Vec<Value>) -> Response {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": page.total,
        "startIndex": page.start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    });
    json(StatusCode::OK, &body)
}

fn written(record: &ScimRecord, shape: &Shape<'_>) -> Map<String, Value> {
    let mut written = Map::new();
    let (schema, resource_type) = match record.kind {
        ScimKind::User => (USER_SCHEMA, "User"),
        ScimKind::Group => (GROUP_SCHEMA, "Group"),
    };
    written.insert("schemas".to_owned(), json!([schema]));
    written.insert("id".to_owned(), json!(record.id));
    match record.kind {
        ScimKind::User => written.extend(user_json(record)),
        ScimKind::Group => {
            if let Some(external_id) = &record.external_id {
                written.insert("externalId".to_owned(), json!(external_id));
            }
            written.insert("displayName".to_owned(), json!(record.name));
            let members: Vec<Value> = record.members.iter().map(|id| json!({"value": id, "type": "User"})).collect();
            written.insert("members".to_owned(), Value::Array(members));
        }
    }
    let meta = json!({
        "resourceType": resource_type,
        "created": time(record.created_ms),
        "lastModified": time(record.modified_ms),
        "location": location(record, shape.origin),
        "version": tag(record.version),
    });
    written.insert("meta".to_owned(), meta);
    written.retain(|attribute, _| shape.shows(attribute));
    written
}

fn location(record: &ScimRecord, origin: &str) -> String {
    let kind = match record.kind {
        ScimKind::User => "Users",
        ScimKind::Group => "Groups",
    };
    format!("{origin}{}/{kind}/{}", super::ROOT, record.id)
}

fn tag(version: i64) -> String {
    format!("W/\"{version}\"")
}

fn time(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms).map(|at| at.to_string()).unwrap_or_default()
}

fn insert(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
