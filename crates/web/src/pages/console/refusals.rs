//! Why a request was refused: the newest refusals of this node, and what was compared of one.

use axum::response::Response;
use falconer_auth::{ApiError, Explained, Refusal as Refused, RefusedFor};
use falconer_wire::{ExplainedRequest, Explanation};
use http::StatusCode;

use crate::api::{explanation, hints, refused_by, shown, verdict};
use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::console::records::{EXPLAIN, encode, lists, person, problem, sign_in};
use crate::pages::visit::Visit;
use crate::views::words;
use crate::views::{ExplainedView, Kind, RefusalRow, RefusalsPage, html};

/// So many are listed.
const ROWS: usize = 50;
const LONGEST: usize = 200;

/// `GET /auth/explain?id=`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, EXPLAIN.0)) };
    let (who, auth) = (person(session), &visit.web.auth);
    let now_ms = visit.web.clock.now_ms();
    let recent = auth.recent_refusals(&who, ROWS).map_err(problem)?;
    let acts = auth.console_acts(&who).map_err(problem)?;
    let id: String = visit.parameter("id").unwrap_or_default().trim().chars().take(LONGEST).collect();
    let (status, explained, error) = match if id.is_empty() { None } else { Some(auth.explain(&who, &id)) } {
        None => (StatusCode::OK, None, None),
        Some(Ok(explained)) => (StatusCode::OK, Some(view(&explained, acts.list_roles)), None),
        Some(Err(ApiError::ResourceNotFound(text))) => (StatusCode::NOT_FOUND, None, Some(sentence(&text))),
        Some(Err(error)) => return Err(problem(error)),
    };
    let page = RefusalsPage {
        layout: visit.layout(),
        others: lists(acts, EXPLAIN.0),
        rows: recent.iter().map(|refusal| row(refusal, now_ms)).collect(),
        id,
        explained,
        error,
    };
    Ok(html(status, Row::Page, &page))
}

fn row(refusal: &Refused, now_ms: i64) -> RefusalRow {
    let (_, reason, _) = verdict(&refusal.why);
    let proved = match &refusal.why {
        RefusedFor::Scopes { client_id, .. } => client_id.clone(),
        RefusedFor::Credentials(_) => None,
    };
    let seen = refusal.request();
    RefusalRow {
        href: format!("{}?id={}", EXPLAIN.0, encode(&refusal.id)),
        reason,
        is_proved: proved.is_some(),
        who: proved.or_else(|| refusal.claimed_id().map(str::to_owned)),
        request: format!("{} {}", seen.method.to_ascii_uppercase(), shown(seen.resource)).trim().to_owned(),
        site: if seen.host.is_empty() { String::new() } else { format!("{}:{}", seen.host, seen.port) },
        by: refused_by(refusal.by),
        at: words::since(refusal.at_ms, now_ms),
        at_machine: words::machine_time(refusal.at_ms),
    }
}

fn place(request: &ExplainedRequest) -> String {
    format!("{} {} at {}:{}", request.method.to_ascii_uppercase(), request.resource, request.host, request.port)
}

/// What `falconer why` prints, in the same order.
fn view(explained: &Explained, lists_roles: bool) -> ExplainedView {
    let explanation: Explanation = explanation(explained);
    let mut facts = vec![("Refused", format!("{} by {}", words::date_time(explained.refusal.at_ms), explanation.by))];
    if !explanation.request.host.is_empty() {
        facts.push(("Request", place(&explanation.request)));
    }
    let mut add = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    add("Client", explanation.client_id);
    add("Claimed client", explanation.claimed_id);
    add("Clock of the caller", explanation.clock_offset_seconds.map(clock));
    add("Signed payload hash", explanation.signed_hash);
    add("Hash of what arrived", explanation.payload_hash);
    add("Required", explanation.required.map(|expression| expression.to_string()));
    add("Missing", explanation.missing.map(|expression| expression.to_string()));
    add("The signature is right for", explanation.would_match.as_ref().map(place));
    ExplainedView {
        id: explanation.id,
        verdict: sentence(&explanation.message),
        hints: hints(explained, &explanation.reason),
        reason: explanation.reason,
        facts,
        roles: explanation
            .roles
            .into_iter()
            .map(|role| (lists_roles.then(|| Kind::Role.href(&role.role_id)), role.role_id, role.scope, role.gives))
            .collect(),
    }
}

fn clock(seconds: i64) -> String {
    match seconds {
        0 => "as this server's".to_owned(),
        1.. => format!("{seconds} seconds ahead"),
        _ => format!("{} seconds behind", seconds.unsigned_abs()),
    }
}
