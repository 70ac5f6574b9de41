//! A client for a program on the person's machine: the page that the `taskcluster signin` command opens.

use axum::response::Response;
use falconer_grants::{Offer, ToolChoices, ToolClient, ToolError, ToolRequest, encode_component};
use falconer_login::{LoginError, Session};
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::granting::grant::deliver;
use crate::pages::granting::lines;
use crate::pages::refusal::Refusal;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::pages::visit::{Posted, Visit, go, person_line};
use crate::views::words;
use crate::views::{Lifetime, TokenPage, ToolClientPage, html, secret_html};

/// `GET /auth/clients/create`, and `/auth/clients/new`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let request = tool_request(&visit.query)?;
    let Some(session) = &visit.session else { return Ok(sign_in(&request)) };
    let offer = visit.web.grants.tool_offer(session, &request)?;
    let chosen = ToolChoices {
        name: request.name.clone(),
        description: request.description.clone(),
        asked_at_ms: visit.web.clock.now_ms(),
        ..ToolChoices::default()
    };
    Ok(page(&visit, session, &request, &chosen, offer, StatusCode::OK, None))
}

/// `POST /auth/clients/create`: the redirect carries the credentials to the program.
pub(crate) async fn create(form: Posted) -> Result<Response, Problem> {
    let visit = &form.visit;
    if visit.session.is_none() {
        // The session ended while the page was open: sign-in leads back to the same request.
        return Ok(sign_in(&tool_request(form.field("request"))?));
    }
    let session = form.session()?;
    let request = tool_request(form.field("request"))?;
    let mut choices = ToolChoices {
        name: form.field("name").trim().to_owned(),
        form_time: form.field("form_time").to_owned(),
        visible_ms: form.field("visible_ms").parse().ok(),
        shown: form.field("shown").to_owned(),
        ticked: form.ticks(),
        everything: form.ticked("everything"),
        broad: form.ticked("broad"),
        lifetime_ms: form.field("lifetime").parse().unwrap_or_default(),
        asked_at_ms: form.field("asked_at").parse().unwrap_or_default(),
        // A browser sends the ends of lines as two characters.
        description: form.field("description").replace("\r\n", "\n"),
    };
    let (status, offer, error) = match visit.web.grants.create_tool_client(session, &request, &choices).await {
        Ok(created) => return answer(visit, &created),
        Err(ToolError::Review { offer, reason }) => (StatusCode::CONFLICT, offer, reason.to_owned()),
        Err(ToolError::Invalid { offer, reason }) => (StatusCode::UNPROCESSABLE_ENTITY, offer, reason),
        Err(ToolError::TooOld { offer, reason }) => {
            choices.asked_at_ms = visit.web.clock.now_ms();
            (StatusCode::CONFLICT, offer, reason.to_owned())
        }
        Err(ToolError::Refused { offer, error }) => {
            let refusal = Refusal::of(error)?;
            (refusal.status, offer, refusal.text)
        }
        Err(ToolError::Login(LoginError::SignInAgain)) => return reauthentication::keep(&form, session, KeptForm::ToolClient).await,
        Err(ToolError::Login(error)) => return Err(error.into()),
    };
    Ok(page(visit, session, &request, &choices, *offer, status, Some(error)))
}

fn tool_request(query: &str) -> Result<ToolRequest, Problem> {
    ToolRequest::parse(query).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, "This client can't be created", format!("{error} Nothing was created."))
            .with_link("/", "Go to your own page")
    })
}

fn path(request: &ToolRequest) -> String {
    format!("/auth/clients/create?{}", request.query())
}

fn sign_in(request: &ToolRequest) -> Response {
    go(&format!("/login?next={}", encode_component(&path(request))))
}

fn answer(visit: &Visit, created: &ToolClient) -> Result<Response, Problem> {
    if let Some(location) = &created.location {
        return deliver(location);
    }
    let page = TokenPage {
        layout: visit.layout(),
        title: "The client was created".to_owned(),
        client_id: created.client_id.clone(),
        access_token: created.access_token.clone(),
        ends: Some(words::date_time(created.expires_ms)),
        old_ends: None,
    };
    Ok(secret_html(Row::Page, &page))
}

fn page(
    visit: &Visit,
    session: &Session,
    request: &ToolRequest,
    chosen: &ToolChoices,
    offer: Offer,
    status: StatusCode,
    error: Option<String>,
) -> Response {
    let page = ToolClientPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        form_time: visit.web.login.form_time(session),
        shown: offer.shown,
        request: request.query().to_owned(),
        asked_at_ms: chosen.asked_at_ms,
        asked_at: words::date_time(chosen.asked_at_ms),
        callback: request.callback.as_ref().map(|callback| callback.origin().to_owned()),
        error,
        person: person_line(session),
        name: chosen.name.clone(),
        description: chosen.description.clone(),
        bundles: lines::bundles(offer.everything, offer.broad, ""),
        groups: lines::groups(offer.lines, false),
        lifetimes: offer
            .lifetimes
            .into_iter()
            .map(|lifetime| Lifetime { checked: lifetime.ms == offer.default_lifetime_ms, value: lifetime.ms, label: lifetime.label })
            .collect(),
        here: path(request),
    };
    html(status, Row::Tool, &page)
}
