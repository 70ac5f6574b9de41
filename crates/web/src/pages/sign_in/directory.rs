//! Name and password of a directory, typed on a page of ours.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use falconer_login::{LoginError, ProviderSignInError, Way};
use http::header::{RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};

use crate::Web;
use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::granting::continue_to;
use crate::pages::sign_in::{begun, provider, reauthentication};
use crate::pages::visit::{PathText, Posted, Visit, go, own_path};
use crate::views::words;
use crate::views::{DirectoryPage, html};

/// What was typed, and what came of it.
#[derive(Default)]
struct Typed {
    next: String,
    /// `again`, `link` or nothing.
    purpose: String,
    name: String,
    error: Option<String>,
}

/// `GET /login/<provider>?next=`, for those that ask for a name and a password.
pub(crate) fn show(visit: &Visit, name: &str, purpose: &str) -> Result<Response, Problem> {
    let next = own_path(&visit.parameter("next").unwrap_or_default()).to_owned();
    if visit.session.is_some() && purpose.is_empty() {
        return Ok(go(&next));
    }
    page(visit, name, StatusCode::OK, Typed { next, purpose: purpose.to_owned(), ..Typed::default() })
}

/// `POST /login/<provider>`
pub(crate) async fn sign_in(State(web): State<Arc<Web>>, PathText(name): PathText, form: Posted) -> Result<Response, Problem> {
    // First: nothing that is typed for another kind of provider goes anywhere.
    web.login.password_provider(&name).map_err(|_| Problem::not_found())?;
    let visit = &form.visit;
    let next = own_path(form.field("next")).to_owned();
    let purpose = form.field("for");
    let typed = |error: String| Typed { next: next.clone(), purpose: form.typed("for"), name: form.typed("name"), error: Some(error) };
    if !form.has_form_token() {
        let error = "That form was too old, or your browser takes no cookies. Please sign in once more.".to_owned();
        return page(visit, &name, StatusCode::FORBIDDEN, typed(error));
    }
    let way = provider::way(visit, purpose, &next)?;
    if !matches!(way, Way::SignIn) {
        form.session()?;
    }
    let visitor = visit.visitor();
    let outcome = web.login.sign_in_by_password(&name, form.field("name"), form.field("password"), way, &next, &visitor).await;
    provider::count(visit, &name, &outcome);
    match outcome {
        Ok(arrival) => provider::arrived(visit, arrival).await,
        Err(ProviderSignInError::Login(LoginError::SignInAgain)) => Ok(reauthentication::first(&format!("/login/{name}?for=link"))),
        Err(ProviderSignInError::Login(error @ LoginError::WrongPassword)) => {
            page(visit, &name, StatusCode::FORBIDDEN, typed(error.to_string()))
        }
        Err(ProviderSignInError::Login(LoginError::Throttled { retry_after_seconds })) => {
            let wait = words::wait(retry_after_seconds);
            let error = format!("Too many attempts. Wait {wait} before you try again.");
            let mut response = page(visit, &name, StatusCode::TOO_MANY_REQUESTS, typed(error))?;
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
            Ok(response)
        }
        Err(error) => Err(provider::problem(visit, &name, &begun::of(purpose, &next), error)),
    }
}

fn page(visit: &Visit, name: &str, status: StatusCode, typed: Typed) -> Result<Response, Problem> {
    let provider = visit.web.login.password_provider(name).map_err(|_| Problem::not_found())?;
    let (form, cookie) = visit.form_token();
    let page = DirectoryPage {
        layout: visit.layout(),
        provider: provider.name.clone(),
        label: provider.label.clone(),
        form,
        continue_to: continue_to(visit, &typed.next),
        csrf: visit.session.as_ref().map(|session| session.csrf.clone()).unwrap_or_default(),
        others: begun::others(&begun::of(&typed.purpose, &typed.next)),
        purpose: typed.purpose,
        next: typed.next,
        name: typed.name,
        error: typed.error,
    };
    let mut response = html(status, Row::Page, &page);
    if let Some(cookie) = cookie {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}
