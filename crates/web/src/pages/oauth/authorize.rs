//! `/login/oauth/authorize`: the grant page for an application, and what is pressed there.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use falconer_grants::{AuthorizationError, GrantRequest, Prompt, encode_component};
use falconer_login::Session;
use http::StatusCode;

use super::{endpoints, unanswerable};
use crate::Web;
use crate::http::problem::Problem;
use crate::pages::granting::{Places, grant, sign_in_first};
use crate::pages::sign_in::reauthentication;
use crate::pages::visit::{Posted, Visit, go};

const PLACE: &str = "/login/oauth/authorize";

/// `GET /login/oauth/authorize`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let is_signed_in = visit.session.is_some();
    if visit.looks_ahead && visit.web.grants.is_first_brought(&visit.query) {
        return Err(looked_ahead());
    }
    match visit.web.grants.begin_pushed(&visit.query).await {
        // At the address of what has begun, so that the page can be loaded again.
        Ok(Some(query)) => return Ok(go(&format!("{PLACE}?{query}"))),
        Ok(None) => {}
        Err(error) => return refused(error, is_signed_in),
    }
    match at_hand(&visit, &visit.query).await {
        Ok(Some(sign_in)) => return Ok(sign_in),
        Ok(None) => {}
        Err(error) => return refused(error, is_signed_in),
    }
    let request = match authorization(&visit, &visit.query) {
        Ok(request) => request,
        Err(error) => return refused(error, is_signed_in),
    };
    match &visit.session {
        None if prompt_of(&request) == Prompt::Nothing => refused_with(&request, "login_required"),
        None => Ok(sign_in_first(&request)),
        Some(session) if visit.web.grants.is_somebody_else(&request, session) => refused_with(&request, "login_required"),
        Some(session) => match must_sign_in(&visit, session, &request) {
            Some(true) => refused_with(&request, "login_required"),
            Some(false) => Ok(reauthentication::anew(&format!("{}?{}", Places::of(&request).page, request.canonical_query()))),
            None => match grant::unasked(&visit, session, &request).await? {
                Some(answer) => Ok(answer),
                None if prompt_of(&request) == Prompt::Nothing => refused_with(&request, "consent_required"),
                None => grant::show(&visit, session, &request).await,
            },
        },
    }
}

/// Has the application that asks at hand. Nobody has a document read who is not known: the answer is a sign-in first.
async fn at_hand(visit: &Visit, query: &str) -> Result<Option<Response>, AuthorizationError> {
    match (visit.web.grants.is_by_document(query)?, &visit.session) {
        (true, None) => return Ok(Some(go(&format!("/login?next={}", encode_component(&format!("{PLACE}?{query}")))))),
        (true, Some(session)) => visit.web.grants.read_document(session, query).await?,
        (false, _) => visit.web.grants.look_for_application_of(query).await?,
    }
    Ok(None)
}

/// `POST /login/oauth/authorize`: the same request in a form (OpenID Connect Core 1.0 section 3.1.2.1). It comes from a page of somebody else, and nothing is done for it but
/// that the browser comes with the request in its address, as by a link.
pub(crate) async fn by_form(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Problem> {
    let query = match endpoints::form_as_query(&web, PLACE, request).await? {
        Ok(query) => query,
        Err(refused) => return Ok(refused.answer()),
    };
    match web.grants.is_by_document(&query) {
        Err(error) => return refused(error, false),
        Ok(is_by_document) if is_by_document || web.grants.is_pushed(&query) => return Ok(go(&format!("{PLACE}?{query}"))),
        Ok(_) => {}
    }
    if let Err(error) = web.grants.look_for_application_of(&query).await {
        return refused(error, false);
    }
    match web.grants.authorization(&query, web.settings.public_origin.as_str()) {
        // Who has signed in is known where the browser goes.
        Ok(_) | Err(AuthorizationError::AtApplication { is_trusted: false, .. }) => Ok(go(&format!("{PLACE}?{query}"))),
        Err(error) => refused(error, false),
    }
}

fn prompt_of(request: &GrantRequest) -> Prompt {
    request.openid().map(|openid| openid.prompt).unwrap_or_default()
}

/// Whether the person has to sign in although they are signed in: that the application wants it, or wants that it was not long ago. `Some(true)`: and may not be asked.
fn must_sign_in(visit: &Visit, session: &Session, request: &GrantRequest) -> Option<bool> {
    let openid = request.openid()?;
    let age_ms = visit.web.clock.now_ms().saturating_sub(session.proved_ms);
    let too_old = openid.max_age_seconds.is_some_and(|most| age_ms > most.saturating_mul(1000) || most == 0);
    (too_old || openid.prompt == Prompt::SignIn).then_some(openid.prompt == Prompt::Nothing)
}

fn refused_with(request: &GrantRequest, error: &'static str) -> Result<Response, Problem> {
    let location = request.refused_with(error).ok_or_else(Problem::internal)?;
    grant::deliver(&location)
}

/// `POST /login/oauth/authorize/decision`: the request comes from the form, and is checked as if it had just come.
pub(crate) async fn decision(form: Posted) -> Result<Response, Problem> {
    let is_signed_in = form.visit.session.is_some();
    if is_signed_in {
        form.session()?;
    }
    match at_hand(&form.visit, form.field("request")).await {
        Ok(Some(sign_in)) => return Ok(sign_in),
        Ok(None) => {}
        Err(error) => return refused(error, is_signed_in),
    }
    let request = match authorization(&form.visit, form.field("request")) {
        Ok(request) => request,
        Err(error) => return refused(error, is_signed_in),
    };
    if !form.ticked("cancel") {
        // Another person has signed in since the page was sent.
        if is_signed_in && form.visit.web.grants.is_somebody_else(&request, form.session()?) {
            return refused_with(&request, "login_required");
        }
        return grant::press(&form, &request).await;
    }
    form.visit.web.grants.forget_after_refusal(form.session()?, &request).await?;
    grant::give_up(&form, &request)
}

/// What an application asks for.
pub(crate) fn authorization(visit: &Visit, query: &str) -> Result<GrantRequest, AuthorizationError> {
    visit.web.grants.authorization(query, visit.web.settings.public_origin.as_str())
}

/// Nobody follows an address of an application that no administrator has registered without having signed in, but by a link that says where it leads (RFC 9700 section 4.11.2).
pub(crate) fn by_link(location: String, status: StatusCode, title: &str) -> Problem {
    let host = host_of(&location);
    let next =
        format!("An application at {host} has sent you here, and nobody of this server has checked it: go on only if you know {host}.");
    Problem::new(status, title, next).with_link(location, format!("Go on to {host}"))
}

/// The host of an address, as a page names it.
pub(crate) fn host_of(location: &str) -> String {
    url::Url::parse(location).ok().and_then(|location| location.host_str().map(str::to_owned)).unwrap_or_default()
}

/// What counts once is shown to whoever goes there, and not to what only looks: it would be used up before anybody has seen it.
fn looked_ahead() -> Problem {
    let next = "Nothing was done, and the request still counts. Open the address in the browser, as a page.";
    Problem::new(StatusCode::FORBIDDEN, "This page is not shown ahead of time", next)
}

/// Where it is not known to whom the answer belongs, a page says so, and nobody is sent anywhere.
fn refused(error: AuthorizationError, is_signed_in: bool) -> Result<Response, Problem> {
    match error {
        AuthorizationError::AtApplication { location, is_trusted } if is_trusted || is_signed_in => grant::deliver(&location),
        AuthorizationError::AtApplication { location, .. } => {
            Err(by_link(location, StatusCode::BAD_REQUEST, "This request can't be granted"))
        }
        error => Err(unanswerable::page_of(error, "granted", "Nothing was given to it")),
    }
}
