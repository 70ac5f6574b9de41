//! Both APIs over HTTP, the protocol's and Falconer's own: one dispatcher, driven by the table in `falconer_wire`, in the order that `auth-api.md` section 4 owes.
//!
//! | room | concept |
//! |---|---|
//! | `request` | which method: the raw path; the query; the body: limit, charset, compression, JSON, schema; what was signed |
//! | `handlers` | the methods |
//! | `answer` | outcome to status and code; headers, CORS, etag, compression |
//! | `documents` | references, schemas, the OpenAPI document |
//!
//! It never reads cookies, and decides nothing about scopes: it renders the table's template and asks `falconer_auth`.
//!
//! To add a method: a row in the table, a handler beside its kind, an arm in `Api::handle`; the match is exhaustive.

mod answer;
mod documents;
mod handlers;
mod request;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request as HttpRequest;
use axum::response::Response;
use falconer_auth::{ApiError, Auth, Authentication, Awaited, Random, Reason};
use falconer_scopes::Template;
use falconer_wire::error::RequestInfo;
use falconer_wire::{Call, Code, ErrorBody, Method, date_time};
use http::header::{ALLOW, CONTENT_SECURITY_POLICY, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use http_body::Body as _;
use serde_json::{Map, Value};

use self::answer::failure::Failure;
use self::answer::respond::{AT_LEAST, Asked, Reply, Wardrobe, Zone, finish, fresh_uuid};
use self::documents::Documents;
use self::handlers::falconer::{events, import, put_client};
use self::handlers::{Answer, Request, audit, brokers, clients, falconer, hawk, plain, roles, scopes, service};
use self::request::body::{self, BadBody, Payload};
use self::request::query::Query;
use self::request::replays::Replays;
use self::request::route::{self, Found, PathParams, Routes};
use self::request::schema::Schemas;
use self::request::signed::Signed;
use crate::WebSettings;
use crate::metrics::{Answered, Metrics};

/// How long a request may wait for the revision that it demands, and how often the node looks.
const AT_LEAST_WAIT: Duration = Duration::from_secs(1);

/// The calls that each request of a service needs.
const QUICK: [&str; 3] = ["/api/auth/v1/authenticate-hawk", "/api/auth/v1/scopes/current", "/api/auth/v1/scopes/expand"];

/// What more than this is sent for may take its time.
const QUICK_BYTES: u64 = 32 * 1024;

/// Whether this is such a call, and small enough, so that nothing is to stand before it.
pub fn is_quick(request: &HttpRequest) -> bool {
    QUICK.contains(&request.uri().path()) && request.body().size_hint().upper().is_some_and(|bytes| bytes <= QUICK_BYTES)
}

/// Whether a raw path is answered here: everything under `/api`, what describes it, and what monitoring asks at the root.
pub fn owns(path: &str) -> bool {
    Documents::own(path)
        || ["/api", "/__version__", "/__heartbeat__", "/__lbheartbeat__", "/robots.txt"]
            .iter()
            .any(|prefix| route::behind(path, prefix).is_some())
}

/// The API: routes, schemas and scope templates prepared once. It knows nothing of sessions and sign-in.
pub struct Api {
    auth: Arc<Auth>,
    settings: WebSettings,
    random: Arc<dyn Random>,
    metrics: Arc<Metrics>,
    routes: Routes,
    schemas: Schemas,
    templates: Vec<(Call, Template)>,
    documents: Documents,
    /// The signatures that have changed something, if each may do that once only.
    replays: Option<Replays>,
    wardrobe: Wardrobe,
    started_ms: i64,
}

/// What errors repeat of a request.
struct Echo<'a> {
    method: &'static Method,
    params: &'a PathParams,
    payload: Option<Value>,
}

impl Api {
    /// Prepares everything. Cheap enough to be done once a process, not once a request.
    pub fn new(auth: Arc<Auth>, settings: WebSettings, random: Arc<dyn Random>, metrics: Arc<Metrics>) -> Api {
        let template = |method: &Method| {
            let json = serde_json::from_str(method.scopes?).ok()?;
            Template::parse(&json).ok().map(|template| (method.call, template))
        };
        let templates = Method::all().filter_map(template).collect();
        let started_ms = auth.now_ms();
        let replays = settings.limits.refuse_replays.then(Replays::default);
        Api {
            wardrobe: Wardrobe::new(&settings.public_origin),
            auth,
            settings,
            random,
            metrics,
            routes: Routes::new(),
            schemas: Schemas::new(),
            templates,
            documents: Documents::default(),
            replays,
            started_ms,
        }
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
            (Zone::Outside, service::at_root(&self.auth, &self.settings, path).await.unwrap_or_else(Reply::unknown_path))
        };
        let asked = Asked { method: parts.method, headers: parts.headers, zone };
        let response = finish(&self.wardrobe, &asked, reply, self.random.as_ref());
        self.metrics.answered(by, response.status(), began.elapsed());
        response
    }

    /// A known method: body, authorization, parameters, schema, handler.
    async fn call(&self, method: &'static Method, params: PathParams, parts: &Parts, body: axum::body::Body) -> Reply {
        let read = match body::take(&parts.headers, body, self.settings.limits.api_body_bytes).await {
            Ok(sent) => {
                // Nearly every call is one of these, and has the form that needs nothing of what follows.
                if let Some(reply) = plain::answer(&self.auth, &self.metrics, method, parts, &sent, &self.settings.trusted_proxies).await {
                    return reply;
                }
                sent.read()
            }
            Err(bad) => Err(bad),
        };
        let mut payload = match read {
            Ok(payload) => payload,
            Err(BadBody { failure, echo }) => return self.refuse(*failure, Echo { method, params: &params, payload: echo }),
        };
        match self.checked(method, &params, parts, &mut payload).await {
            Ok(reply) => reply.in_history(|| self.auth.directory().history()),
            Err(failure) => {
                let echo = payload.echo.then_some(payload.json);
                self.refuse(failure, Echo { method, params: &params, payload: echo })
            }
        }
    }

    async fn checked(&self, method: &'static Method, params: &PathParams, parts: &Parts, payload: &mut Payload) -> Answer {
        self.wait_for_revision(parts).await?;
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let signed = Signed::of(parts, &query, &self.settings.trusted_proxies);
        let who = match method.scopes {
            None => self.auth.nobody(),
            Some(_) => signed.authenticate(&self.auth, payload.hashed()).await?,
        };
        self.authorize(method, params, &who)?;
        check_params(method, params)?;
        query.check(method).map_err(|text| Failure::new(Code::InvalidRequestArguments, text))?;
        if method.input.is_some() {
            self.check_body(method, payload)?;
        }
        self.refuse_replay(method, &who, &signed)?;
        let uptime_seconds = (self.auth.now_ms() - self.started_ms).max(0) as f64 / 1000.0;
        let mut request = Request {
            auth: &self.auth,
            metrics: &self.metrics,
            params,
            query: &query,
            body: payload,
            signed: &signed,
            headers: &parts.headers,
            who: &who,
            uptime_seconds,
        };
        self.handle(method, &mut request).await
    }

    /// Where each signature may change something once only: a second use of this one.
    fn refuse_replay(&self, method: &Method, who: &Authentication, signed: &Signed<'_>) -> Result<(), Failure> {
        match (&self.replays, signed.authorization()) {
            (Some(replays), Some(header)) if method.changes() && who.caller().is_ok() && !replays.first_use(header, self.auth.now_ms()) => {
                Err(ApiError::from(Reason::Replayed).into())
            }
            _ => Ok(()),
        }
    }

    /// The scopes of methods that need nothing but the path. The others are authorized by their use case.
    fn authorize(&self, method: &Method, params: &PathParams, who: &Authentication) -> Result<(), Failure> {
        if method.deferred || method.scopes.is_none() {
            return Ok(());
        }
        let template = self.template(method.call).ok_or_else(|| Failure::internal("the method has no scope template"))?;
        let values: Map<String, Value> = params.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
        match template.render(&values).map_err(|error| Failure::internal(error.to_string()))? {
            None => Ok(()),
            Some(required) => Ok(who.require(&required)?),
        }
    }

    fn template(&self, call: Call) -> Option<&Template> {
        self.templates.iter().find(|(c, _)| *c == call).map(|(_, template)| template)
    }

    fn check_body(&self, method: &Method, payload: &mut Payload) -> Result<(), Failure> {
        if !payload.is_json {
            let given = payload.content_type.as_deref().unwrap_or("null");
            return Err(Failure::new(
                Code::MalformedPayload,
                format!("Payload must be JSON with content-type: application/json got content-type: {given}"),
            ));
        }
        handlers::check_limits(&payload.json)?;
        self.schemas.check(method, self.settings.public_origin.as_str(), &mut payload.json).map_err(|complaints| match complaints {
            Some(text) => Failure::new(Code::InputValidationError, text),
            None => Failure::internal(format!("the schema of {}'s body did not compile", method.name)),
        })
    }

    async fn handle(&self, method: &'static Method, request: &mut Request<'_>) -> Answer {
        match method.call {
            Call::Ping => Ok(service::ping(request.uptime_seconds, self.auth.now_ms())),
            Call::Lbheartbeat => Ok(service::lbheartbeat()),
            Call::Heartbeat => service::heartbeat(&self.auth).await,
            Call::Version => Ok(service::version(&self.settings)),
            Call::ListClients => clients::list(request),
            Call::Client => clients::one(request),
            Call::CreateClient => clients::create(request).await,
            Call::UpdateClient => clients::update(request).await,
            Call::ResetAccessToken => clients::reset(request).await,
            Call::EnableClient => clients::enable(request).await,
            Call::DisableClient => clients::disable(request).await,
            Call::DeleteClient => clients::delete(request).await,
            Call::GetEntityHistory => audit::of_entity(request).await,
            Call::ListAuditHistory => audit::by_client(request).await,
            Call::ListRoles => roles::list_all(request),
            Call::ListRoles2 => roles::list_page(request),
            Call::ListRoleIds => roles::list_ids(request),
            Call::Role => roles::one(request),
            Call::CreateRole => roles::create(request).await,
            Call::UpdateRole => roles::update(request).await,
            Call::DeleteRole => roles::delete(request).await,
            Call::ExpandScopes => scopes::expand(request),
            Call::CurrentScopes => scopes::current(request),
            Call::AuthenticateHawk => hawk::authenticate(request).await,
            Call::TestAuthenticate => hawk::test(request),
            Call::TestAuthenticateGet => hawk::test_get(request),
            Call::Revision => Ok(falconer::revision(request)),
            Call::Events => events::follow(request).await,
            Call::PutClient => put_client::put(request).await,
            Call::ImportBatch => import::batch(request).await,
            Call::AwsS3Credentials
            | Call::AzureAccounts
            | Call::AzureTables
            | Call::AzureTableSas
            | Call::AzureContainers
            | Call::AzureContainerSas
            | Call::SentryDsn
            | Call::WebsocktunnelToken
            | Call::GcpCredentials
            | Call::GithubRepoToken => brokers::answer(method.call, self.template(method.call), request),
        }
    }

    /// Waits, at most a second, until this node answers from the revision that `Falconer-At-Least` names.
    async fn wait_for_revision(&self, parts: &Parts) -> Result<(), Failure> {
        let Some(header) = parts.headers.get(AT_LEAST) else { return Ok(()) };
        let Some(wanted) = header.to_str().ok().and_then(|text| text.trim().parse().ok()) else {
            return Err(Failure::new(Code::InvalidRequestArguments, "Falconer-At-Least must be a revision, as Falconer-Revision gives it"));
        };
        match tokio::time::timeout(AT_LEAST_WAIT, self.auth.wait_for(wanted)).await {
            Ok(Awaited::Reached) => Ok(()),
            Ok(Awaited::OtherHistory) => Err(Failure::new(
                Code::RequestConflict,
                "The revision of Falconer-At-Least belongs to another history of the database: a backup was restored, so read again what you rely on",
            )),
            Ok(Awaited::TooMany) => Err(Failure::unavailable("Too many requests wait for a revision; try again in a moment")),
            Err(_) => {
                Err(Failure::unavailable("This node has not seen the revision that Falconer-At-Least demands; try again in a moment"))
            }
        }
    }

    /// Writes an error down. What only the log may know goes to the log, with the incident that the caller is told.
    fn refuse(&self, failure: Failure, echo: Echo<'_>) -> Reply {
        let mut text = failure.text;
        if failure.code == Code::InternalServerError {
            let incident = fresh_uuid(self.random.as_ref());
            tracing::error!(%incident, method = echo.method.name, detail = failure.detail.as_deref().unwrap_or_default(), "internal error");
            text = format!("Internal Server Error, incidentId {incident}.");
        } else if let Some(detail) = &failure.detail {
            tracing::warn!(method = echo.method.name, detail, "refused");
        }
        let info = RequestInfo {
            method: echo.method.name.to_owned(),
            params: echo.params.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect(),
            payload: import::without_tokens(echo.method, echo.payload),
            time: date_time::format_ms(self.auth.now_ms()),
        };
        let status = StatusCode::from_u16(failure.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = Reply::json_with(status, &ErrorBody::new(failure.code, &text, info));
        if failure.code == Code::AuthenticationFailed {
            reply = reply.with(WWW_AUTHENTICATE, HeaderValue::from_static("hawk")).with_time(self.auth.now_ms());
        }
        if let Some(seconds) = failure.retry_after {
            reply = reply.with(RETRY_AFTER, HeaderValue::from(seconds));
        }
        reply
    }
}

fn check_params(method: &Method, params: &PathParams) -> Result<(), Failure> {
    let wrong: Vec<String> = method
        .params
        .iter()
        .zip(params)
        .filter_map(|(declared, (name, value))| {
            let pattern = declared.pattern?;
            (!(pattern.matches)(value))
                .then(|| format!("URL parameter '{name}' given as '{value}' must match regular expression: '/{}/'", pattern.source))
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Code::InvalidRequestArguments, format!("Invalid URL patterns:\n{}", wrong.join("\n"))))
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
