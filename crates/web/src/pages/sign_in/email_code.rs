//! An address, and then the code that was mailed there. There is no link that signs in: the code counts only in the browser that asked for it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use falconer_login::{Aim, Begun, LoginError, ProviderError, ProviderSignInError, Way};
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use crate::Web;
use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::granting::continue_to;
use crate::pages::sign_in::provider::PendingSignIns;
use crate::pages::sign_in::{begun, provider, reauthentication};
use crate::pages::visit::{PathText, Posted, Visit, go, own_path};
use crate::views::words;
use crate::views::{EmailAddressPage, EmailCodePage, html};

const OLD_FORM: &str = "That form was too old, or your browser takes no cookies. Please try once more.";

/// What was typed, and what came of it.
#[derive(Default)]
struct Typed {
    next: String,
    /// `again`, `link` or nothing.
    purpose: String,
    address: String,
    error: Option<String>,
}

/// `GET /login/<provider>?next=`, for those that mail codes.
pub(crate) fn show_address(visit: &Visit, name: &str, purpose: &str) -> Result<Response, Problem> {
    let next = own_path(&visit.parameter("next").unwrap_or_default()).to_owned();
    if visit.session.is_some() && purpose.is_empty() {
        return Ok(go(&next));
    }
    address_page(visit, name, StatusCode::OK, Typed { next, purpose: purpose.to_owned(), ..Typed::default() })
}

/// `POST /login/<provider>/address`: mails a code, if the address is let in. The answer is the same for every address.
pub(crate) async fn send(
    State(web): State<Arc<Web>>,
    away: PendingSignIns,
    PathText(name): PathText,
    form: Posted,
) -> Result<Response, Problem> {
    web.login.address_provider(&name).map_err(|_| Problem::not_found())?;
    let visit = &form.visit;
    let next = own_path(form.field("next")).to_owned();
    let purpose = form.field("for");
    let typed =
        |error: String| Typed { next: next.clone(), purpose: form.typed("for"), address: form.typed("address"), error: Some(error) };
    if !form.has_form_token() {
        return address_page(visit, &name, StatusCode::FORBIDDEN, typed(OLD_FORM.to_owned()));
    }
    let site = visit.web.settings.public_origin.authority();
    let way = provider::way(visit, purpose, &next)?;
    if !matches!(way, Way::SignIn) {
        form.session()?;
    }
    match web.login.mail_code(&name, form.field("address"), &next, site, way, &visit.visitor()).await {
        Err(ProviderSignInError::Login(LoginError::SignInAgain)) => Ok(reauthentication::first(&format!("/login/{name}?for=link"))),
        Ok(sent) => {
            let mut response = go(&format!("/login/{name}/code?flow={}", sent.flow));
            let kept = provider::set(visit, away.next_slot(), &sent.cookie_value, sent.seconds)?;
            response.headers_mut().append(SET_COOKIE, kept);
            Ok(response)
        }
        Err(ProviderSignInError::Login(LoginError::Invalid(text))) => {
            address_page(visit, &name, StatusCode::BAD_REQUEST, typed(sentence(&text)))
        }
        Err(ProviderSignInError::Login(LoginError::Throttled { retry_after_seconds })) => {
            let wait = words::wait(retry_after_seconds);
            let error = format!("Too many codes were asked for. Use the newest one that you got, or wait {wait}.");
            let mut response = address_page(visit, &name, StatusCode::TOO_MANY_REQUESTS, typed(error))?;
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            Ok(response)
        }
        Err(error) => Err(provider::problem(visit, &name, &begun::of(purpose, &next), error)),
    }
}

/// `GET /login/<provider>/code?flow=`
pub(crate) async fn show_code(visit: Visit, away: PendingSignIns, PathText(name): PathText) -> Result<Response, Problem> {
    let flow = visit.parameter("flow").unwrap_or_default();
    code_page(&visit, &away, &name, &flow, StatusCode::OK, None)
}

/// `POST /login/<provider>/code`
pub(crate) async fn sign_in(
    State(web): State<Arc<Web>>,
    away: PendingSignIns,
    PathText(name): PathText,
    form: Posted,
) -> Result<Response, Problem> {
    web.login.address_provider(&name).map_err(|_| Problem::not_found())?;
    let (visit, flow) = (&form.visit, form.field("flow"));
    if !form.has_form_token() {
        return code_page(visit, &away, &name, flow, StatusCode::FORBIDDEN, Some(OLD_FORM));
    }
    let kept = away.kept();
    let outcome = web.login.sign_in_by_code(&name, &kept, flow, form.field("code"), visit.session.as_ref(), &visit.visitor()).await;
    provider::count(visit, &name, &outcome);
    match outcome {
        Ok(arrival) => {
            let mut response = provider::arrived(visit, arrival).await?;
            away.forget(visit, &mut response)?;
            Ok(response)
        }
        Err(ProviderSignInError::Provider(ProviderError::WrongCode)) => {
            let error = "That is not the code. Type the one of the newest mail; each mail has another one.";
            code_page(visit, &away, &name, flow, StatusCode::FORBIDDEN, Some(error))
        }
        Err(error) => Err(problem(visit, &name, &begun(visit, &away, &name, flow), error)),
    }
}

/// What was asked for in this browser, also where its time is over.
fn begun(visit: &Visit, away: &PendingSignIns, name: &str, flow: &str) -> Begun {
    visit.web.login.begun_by_code(name, &away.kept(), flow).unwrap_or_else(begun::unknown)
}

/// What is this kind's own to say.
fn problem(visit: &Visit, name: &str, begun: &Begun, error: ProviderSignInError) -> Problem {
    let (title, next) = match &error {
        ProviderSignInError::Provider(ProviderError::Over) => ("This code is over", "Codes work for ten minutes. Ask for another one."),
        ProviderSignInError::Provider(ProviderError::TooManyTries) => {
            ("This code was typed wrong too often", "It counts no more. Ask for another one.")
        }
        _ => return provider::problem(visit, name, begun, error),
    };
    Problem::new(StatusCode::BAD_REQUEST, title, next).with_link(begun::anew(name, begun), "Ask for a code")
}

fn address_page(visit: &Visit, name: &str, status: StatusCode, typed: Typed) -> Result<Response, Problem> {
    let provider = visit.web.login.address_provider(name).map_err(|_| Problem::not_found())?;
    let (form, cookie) = visit.form_token();
    let page = EmailAddressPage {
        layout: visit.layout(),
        provider: provider.name.clone(),
        label: provider.label.clone(),
        form,
        continue_to: continue_to(visit, &typed.next),
        csrf: visit.session.as_ref().map(|session| session.csrf.clone()).unwrap_or_default(),
        others: begun::others(&begun::of(&typed.purpose, &typed.next)),
        purpose: typed.purpose,
        next: typed.next,
        address: typed.address,
        error: typed.error,
    };
    Ok(with_cookie(html(status, Row::Page, &page), cookie))
}

fn code_page(
    visit: &Visit,
    away: &PendingSignIns,
    name: &str,
    flow: &str,
    status: StatusCode,
    error: Option<&str>,
) -> Result<Response, Problem> {
    let sent_code = visit.web.login.pending_code(name, &away.kept(), flow);
    let sent_code = sent_code.map_err(|error| problem(visit, name, &begun(visit, away, name, flow), error.into()))?;
    let (form, cookie) = visit.form_token();
    let page = EmailCodePage {
        layout: visit.layout(),
        provider: name.to_owned(),
        form,
        flow: flow.to_owned(),
        address: sent_code.address.as_str().to_owned(),
        start_over: begun::anew(name, &sent_code.begun),
        button: match sent_code.begun.aim {
            Aim::SignIn => "Sign in",
            Aim::Reauthenticate => "Sign in again",
            // Nothing is linked before the next page.
            Aim::Link => "Continue",
        },
        intro: match sent_code.begun.aim {
            Aim::SignIn => "",
            Aim::Reauthenticate => "Show that it is you.",
            Aim::Link => "Nothing is linked before you confirm it on the next page.",
        },
        error: error.map(str::to_owned),
    };
    Ok(with_cookie(html(status, Row::Page, &page), cookie))
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
