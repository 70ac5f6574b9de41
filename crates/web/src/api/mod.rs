//! Both APIs over HTTP, the protocol's and Falconer's own: one dispatcher, driven by the table in `falconer_wire`, in the order that the protocol owes.
//!
//! | room | concept |
//! |---|---|
//! | `call` | the steps of one call |
//! | `quick` | the calls that each request of a service needs, in the usual form: without those steps |
//! | `request` | which method: the raw path; the query; the body: limit, charset, compression, JSON, schema; what was signed |
//! | `handlers` | the methods |
//! | `answer` | outcome to status and code; headers, CORS, etag, compression |
//! | `documents` | references, schemas, the OpenAPI document |
//!
//! It never reads cookies, and decides nothing about scopes: it renders the table's template and asks `falconer_auth`.
//!
//! To add a method: a row in the table, a handler beside its kind, an arm in `handlers::dispatch`; the match is exhaustive.

pub(crate) mod answer;
mod call;
mod documents;
mod handlers;
pub(crate) mod quick;
mod request;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use axum::extract::Request as HttpRequest;
use axum::response::Response;
use falconer_auth::{Auth, Random, Unable};
use falconer_grants::Grants;
use falconer_login::Login;
use falconer_scopes::Template;
use falconer_wire::{Call, Method};
use http::header::{ALLOW, CONTENT_ENCODING, CONTENT_SECURITY_POLICY};
use http::{HeaderValue, StatusCode};
use http_body::Body as _;

use self::answer::headers::{Zone, ZoneHeaders};
use self::answer::reply::Reply;
use self::answer::response::{RequestHead, respond};
use self::documents::Documents;
pub(crate) use self::handlers::falconer::explain::{explanation, hints, refused_by, shown, verdict};
pub(crate) use self::handlers::falconer::people::link_mail;
pub use self::handlers::falconer::people::{link_url, mailed_site, person_link};
pub use self::handlers::falconer::refresh_person::refreshed_person;
use self::request::replays::Replays;
use self::request::route::{self, Found, Routes};
use self::request::schema::Schemas;
use crate::WebSettings;
use crate::http::warnings::OncePerMinute;
use crate::metrics::{Answered, Metrics};

/// The calls that each request of a service needs.
const QUICK: [&str; 5] = [
    "/api/auth/v1/authenticate-hawk",
    "/api/falconer/v1/check",
    "/api/falconer/v1/checks",
    "/api/auth/v1/scopes/current",
    "/api/auth/v1/scopes/expand",
];

/// The name of the part of a trace in which signatures are checked, and what follows for scopes.
pub(crate) const VERIFICATION: &str = "verification";

/// What more than this is sent for may take its time.
pub(crate) const QUICK_BYTES: u64 = 32 * 1024;

/// Whether this is such a call, and small enough, so that nothing is to stand before it. What a compressed body comes to nobody knows beforehand.
pub fn is_quick(request: &HttpRequest) -> bool {
    QUICK.contains(&request.uri().path())
        && !request.headers().contains_key(CONTENT_ENCODING)
        && request.body().size_hint().upper().is_some_and(|bytes| bytes <= QUICK_BYTES)
}

/// Whether a raw path is answered here: everything under `/api`, what describes it, and what monitoring asks at the root.
pub fn owns(path: &str) -> bool {
    Documents::own(path)
        || ["/api", "/__version__", "/__heartbeat__", "/__lbheartbeat__", "/robots.txt"]
            .iter()
            .any(|prefix| route::path_after(path, prefix).is_some())
}

/// JSON within a budget.
pub(crate) mod request_json {
    pub(crate) use super::request::budget::Budget;
    pub(crate) use super::request::json::{DuplicateKeys, JsonError, tree};
}

/// Whose API a path belongs to.
pub(crate) use self::request::route::service as service_of;

/// What other places need that services sign requests for.
pub(crate) mod request_signed {
    pub(crate) use super::answer::failure::text_of;
    pub(crate) use super::request::signed::{Hashed, Signed, payload_mismatch};
}

/// The API: routes, schemas and scope templates prepared once. It knows nothing of cookies, sessions and sign-in: of `login` it asks what administrators do about
/// people, of `grants` what they do about applications.
pub struct Api {
    auth: Arc<Auth>,
    login: Arc<Login>,
    grants: Arc<Grants>,
    settings: WebSettings,
    random: Arc<dyn Random>,
    metrics: Arc<Metrics>,
    routes: Routes,
    schemas: Schemas,
    templates: Vec<(Call, Template)>,
    documents: Documents,
    /// The signatures that have changed something, if each may do that once only.
    replays: Option<Replays>,
    zone_headers: ZoneHeaders,
    encodings: Encodings,
    started_ms: i64,
    /// The process was told to end, and says so before it does.
    is_ending: AtomicBool,
    /// Of calls that were signed for another site.
    other_site: OncePerMinute,
}

impl Api {
    /// Prepares everything. Cheap enough to be done once a process, not once a request.
    pub fn new(
        auth: Arc<Auth>,
        login: Arc<Login>,
        grants: Arc<Grants>,
        settings: WebSettings,
        random: Arc<dyn Random>,
        metrics: Arc<Metrics>,
    ) -> Api {
        let template = |method: &Method| {
            let json = serde_json::from_str(method.scopes?).ok()?;
            Template::parse(&json).ok().map(|template| (method.call, template))
        };
        let templates = Method::all().filter_map(template).collect();
        let started_ms = auth.now_ms();
        let replays = settings.limits.refuse_replays.then(Replays::default);
        Api {
            zone_headers: ZoneHeaders::new(&settings.public_origin),
            encodings: Encodings::default(),
            auth,
            login,
            grants,
            settings,
            random,
            metrics,
            routes: Routes::new(),
            schemas: Schemas::new(),
            templates,
            documents: Documents::default(),
            replays,
            started_ms,
            is_ending: AtomicBool::new(false),
            other_site: OncePerMinute::default(),
        }
    }

    /// From now on the heartbeat answers 503.
    pub(crate) fn announce_end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    /// Answers a call that needs nothing but its body, within the budget of a stranger. `None`: that has to go the long way. Errors: this node can't tell.
    pub(crate) async fn quick_reply(&self, call: Call, json: &[u8]) -> Option<Result<Reply, Unable>> {
        let budget = request::budget::of_stranger(Method::of(call)?);
        handlers::plain::of_service(&self.auth, &self.metrics, call, json, &budget).await
    }

    /// Answers one request, whatever it is.
    pub async fn answer(&self, request: HttpRequest) -> Response {
        let began = Instant::now();
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let mut by = Answered::Api;
        let (zone, reply) = if let Some((service, rest)) = route::service(path) {
            let reply = match self.routes.find(service, parts.method.as_str(), rest) {
                Found::Method(method, params) => {
                    by = Answered::Call(method.call);
                    falconer_traces::name(method.name);
                    self.call(method, params, &parts, body).await
                }
                Found::Options(allowed) => options(&allowed),
                Found::BadEscape => bad_escape(),
                Found::Nothing => Reply::unknown_path(),
            };
            (Zone::Service(service), reply)
        } else if Documents::own(path) {
            (Zone::Documents, self.documents.answer(&parts.method, path, &self.settings))
        } else {
            (Zone::Outside, Box::pin(self.at_root(path)).await.unwrap_or_else(Reply::unknown_path))
        };
        let head = RequestHead { method: parts.method, headers: parts.headers, zone };
        let response = respond(&self.zone_headers, &self.encodings, &head, reply, self.random.as_ref());
        self.metrics.answered(by, response.status(), began.elapsed());
        response
    }
}

fn options(allowed: &[&str]) -> Reply {
    let list = allowed.join(", ");
    let reply = Reply::text(StatusCode::OK, "text/plain", list.clone());
    match HeaderValue::from_str(&list) {
        Ok(value) => reply.with(ALLOW, value),
        Err(_) => reply,
    }
}

/// The framework under the reference answers this one with a page, before the API sees it.
fn bad_escape() -> Reply {
    const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>Bad Request</pre>\n</body>\n</html>\n";
    Reply::text(StatusCode::BAD_REQUEST, "text/html; charset=utf-8", PAGE)
        .with(CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"))
}
use crate::api::answer::encodings::Encodings;
