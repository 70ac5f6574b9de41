//! The first administrator's account, behind the set-up link.

use axum::response::Response;
use falconer_login::LoginError;
use http::StatusCode;
use http::header::SET_COOKIE;

use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::sign_in::login;
use crate::pages::visit::{Posted, Visit, go};
use crate::views::{SetupPage, html};

/// `GET /setup?token=`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let token = visit.parameter("token").unwrap_or_default();
    if !visit.web.login.setup_link_valid(&token).await? {
        return Err(over());
    }
    Ok(page(&visit, StatusCode::OK, SetupPage { token, ..empty(&visit) }))
}

/// `POST /setup`: makes the account and signs in.
pub(crate) async fn complete(form: Posted) -> Result<Response, Problem> {
    let visit = &form.visit;
    let filled = |error: String| SetupPage {
        token: form.typed("token"),
        error: Some(error),
        name: form.typed("name"),
        display_name: form.typed("display_name"),
        email: form.typed("email"),
        ..empty(visit)
    };
    let show_again = |status, error: String| Ok(page(visit, status, filled(error)));
    if !form.has_form_token() {
        return show_again(
            StatusCode::FORBIDDEN,
            "That form was too old, or your browser takes no cookies. Please try once more.".to_owned(),
        );
    }
    let login = &visit.web.login;
    if !login.setup_link_valid(form.field("token")).await? {
        return Err(over());
    }
    let password = form.field("password");
    if password != form.field("repeat") {
        return show_again(StatusCode::BAD_REQUEST, "The two passwords differ.".to_owned());
    }
    let name = form.field("name").trim();
    let display_name = match form.field("display_name").trim() {
        "" => name,
        given => given,
    };
    let email = Some(form.field("email").trim()).filter(|email| !email.is_empty());
    match login.complete_setup(form.field("token"), name, display_name, email, password, &visit.visitor()).await {
        Ok(signed_in) => login::begin(visit, &signed_in, "/").await,
        // The account may have been made: signing in can be tried.
        Err(LoginError::OutcomeUnknown(_) | LoginError::SignedOut) => Ok(go("/login?done=maybe-set-up")),
        Err(LoginError::Invalid(text)) => show_again(StatusCode::BAD_REQUEST, sentence(&text)),
        Err(LoginError::Conflict(text)) => show_again(StatusCode::CONFLICT, sentence(&text)),
        Err(error) => Err(error.into()),
    }
}

fn over() -> Problem {
    Problem::new(
        StatusCode::GONE,
        "This set-up link is used or over",
        "Links last an hour and work once. Whoever runs this server can make another with `falconer setup-link`.",
    )
    .with_link("/login", "Sign in")
}

fn empty(visit: &Visit) -> SetupPage {
    SetupPage {
        layout: visit.layout(),
        form: String::new(),
        token: String::new(),
        error: None,
        name: String::new(),
        display_name: String::new(),
        email: String::new(),
    }
}

fn page(visit: &Visit, status: StatusCode, page: SetupPage) -> Response {
    let (form, cookie) = visit.form_token();
    let mut response = html(status, Row::Page, &SetupPage { form, ..page });
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
