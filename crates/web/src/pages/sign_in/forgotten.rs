//! A forgotten password. The answer is the same whoever is asked for; what comes of it is in the mail. The request under way stays on this page.

use axum::response::Response;
use falconer_grants::encode_component;
use falconer_login::LoginError;
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use crate::api::mailed_site;
use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::visit::{Posted, Visit, go, own_path};
use crate::views::words;
use crate::views::{ForgottenPage, html};

/// What was typed, and what came of it.
#[derive(Default)]
struct Typed {
    next: String,
    who: String,
    sent: bool,
    error: Option<String>,
}

/// `GET /login/forgotten?next=`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    if !visit.web.login.mails_links() {
        return Err(Problem::not_found());
    }
    let next = own_path(&visit.parameter("next").unwrap_or_default()).to_owned();
    if visit.session.is_some() {
        return Ok(go(&next));
    }
    let sent = visit.parameter("done").as_deref() == Some("sent");
    Ok(page(&visit, StatusCode::OK, Typed { next, sent, ..Typed::default() }))
}

/// `POST /login/forgotten`
pub(crate) async fn send(form: Posted) -> Result<Response, Problem> {
    let visit = &form.visit;
    let next = own_path(form.field("next")).to_owned();
    let show_again = |error: String| Typed { next: next.clone(), who: form.typed("who"), sent: false, error: Some(error) };
    if !visit.web.login.mails_links() {
        return Err(Problem::not_found());
    }
    if !form.has_form_token() {
        let error = "That form was too old, or your browser takes no cookies. Please try once more.";
        return Ok(page(visit, StatusCode::FORBIDDEN, show_again(error.to_owned())));
    }
    let site = mailed_site(&visit.web.settings.public_origin);
    match visit.web.login.mail_forgotten(form.field("who"), &site, &visit.visitor()).await {
        Ok(()) => Ok(go(&format!("/login/forgotten?done=sent&next={}", encode_component(&next)))),
        Err(LoginError::Invalid(text)) => Ok(page(visit, StatusCode::BAD_REQUEST, show_again(sentence(&text)))),
        Err(LoginError::Throttled { retry_after_seconds }) => {
            let wait = words::wait(retry_after_seconds);
            let error = format!("Too many mails were asked for. Use the newest one that you got, or wait {wait}.");
            let mut response = page(visit, StatusCode::TOO_MANY_REQUESTS, show_again(error));
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            Ok(response)
        }
        Err(error) => Err(error.into()),
    }
}

fn page(visit: &Visit, status: StatusCode, typed: Typed) -> Response {
    let (form, cookie) = visit.form_token();
    let Typed { next, who, sent, error } = typed;
    let mut response = html(status, Row::Page, &ForgottenPage { layout: visit.layout(), form, next, who, sent, error });
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
