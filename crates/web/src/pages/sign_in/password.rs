//! Change the password of a local account.

use axum::response::Response;
use falconer_login::{LoginError, Session};
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::refusal::ForNow;
use crate::pages::sign_in::reauthentication;
use crate::pages::visit::{Posted, Visit, go};
use crate::views::{PasswordPage, html};

/// `GET /me/password`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    match &visit.session {
        None => Ok(go("/login?next=/me/password")),
        Some(session) if session.account_name().is_none() => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "You have no password here",
            format!("You sign in with {}: change your password there.", session.identity.split('/').next().unwrap_or_default()),
        )
        .with_link("/", "Go to your own page")),
        Some(session) if !visit.web.login.is_fresh(session) => Ok(reauthentication::first("/me/password")),
        Some(session) => Ok(page(&visit, session, StatusCode::OK, None)),
    }
}

/// `POST /me/password`: ends the person's other sessions, and their grants if so wished.
pub(crate) async fn change(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let show_again = |status, error: String| Ok(page(visit, session, status, Some(error)));
    let new = form.field("new");
    if new != form.field("repeat") {
        return show_again(StatusCode::BAD_REQUEST, "The two new passwords differ.".to_owned());
    }
    match visit.web.login.change_password(session, form.field("old"), new, true, form.ticked("revoke_grants")).await {
        Ok(()) => Ok(go("/?done=password")),
        Err(LoginError::Invalid(text)) => show_again(StatusCode::BAD_REQUEST, sentence(&text)),
        // No password goes round with a form.
        Err(LoginError::SignInAgain) => Ok(reauthentication::first("/me/password")),
        Err(LoginError::WrongPassword) => show_again(StatusCode::FORBIDDEN, "The present password is wrong.".to_owned()),
        Err(error) => {
            let for_now = ForNow::of(error)?;
            Ok(for_now.on(page(visit, session, for_now.status, Some(for_now.text.clone()))))
        }
    }
}

fn page(visit: &Visit, session: &Session, status: StatusCode, error: Option<String>) -> Response {
    let page = PasswordPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        name: session.account_name().unwrap_or_default().to_owned(),
        asks_old: visit.web.login.needs_old_password(session),
        error,
    };
    html(status, Row::Page, &page)
}
