//! What happens around every request, whichever route answers: an id, limits, one log line, no panic gets out.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use falconer_wire::Service;
use http::header::{ALLOW, CONNECTION, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};

use crate::api::answer::headers::TRACE_HEADER;
use crate::api::answer::without_method;
use crate::http::arriving::{self, BodyProgress};
use crate::http::headers;
use crate::http::log::{self, RequestId, RequestLine};
use crate::http::problem::Problem;
use crate::listener::connection::NoHost;
use crate::metrics::{Answered, Label};
use crate::{Web, api, scim};

/// [`guard`] as a layer around routes.
pub(crate) async fn layer(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    guard(&web, request, |request| next.run(request)).await
}

/// Answers a request through `inner`, whatever it does.
pub(crate) async fn guard<F: Future<Output = Response>>(web: &Web, mut request: Request, inner: impl FnOnce(Request) -> F) -> Response {
    let started = Instant::now();
    let mut random = [0_u8; 5];
    web.random.fill(&mut random);
    let id = RequestId::new(random);
    request.extensions_mut().insert(id);
    let method = request.method().clone();
    let uri = request.uri().clone();
    let errors = ErrorShape::of(&request);
    tracing::debug!(%id, headers = ?log::Headers(request.headers()), "request");

    let mut response = match refuse(web, &request) {
        Some(problem) => {
            let mut response = errors.answer(problem, web, &id);
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            web.metrics.answered(Answered::Nobody, response.status(), started.elapsed());
            response
        }
        None => answer(web, request, inner, &errors, &id).await,
    };
    headers::always(response.headers_mut(), &web.settings.public_origin);

    let reason = response.extensions().get::<Label>().and_then(|label| label.reason());
    note(web, &line_of(id, &method, &uri, response.status(), started.elapsed(), reason));
    response
}

/// What the log says of a request that is answered now.
pub(crate) fn line_of<'r>(
    id: RequestId,
    method: &'r Method,
    uri: &'r Uri,
    status: StatusCode,
    took: Duration,
    reason: Option<&'static str>,
) -> RequestLine<'r> {
    RequestLine { id, method, uri, status, microseconds: u64::try_from(took.as_micros()).unwrap_or(u64::MAX), reason }
}

/// Writes the line of a request.
pub(crate) fn note(web: &Web, line: &RequestLine<'_>) {
    let RequestLine { id, method, status, microseconds, reason, .. } = line;
    if status.is_server_error() {
        let trace_id = falconer_traces::trace_id().map(tracing::field::display);
        tracing::warn!(target: RequestLine::TARGET, %id, %method, path = %line.path(), status = status.as_u16(), microseconds, reason, trace_id, "request");
    } else if tracing::enabled!(target: RequestLine::TARGET, tracing::Level::INFO) {
        web.log.note(line);
    }
}

/// Whether each request's head is logged, which [`guard`] does.
pub(crate) fn logs_heads() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
}

async fn answer<F: Future<Output = Response>>(
    web: &Web,
    request: Request,
    inner: impl FnOnce(Request) -> F,
    errors: &ErrorShape,
    id: &RequestId,
) -> Response {
    let began = Instant::now();
    let changes = !request.method().is_safe();
    let (request, arriving) = arriving::watch(request);
    let problem = match within_limits(web, began, id, changes, &arriving, inner(request)).await {
        Ok(mut response) => {
            return match response.extensions_mut().remove::<Problem>() {
                Some(problem) => {
                    let allowed = response.headers_mut().remove(ALLOW);
                    let mut response = errors.answer(problem, web, id);
                    // Of a 405: which methods there are, as the router knows them.
                    if let Some(allowed) = allowed {
                        response.headers_mut().insert(ALLOW, allowed);
                    }
                    response
                }
                None => response,
            };
        }
        Err(problem) => problem,
    };
    let response = errors.answer(problem, web, id);
    web.metrics.answered(Answered::Nobody, response.status(), began.elapsed());
    response
}

/// What comes of `inner`, unless it panics, or takes too long since the request began.
pub(crate) async fn within_limits<F: Future>(
    web: &Web,
    began: Instant,
    id: &RequestId,
    changes: bool,
    arriving: &BodyProgress,
    inner: F,
) -> Result<F::Output, Problem> {
    let deadline = tokio::time::Instant::from_std(began) + web.settings.limits.total;
    match tokio::time::timeout_at(deadline, CatchPanic(pin!(inner))).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(panic)) => {
            tracing::error!(%id, panic = message(panic.as_ref()), "a handler panicked");
            Err(Problem::internal())
        }
        // Whoever waits for the rest of a body has done nothing yet.
        Err(_) if arriving.is_under_way() => Err(Problem::too_slow()),
        // A change that was handed to the store goes on without whoever waited for it.
        Err(_) if changes => Err(Problem::outcome_unknown()),
        Err(_) => Err(Problem::unavailable("it took too long")),
    }
}

/// Limits that need nothing but the head of the request.
fn refuse(web: &Web, request: &Request) -> Option<Problem> {
    if request.extensions().get::<NoHost>().is_some() {
        return Some(Problem::no_host());
    }
    if !is_framed_plainly(request.headers()) {
        return Some(Problem::transfer_encoding());
    }
    let limits = &web.settings.limits;
    let url = request.uri().path_and_query().map_or(0, |text| text.as_str().len());
    if url > limits.url_bytes {
        return Some(Problem::uri_too_long());
    }
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers > limits.header_bytes {
        return Some(Problem::headers_too_large());
    }
    None
}

/// Whether the body is sent as it is or in chunks, and in nothing else. Two readers of `gzip, chunked` may disagree about where the body ends, or about what it says
/// (RFC 9112, section 6.1): hyper takes away the chunks only.
fn is_framed_plainly(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    encodings.next().is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"chunked")) && encodings.next().is_none()
}

/// What has to be known of the request after it is gone: in which shape its errors are written.
pub(crate) struct ErrorShape {
    service: Option<Service>,
    trace_id: Option<HeaderValue>,
    accepts_html: bool,
    scim: bool,
}

impl ErrorShape {
    pub(crate) fn of<B>(request: &http::Request<B>) -> Self {
        let path = request.uri().path();
        ErrorShape {
            service: api::service_of(path).map(|(service, _)| service),
            scim: scim::owns(path),
            trace_id: request.headers().get(TRACE_HEADER).cloned(),
            accepts_html: !path.starts_with("/api/") && crate::http::problem::prefers_html(request.headers()),
        }
    }

    pub(crate) fn answer(&self, problem: Problem, web: &Web, id: &RequestId) -> Response {
        let closes = problem.status == StatusCode::REQUEST_TIMEOUT;
        let mut response: http::Response<Body> = match self.service {
            Some(service) => without_method::answer(web, service, self.trace_id.clone(), problem, id.as_str()),
            None if self.scim => scim::of_problem(problem),
            None => problem.answer(self.accepts_html, web, id),
        };
        if closes {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// A future whose panic is a value.
struct CatchPanic<'f, F>(Pin<&'f mut F>);

impl<F: Future> Future for CatchPanic<'_, F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // What the handler touched before is either dropped with it or behind locks that tell of poison.
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(cx))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
