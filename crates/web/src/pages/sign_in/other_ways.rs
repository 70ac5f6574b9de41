//! Signing in without a password: with a passkey, or with a recovery code.

use axum::response::Response;
use falconer_login::{Assertion, LoginError, PasskeyError, SignInOffer};
use http::StatusCode;
use http::header::SET_COOKIE;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::metrics::{LOCAL, SignIn};
use crate::pages::refusal::ForNow;
use crate::pages::sign_in::{login, passkeys};
use crate::pages::visit::{Posted, Visit, go, own_path};
use crate::views::{PasskeyForm, RecoveryPage, html};

const TOO_OLD: &str = "That form was too old, or your browser takes no cookies. Please sign in once more.";

/// The form that asks for a passkey, where there are any.
pub(super) fn passkey_form(offer: Option<SignInOffer>, form: &str, next: &str, conditional: bool) -> Option<PasskeyForm> {
    offer.map(|offer| PasskeyForm {
        action: "/login/passkey",
        button: "Sign in with a passkey",
        conditional,
        token_name: "form",
        token: form.to_owned(),
        next: next.to_owned(),
        challenge: offer.challenge,
        ceremony: offer.ceremony,
        relying_party: offer.relying_party,
        kept: Vec::new(),
    })
}

/// What a form of [`passkey_form`] brings.
pub(super) fn assertion(form: &Posted) -> Assertion<'_> {
    Assertion {
        ceremony: form.field("ceremony"),
        id: form.field("id"),
        client_data: form.field("client_data"),
        authenticator_data: form.field("authenticator_data"),
        signature: form.field("signature"),
        user: form.field("user"),
    }
}

/// `POST /login/passkey`
pub(crate) async fn sign_in_passkey(form: Posted) -> Result<Response, Problem> {
    let visit = &form.visit;
    let next = own_path(form.field("next")).to_owned();
    if !form.has_form_token() {
        return Ok(login::page(visit, StatusCode::FORBIDDEN, next, String::new(), None, Some(TOO_OLD)));
    }
    let outcome = visit.web.login.sign_in_passkey(&assertion(&form), &visit.visitor()).await;
    visit.web.metrics.people.signed_in(LOCAL, outcome.as_ref().map_or_else(SignIn::of_passkey, |_| SignIn::Success));
    let (status, error) = match outcome {
        Ok(signed_in) => return login::begin(visit, &signed_in, &next).await,
        Err(PasskeyError::Login(LoginError::SignedOut)) => (StatusCode::FORBIDDEN, "Your account here is not active.".to_owned()),
        Err(error) => passkeys::refusal(error)?,
    };
    Ok(login::page(visit, status, next, String::new(), Some(error), None))
}

/// `GET /login/recovery?next=`
pub(crate) async fn show_recovery(visit: Visit) -> Result<Response, Problem> {
    let next = own_path(&visit.parameter("next").unwrap_or_default()).to_owned();
    if visit.session.is_some() {
        return Ok(go(&next));
    }
    Ok(recovery_page(&visit, StatusCode::OK, next, String::new(), None))
}

/// `POST /login/recovery`
pub(crate) async fn sign_in_recovery(form: Posted) -> Result<Response, Problem> {
    let visit = &form.visit;
    let (next, name) = (own_path(form.field("next")).to_owned(), form.typed("name"));
    if !form.has_form_token() {
        return Ok(recovery_page(visit, StatusCode::FORBIDDEN, next, name, Some(TOO_OLD.to_owned())));
    }
    let outcome = visit.web.login.sign_in_recovery(form.field("name"), form.field("code"), &visit.visitor()).await;
    visit.web.metrics.people.signed_in(LOCAL, outcome.as_ref().map_or_else(SignIn::of_login, |_| SignIn::Success));
    let (status, error) = match outcome {
        Ok(signed_in) => return login::begin(visit, &signed_in, &next).await,
        Err(LoginError::WrongPassword) => (StatusCode::FORBIDDEN, "The name or the code is wrong, or the code was used before.".to_owned()),
        Err(error @ LoginError::Invalid(_)) => (StatusCode::FORBIDDEN, error.to_string()),
        Err(error) => {
            let for_now = ForNow::of(error)?;
            return Ok(for_now.on(recovery_page(visit, for_now.status, next, name, Some(for_now.text.clone()))));
        }
    };
    Ok(recovery_page(visit, status, next, name, Some(error)))
}

fn recovery_page(visit: &Visit, status: StatusCode, next: String, name: String, error: Option<String>) -> Response {
    let (form, cookie) = visit.form_token();
    let mut response = html(status, Row::Page, &RecoveryPage { layout: visit.layout(), form, next, name, error });
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
