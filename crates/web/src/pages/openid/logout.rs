//! `/login/oauth/logout`: an application asks that the person signs out here too (OpenID Connect RP-Initiated Logout 1.0). The person decides.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use falconer_grants::LogoutRequest;
use http::StatusCode;
use http::header::SET_COOKIE;

use crate::Web;
use crate::http::cookie;
use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::granting::grant;
use crate::pages::oauth::authorize::{by_link, host_of};
use crate::pages::oauth::{endpoints, unanswerable};
use crate::pages::visit::{Posted, Visit, go, person_line};
use crate::views::{LogoutAsker, LogoutPage, html};

const PLACE: &str = "/login/oauth/logout";

/// `GET /login/oauth/logout`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let request = read(&visit.web, &visit.query).await?;
    let Some(session) = &visit.session else {
        return match request.location {
            Some(location) if !request.is_trusted => Err(by_link(location, StatusCode::OK, "You are signed out")),
            _ => leave(&request),
        };
    };
    let page = LogoutPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        asker: asker(&request),
        leads_to: request.location.as_deref().map(host_of),
        request: request.canonical,
        person: person_line(session),
    };
    let loopback = request.location.as_deref().is_some_and(|location| location.starts_with("http:"));
    Ok(html(StatusCode::OK, if request.location.is_some() { Row::Grant { loopback } } else { Row::Page }, &page))
}

/// `POST /login/oauth/logout`: the same request in a form (RP-Initiated Logout 1.0 section 2). It comes from a page of somebody else, and nothing is done for it but that
/// the browser comes with the request in its address, as by a link, and without the ID token.
pub(crate) async fn by_form(State(web): State<Arc<Web>>, request: Request) -> Result<Response, Problem> {
    let query = match endpoints::form_as_query(&web, PLACE, request).await? {
        Ok(query) => query,
        Err(refused) => return Ok(refused.answer()),
    };
    Ok(go(&format!("{PLACE}?{}", read(&web, &query).await?.canonical)))
}

/// `POST /login/oauth/logout/decision`: the person has pressed the button.
pub(crate) async fn decision(form: Posted) -> Result<Response, Problem> {
    let visit = &form.visit;
    if visit.session.is_some() {
        visit.web.login.sign_out(form.session()?).await?;
    }
    // Whatever has become of the application meanwhile, the person has signed out.
    let mut response = match read(&visit.web, form.field("request")).await {
        Ok(request) => leave(&request)?,
        Err(_) => signed_out(),
    };
    response.headers_mut().append(SET_COOKIE, cookie::clear(&visit.web.settings.public_origin));
    Ok(response)
}

async fn read(web: &Web, query: &str) -> Result<LogoutRequest, Problem> {
    web.grants.look_for_application_of(query).await.map_err(|error| unanswerable::page_of(error, "followed", "Nobody was signed out"))?;
    let request = web.grants.logout_request(query, web.settings.public_origin.as_str());
    request.map_err(|reason| unanswerable::page(&reason, "followed", "Nobody was signed out"))
}

fn asker(request: &LogoutRequest) -> Option<LogoutAsker> {
    let application = request.application.as_ref()?;
    Some(LogoutAsker {
        registered: application.is_registered().then(|| application.name().to_owned()),
        own_name: application.own_name().map(str::to_owned),
    })
}

fn leave(request: &LogoutRequest) -> Result<Response, Problem> {
    match &request.location {
        Some(location) => grant::deliver(location),
        None => Ok(signed_out()),
    }
}

fn signed_out() -> Response {
    go("/login?done=signed-out")
}
