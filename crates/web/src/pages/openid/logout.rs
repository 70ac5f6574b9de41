//! `/login/oauth/logout`: an application asks that the person signs out here too (OpenID Connect RP-Initiated Logout 1.0). The person decides.

use axum::response::Response;
use falconer_grants::LogoutRequest;
use http::StatusCode;
use http::header::SET_COOKIE;

use crate::http::cookie;
use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::granting::grant;
use crate::pages::oauth::authorize::by_link;
use crate::pages::visit::{Posted, Visit, go, person_line};
use crate::views::{LogoutPage, html};

/// `GET /login/oauth/logout`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let request = read(&visit, &visit.query)?;
    let Some(session) = &visit.session else {
        return match request.location {
            Some(location) if !request.is_trusted => Err(by_link(location, StatusCode::OK, "You are signed out")),
            _ => leave(&request),
        };
    };
    let page = LogoutPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        request: visit.query.clone(),
        application: request.application,
        person: person_line(session),
    };
    let loopback = request.location.as_deref().is_some_and(|location| location.starts_with("http:"));
    Ok(html(StatusCode::OK, if request.location.is_some() { Row::Grant { loopback } } else { Row::Page }, &page))
}

/// `POST /login/oauth/logout`: the person has pressed the button.
pub(crate) async fn sign_out(form: Posted) -> Result<Response, Problem> {
    let visit = &form.visit;
    if visit.session.is_some() {
        visit.web.login.sign_out(form.session()?).await?;
    }
    let mut response = leave(&read(visit, form.field("request"))?)?;
    response.headers_mut().append(SET_COOKIE, cookie::clear(&visit.web.settings.public_origin));
    Ok(response)
}

fn read(visit: &Visit, query: &str) -> Result<LogoutRequest, Problem> {
    visit.web.grants.logout_request(query, visit.web.settings.public_origin.as_str()).map_err(|why| {
        let next = format!("The application that sent you here made a mistake. {}", sentence(&why));
        Problem::new(StatusCode::BAD_REQUEST, "This request can't be followed", next).with_link("/", "Go to your own page")
    })
}

fn leave(request: &LogoutRequest) -> Result<Response, Problem> {
    match &request.location {
        Some(location) => grant::deliver(location),
        None => Ok(go("/login?done=signed-out")),
    }
}
