//! Sign in, sign out.

use axum::response::Response;
use falconer_grants::request;
use falconer_login::{LoginError, SignedIn};
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use crate::PublicOrigin;
use crate::http::cookie::{self, Kind};
use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::metrics::{LOCAL, SignIn};
use crate::pages::granting::continue_to;
use crate::pages::sign_in::{other_ways, provider};
use crate::pages::visit::{BROWSER_SECONDS, Posted, Visit, go, go_after_form, own_path};
use crate::views::words;
use crate::views::{Layout, LoginPage, html};

/// `GET /login`: the query of a grant's request leads back to it; `next` to another page of ours.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let next = match request::parse(&visit.query, visit.web.clock.now_ms()) {
        Ok(Some(grant_request)) => format!("/?{}", grant_request.canonical_query()),
        // The grant page says what is wrong with the request; it is not lost here.
        Err(_) => format!("/?{}", visit.query),
        Ok(None) => own_path(&visit.parameter("next").unwrap_or_default()).to_owned(),
    };
    if visit.session.is_some() {
        let is_password_set = visit.parameter("done").as_deref() == Some("password-set");
        return Ok(go(if is_password_set { "/?done=password-set" } else { own_path(&next) }));
    }
    // A site that knows where its people sign in says so; a name that is none changes nothing.
    if let Some(hint) = visit.parameter("provider")
        && visit.web.login.provider(&hint).is_ok()
    {
        return Ok(go(&provider::path(&hint, &next)));
    }
    let notice = match visit.parameter("done").as_deref() {
        Some("signed-out") => Some("You are signed out."),
        Some("password-set") => Some("Your password is set. Sign in with it."),
        Some("maybe-set-up") => Some("The account may have been made: try to sign in. If you can't, open the set-up link once more."),
        Some("signed-out-everywhere") => Some("You are signed out everywhere."),
        _ => None,
    };
    Ok(page(&visit, StatusCode::OK, next, String::new(), None, notice))
}

/// `POST /login`
pub(crate) async fn sign_in(form: Posted) -> Result<Response, Problem> {
    let visit = &form.visit;
    let next = own_path(form.field("next")).to_owned();
    let name = form.typed("name");
    if !form.has_form_token() {
        let notice = "That form was too old, or your browser takes no cookies. Please sign in once more.";
        return Ok(page(visit, StatusCode::FORBIDDEN, next, name, None, Some(notice)));
    }
    let outcome = visit.web.login.sign_in_local(form.field("name"), form.field("password"), &visit.visitor()).await;
    visit.web.metrics.people.signed_in(LOCAL, outcome.as_ref().map_or_else(SignIn::of_login, |_| SignIn::Success));
    let (status, error, retry_after_seconds) = match outcome {
        Ok(signed_in) => return begin(visit, &signed_in, &next).await,
        Err(error @ (LoginError::WrongPassword | LoginError::Invalid(_))) => (StatusCode::FORBIDDEN, error.to_string(), None),
        Err(LoginError::Throttled { retry_after_seconds }) => {
            let wait = words::wait(retry_after_seconds);
            let error = format!("Too many attempts. Wait {wait} before you try again.");
            (StatusCode::TOO_MANY_REQUESTS, error, Some(retry_after_seconds))
        }
        Err(error @ LoginError::TooBusy) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string(), Some(1)),
        Err(error) => return Err(error.into()),
    };
    let mut response = page(visit, status, next, name, Some(error), None);
    if let Some(seconds) = retry_after_seconds {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Ok(response)
}

/// The answer that begins a session. The one that the browser had ends: nobody could find it any more to end it.
pub(crate) async fn begin(visit: &Visit, signed_in: &SignedIn, next: &str) -> Result<Response, Problem> {
    begin_with(visit, signed_in, go_after_form(visit.layout(), next)).await
}

/// The same with another answer than a redirect.
pub(crate) async fn begin_with(visit: &Visit, signed_in: &SignedIn, mut response: Response) -> Result<Response, Problem> {
    if let Some(old) = &visit.session {
        // Whatever began the session is done, such as the use of a code: without this answer the person would have neither. The old one ends by itself.
        if let Err(error) = visit.web.login.replace_session(old, &signed_in.session).await {
            tracing::warn!(%error, "a session could not be ended by the one that takes its place");
        }
    }
    let seconds = (signed_in.session.expires_ms - visit.web.clock.now_ms()).max(0) / 1000;
    let cookie = cookie::set(&visit.web.settings.public_origin, Kind::Session, &signed_in.cookie_value, Some(seconds));
    response.headers_mut().append(SET_COOKIE, cookie.map_err(|_| Problem::internal())?);
    // The browser keeps it for longer again.
    let browser = visit.form_cookie.as_deref();
    let browser = browser.and_then(|value| cookie::set(&visit.web.settings.public_origin, Kind::Form, value, Some(BROWSER_SECONDS)).ok());
    if let Some(cookie) = browser {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `POST /logout`: a session that has ended already is no error.
pub(crate) async fn sign_out(form: Posted) -> Result<Response, Problem> {
    let visit = &form.visit;
    if visit.session.is_some() {
        visit.web.login.sign_out(form.session()?).await?;
    }
    let next = match own_path(form.field("next")) {
        "/" => "/login?done=signed-out",
        next => next,
    };
    Ok(forget(&visit.web.settings.public_origin, next))
}

/// The answer that ends a session.
pub(crate) fn forget(origin: &PublicOrigin, next: &str) -> Response {
    let ended = next.starts_with("/login?done=");
    let mut response = if ended { go(next) } else { go_after_form(Layout::anonymous(origin), next) };
    response.headers_mut().append(SET_COOKIE, cookie::clear(origin));
    response
}

pub(super) fn page(visit: &Visit, status: StatusCode, next: String, name: String, error: Option<String>, notice: Option<&str>) -> Response {
    let (form, cookie, browser) = visit.form_token_and_browser();
    let page = LoginPage {
        layout: visit.layout(),
        providers: provider::buttons(visit, &next),
        // Whoever has just read that something was refused is not asked again unless they press the button.
        passkey: other_ways::passkey_form(visit.web.login.offer_passkey(&browser), &form, &next, error.is_none()),
        form,
        continue_to: continue_to(visit, &next),
        next,
        name,
        forgotten: visit.web.login.mails_links(),
        error,
        notice: notice.map(str::to_owned),
    };
    let mut response = html(status, Row::Script, &page);
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
