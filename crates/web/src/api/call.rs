//! A call of a known method, step by step, in the order that the protocol owes.
//!
//! A body is read and parsed within the budget of a stranger first. Where that is not enough, the MAC over the head is checked earlier. Whoever signed it may send
//! more.

use std::pin::pin;
use std::time::Duration;

use falconer_auth::{ApiError, AtLeast, Authentication, NewRefusal, Reason, RefusedBy, WaitOutcome};
use falconer_scopes::{Expression, Template};
use falconer_traces::Kind;
use falconer_wire::error::RequestInfo;
use falconer_wire::{Code, ErrorBody, Method, date_time};
use http::header::{CONNECTION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::Api;
use super::answer::echo;
use super::answer::failure::Failure;
use super::answer::headers::{AT_LEAST, fresh_uuid};
use super::answer::reply::Reply;
use super::handlers::{self, Answer, Request, plain};
use super::request::body::{BadBody, Incoming, NotAccepted, Payload};
use super::request::budget::{self, Budget, OverBudget};
use super::request::query::Query;
use super::request::replays;
use super::request::route::PathParams;
use super::request::signed::Signed;
use crate::http::only::{Several, the_only};

/// How long a request may wait for the revision that it demands.
const AT_LEAST_WAIT: Duration = Duration::from_secs(1);

/// What a service needs for authenticateHawk where the settings say so.
const WHOLE_LISTS: &str = "auth:whole-lists";

/// One call on its way.
struct Call<'c> {
    method: &'static Method,
    params: PathParams,
    parts: &'c Parts,
    query: &'c Query,
    signed: Signed<'c>,
}

/// A part of its own in the trace of a request.
async fn verification<F: Future>(future: F) -> F::Output {
    falconer_traces::step(super::VERIFICATION, Kind::Internal, |_| false, future).await
}

impl Api {
    /// Answers a call of a known method.
    pub(super) async fn call(&self, method: &'static Method, params: PathParams, parts: &Parts, body: axum::body::Body) -> Reply {
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let is_own = |host: &str, port: u16| self.auth.is_own_site(host, port);
        let signed = Signed::of(parts, &self.settings.trusted_proxies, is_own);
        if let Some(seen) = signed.other_site(is_own).filter(|_| self.other_site.may_speak(self.auth.now_ms())) {
            self.warn_of_other_site(parts, &seen);
        }
        let call = Call { method, params, parts, query: &query, signed };
        let mut body = Incoming::new(&parts.headers, body);
        let small = budget::of_stranger(method);
        let excess = match self.answer_within(&small, &call, &mut body).await {
            Ok(reply) => return reply,
            Err(excess) => excess,
        };
        // On the heap, as everything that a usual call does not come by: each step on the way to an answer is moved with all the room that it may need.
        Box::pin(self.answer_larger(&call, excess, &small, &mut body)).await
    }

    /// Answers a call whose body is beyond the budget of a stranger.
    async fn answer_larger(&self, call: &Call<'_>, excess: OverBudget, small: &Budget, body: &mut Incoming<'_>) -> Reply {
        if let Err(failure) = self.may_send_more(call, excess, small).await {
            return self.refuse(failure, call, None);
        }
        let large = budget::of_known(call.method, self.settings.limits.api_body_bytes);
        match self.answer_within(&large, call, body).await {
            Ok(reply) => reply,
            Err(excess) => self.refuse(Failure::with_status(excess.status(), excess.text(&large)), call, None),
        }
    }

    /// Answers a call whose body is within the budget; else says what is beyond it.
    async fn answer_within(&self, budget: &Budget, call: &Call<'_>, body: &mut Incoming<'_>) -> Result<Reply, OverBudget> {
        let mut unable = None;
        let taken = match body.receive(budget).await {
            Ok(()) => {
                let received = body.received();
                // Nearly every call is one of these, and has the form that needs nothing of what follows.
                if !self.is_restricted(call.method)
                    && let Some(answered) = verification(pin!(plain::answer(
                        &self.auth,
                        &self.metrics,
                        call.method,
                        call.parts,
                        received,
                        &call.signed,
                        budget
                    )))
                    .await
                {
                    match answered {
                        Ok(reply) => return Ok(reply),
                        Err(why) => unable = Some(why),
                    }
                }
                received.read(call.method, budget)
            }
            Err(not_taken) => Err(not_taken),
        };
        let mut payload = match taken {
            Ok(payload) => payload,
            Err(NotAccepted::OverBudget(excess)) => return Err(excess),
            Err(NotAccepted::Bad(BadBody { failure, echo })) => {
                let echo = echo.and_then(|payload| echo::payload(call.method, payload));
                return Ok(self.refuse(*failure, call, echo));
            }
        };
        let answered = match unable {
            Some(unable) => Err(ApiError::from(unable).into()),
            None => Box::pin(self.answer_checked(call, &mut payload)).await,
        };
        Ok(match answered {
            Ok(reply) => reply.in_history(|| self.auth.directory().history()),
            Err(failure) => {
                let echo = match call.method.input {
                    Some(_) => echo::payload(call.method, payload.json),
                    None => echo::text(call.method, &payload.text),
                };
                self.refuse(failure, call, echo)
            }
        })
    }

    /// Whether the MAC over the head holds, so that this caller may send more than a stranger.
    async fn may_send_more(&self, call: &Call<'_>, excess: OverBudget, budget: &Budget) -> Result<(), Failure> {
        if call.method.scopes.is_some() && is_known(&call.signed.authenticate_head(&self.auth).await?)? {
            return Ok(());
        }
        let whom = if call.method.scopes.is_some() { " without credentials that are valid for it" } else { "" };
        Err(Failure::with_status(excess.status(), format!("{}, which is what {} takes{whom}", excess.text(budget), call.method.name)))
    }

    async fn answer_checked(&self, call: &Call<'_>, payload: &mut Payload) -> Answer {
        let Call { method, params, parts, query, signed } = call;
        let demanded = demanded_revision(parts)?;
        let authenticated = async |payload: &Payload| match method.scopes {
            None if !self.is_restricted(method) => Ok(self.auth.nobody()),
            _ => verification(pin!(signed.authenticate(&self.auth, payload.hashed()))).await,
        };
        let mut who = authenticated(payload).await?;
        if let Some(wanted) = demanded.filter(|wanted| !self.auth.has_reached(*wanted)) {
            // Waiting takes a place and a look at the store: that is for callers who are known.
            if !who.caller().is_ok_and(|caller| caller.client_id.is_some()) {
                return Err(revision_not_seen());
            }
            self.wait_for(wanted).await?;
            who = authenticated(payload).await?;
        }
        self.authorize(method, params, &who)?;
        check_params(method, params)?;
        query.check(method).map_err(|text| Failure::new(Code::InvalidRequestArguments, text))?;
        if method.input.is_some() {
            self.check_body(method, payload)?;
        }
        self.refuse_replay(method, &who).await?;
        let uptime_seconds = (self.auth.now_ms() - self.started_ms).max(0) as f64 / 1000.0;
        let mut request = Request {
            auth: &self.auth,
            metrics: &self.metrics,
            params,
            query,
            body: payload,
            signed,
            headers: &parts.headers,
            who: &who,
            uptime_seconds,
        };
        self.handle(method, &mut request).await
    }

    /// The scopes of methods that need nothing but the path. The others are authorized by their use case.
    fn authorize(&self, method: &Method, params: &PathParams, who: &Authentication) -> Result<(), Failure> {
        if self.is_restricted(method) {
            return Ok(who.require(&Expression::Scope(WHOLE_LISTS.to_owned()))?);
        }
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

    /// Whether the settings keep the method for services that may have whole lists of scopes.
    fn is_restricted(&self, method: &Method) -> bool {
        method.call == falconer_wire::Call::AuthenticateHawk && self.settings.limits.lists_need_scope
    }

    pub(super) fn template(&self, call: falconer_wire::Call) -> Option<&Template> {
        self.templates.iter().find(|(c, _)| *c == call).map(|(_, template)| template)
    }

    fn check_body(&self, method: &Method, payload: &mut Payload) -> Result<(), Failure> {
        if !payload.is_json {
            let given = payload.content_type.as_deref().unwrap_or("null");
            return Err(Failure::new(
                Code::MalformedPayload,
                format!("Payload must be JSON with content-type: application/json got content-type: {}", echo::shown(given)),
            ));
        }
        handlers::check_limits(&payload.json)?;
        self.schemas.check(method, self.settings.public_origin.as_str(), &mut payload.json).map_err(|violations| match violations {
            Some(text) => Failure::new(Code::InputValidationError, text),
            None => Failure::internal(format!("the schema of {}'s body did not compile", method.name)),
        })
    }

    /// Where each signature may change something once only: a second use of this one. What this server remembers needs no store; what it sees for the first time
    /// may have been used on another one.
    async fn refuse_replay(&self, method: &Method, who: &Authentication) -> Result<(), Failure> {
        let (Some(replays), Some(mac)) = (&self.replays, who.header_mac()) else { return Ok(()) };
        if !method.changes() || who.caller().is_err() {
            return Ok(());
        }
        let is_first = replays.first_use(mac, self.auth.now_ms())
            && self.auth.is_first_of_all_nodes(&replays::name(mac), replays::LIFETIME_MS).await?;
        if is_first { Ok(()) } else { Err(ApiError::from(Reason::Replayed).into()) }
    }

    /// A proxy that does not pass on what was signed makes every call a 401. Nobody but the operator can mend that.
    fn warn_of_other_site(&self, parts: &Parts, seen: &str) {
        let header = |name: &str| parts.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        tracing::warn!(
            peer = parts.extensions.get::<crate::Peer>().map(|peer| peer.0.to_string()).unwrap_or_default(),
            seen = ?seen,
            forwarded_proto = ?header("x-forwarded-proto"),
            forwarded_port = ?header("x-forwarded-port"),
            root_url = self.settings.public_origin.as_str(),
            "a call is signed for another host or port than root_url and hawk_origins, and refused: look at what the proxy passes on, at trusted_proxies, and at where the client thinks that Falconer is (said at most once a minute)"
        );
    }

    /// Waits, at most a second, until this node answers from a revision.
    async fn wait_for(&self, wanted: AtLeast) -> Result<(), Failure> {
        match tokio::time::timeout(AT_LEAST_WAIT, self.auth.wait_for(wanted)).await {
            Ok(WaitOutcome::Reached) => Ok(()),
            Ok(WaitOutcome::OtherHistory) => Err(Failure::new(
                Code::RequestConflict,
                "The revision of Falconer-At-Least belongs to another history of the database: a backup was restored, so read again what you rely on",
            )),
            Ok(WaitOutcome::NotKnown(error)) => Err(error.into()),
            Ok(WaitOutcome::TooMany) => Err(Failure::unavailable("Too many requests wait for a revision; try again in a moment")),
            Err(_) => Err(revision_not_seen()),
        }
    }

    /// Writes an error down. What only the log may know goes to the log, with the incident that the caller is told.
    fn refuse(&self, failure: Failure, call: &Call<'_>, payload: Option<Value>) -> Reply {
        let mut text = failure.text;
        if failure.code == Code::InternalServerError {
            let incident = fresh_uuid(self.random.as_ref());
            tracing::error!(%incident, method = call.method.name, detail = failure.detail.as_deref().unwrap_or_default(), "internal error");
            text = format!("Internal Server Error, incidentId {incident}.");
        } else if let Some(detail) = &failure.detail {
            tracing::warn!(method = call.method.name, detail, "refused");
        }
        let info = RequestInfo {
            method: call.method.name.to_owned(),
            params: call.params.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect(),
            payload,
            time: date_time::format_ms(self.auth.now_ms()),
        };
        let status = failure.status;
        let body = ErrorBody::with_status(failure.code, status.as_u16(), &text, info);
        let mut reply = Reply { reason: failure.reason, ..Reply::json_with(status, &body) };
        if status == StatusCode::REQUEST_TIMEOUT {
            // The rest of the body would be read as the next request.
            reply = reply.with(CONNECTION, HeaderValue::from_static("close"));
        }
        if failure.code == Code::AuthenticationFailed {
            reply = reply.with(WWW_AUTHENTICATE, HeaderValue::from_static("hawk")).with_time(self.auth.now_ms());
        }
        if let Some(why) = failure.why {
            let parts = call.signed.parts().ok();
            let id = self.auth.note_refusal(NewRefusal { by: RefusedBy::Api, parts, why: *why, payload_hash: None });
            reply = reply.refused_as(&id);
        }
        if let Some(seconds) = failure.retry_after {
            reply = reply.with(RETRY_AFTER, HeaderValue::from(seconds));
        }
        reply
    }
}

/// Whether these are the credentials of somebody, and hold. Errors: the 401.
fn is_known(who: &Authentication) -> Result<bool, Failure> {
    Ok(who.caller()?.client_id.is_some())
}

/// What `Falconer-At-Least` names.
fn demanded_revision(parts: &Parts) -> Result<Option<AtLeast>, Failure> {
    let wanted = match the_only(&parts.headers, &AT_LEAST) {
        Ok(None) => return Ok(None),
        Ok(Some(header)) => header.to_str().ok().and_then(|text| text.trim().parse().ok()),
        Err(Several) => None,
    };
    let wrong = || Failure::new(Code::InvalidRequestArguments, "Falconer-At-Least must be a revision, as Falconer-Revision gives it");
    wanted.map(Some).ok_or_else(wrong)
}

fn revision_not_seen() -> Failure {
    Failure::unavailable("This node has not seen the revision that Falconer-At-Least demands; try again in a moment")
}

fn check_params(method: &Method, params: &PathParams) -> Result<(), Failure> {
    let wrong: Vec<String> = method
        .params
        .iter()
        .zip(params)
        .filter_map(|(declared, (name, value))| {
            let pattern = declared.pattern?;
            (!(pattern.matches)(value)).then(|| {
                format!("URL parameter '{name}' given as '{}' must match regular expression: '/{}/'", echo::shown(value), pattern.source)
            })
        })
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Code::InvalidRequestArguments, format!("Invalid URL patterns:\n{}", wrong.join("\n"))))
}
