//! What is done to an application, or to a token with which others register themselves, with one button, and asked for once more before.

use axum::response::Response;
use falconer_auth::ApiError;
use falconer_grants::SECRET_OVERLAP_MS;
use falconer_login::{LoginError, Session};
use http::StatusCode;

use super::edit::show_secret;
use super::initial_tokens;
use super::list::href;
use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::after::go_to_list;
use crate::pages::console::records::{APPLICATIONS, person, problem, sign_in};
use crate::pages::refusal::Refusal;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::pages::visit::{Posted, Visit, go};
use crate::views::{ConfirmPage, html};

pub(crate) const CONFIRM: &str = "/auth/applications/confirm";

/// One of the buttons.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    /// A new secret, beside which the one before works for a day.
    Secret,
    /// A new secret, and the one before ends at once.
    SecretNow,
    Delete,
    /// Of an initial access token; what it is done to is the token.
    RevokeToken,
}

impl Action {
    fn read(name: &str) -> Result<Action, Problem> {
        match name {
            "secret" => Ok(Action::Secret),
            "secret_now" => Ok(Action::SecretNow),
            "delete" => Ok(Action::Delete),
            "revoke_token" => Ok(Action::RevokeToken),
            _ => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "This form can't be used",
                "Go back to the application and choose one of its buttons.",
            )
            .with_link(APPLICATIONS.0, "Go to the applications")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Action::Secret => "secret",
            Action::SecretNow => "secret_now",
            Action::Delete => "delete",
            Action::RevokeToken => "revoke_token",
        }
    }

    /// Where whoever cancels goes back to.
    fn back(self, id: &str) -> String {
        match self {
            Action::Secret | Action::SecretNow | Action::Delete => href(id),
            Action::RevokeToken => initial_tokens::PLACE.to_owned(),
        }
    }

    /// What is asked, what it means, and what the button says. `registered_itself`: whether the application has.
    fn words(self, registered_itself: bool) -> (&'static str, &'static str, &'static str) {
        match self {
            Action::Secret => (
                "Make a new secret?",
                "The new one is shown to you once. The one before works for one day more, so that the application can be given the new one.",
                "Make a new secret",
            ),
            Action::SecretNow => (
                "Replace the secret at once?",
                "The new one is shown to you once. The one before stops working at once.",
                "Replace the secret",
            ),
            Action::Delete if registered_itself => (
                "Delete this application?",
                "Nobody can be sent here by it any more, and what people have granted it ends, at once and for good.",
                "Delete application",
            ),
            Action::Delete => (
                "Delete this application?",
                "Nobody can be sent here by it any more, and it gets no credentials with the codes and tokens that it has. What people have granted it stands on their \
                 pages, and they can revoke it there.",
                "Delete application",
            ),
            Action::RevokeToken => (
                "Revoke this initial access token?",
                "Nothing can be registered with it any more, at once and for good. The applications that were registered with it stay.",
                "Revoke token",
            ),
        }
    }
}

/// `GET /auth/applications/confirm?id=&action=`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, CONFIRM)) };
    let action = Action::read(&visit.parameter("action").unwrap_or_default())?;
    let id = visit.parameter("id").unwrap_or_default();
    let grants = &visit.web.grants;
    match action {
        Action::Secret | Action::SecretNow | Action::Delete => grants.application(&person(session), &id).map(drop).map_err(problem)?,
        Action::RevokeToken => {
            let tokens = grants.list_initial_tokens(&person(session)).await.map_err(problem)?;
            if !tokens.iter().any(|token| token.id == id) {
                return Err(problem(ApiError::ResourceNotFound(format!("There is no initial access token {id}"))));
            }
        }
    }
    Ok(ask(&visit, session, &id, action, None))
}

/// `POST /auth/applications/confirm`
pub(crate) async fn act(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let (visit, id) = (&form.visit, form.field("id"));
    let action = Action::read(form.field("action"))?;
    let grants = &visit.web.grants;
    let refused = match action {
        Action::Delete => match grants.delete_application(&person(session), id, None).await {
            Ok(_) => return go_to_list(visit, &person(session), APPLICATIONS.0, "deleted"),
            Err(error) => error,
        },
        Action::RevokeToken => match grants.delete_initial_token(&person(session), id).await {
            Ok(_) => return Ok(go(&format!("{}?done=revoked", initial_tokens::PLACE))),
            Err(error) => error,
        },
        Action::Secret | Action::SecretNow => {
            let overlap_ms = if action == Action::Secret { SECRET_OVERLAP_MS } else { 0 };
            match grants.reset_application_secret_from(session, id, overlap_ms).await {
                Ok(Ok(put)) => {
                    return Ok(match put.secret {
                        Some(secret) => show_secret(visit, &put.record, secret),
                        None => go(&href(id)),
                    });
                }
                Ok(Err(error)) => error,
                Err(LoginError::SignInAgain) => return reauthentication::keep(&form, session, KeptForm::ApplicationConfirm).await,
                Err(error) => return Err(error.into()),
            }
        }
    };
    Ok(ask(visit, session, id, action, Some(Refusal::of(refused)?)))
}

fn ask(visit: &Visit, session: &Session, id: &str, action: Action, refusal: Option<Refusal>) -> Response {
    let registered_itself = visit.web.auth.directory().applications().get(id).is_some_and(|known| known.registration.is_some());
    let (question, consequence, button) = action.words(registered_itself);
    let (status, error) = refusal.map_or((StatusCode::OK, None), |refusal| (refusal.status, Some(refusal.text)));
    let page = ConfirmPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        path: CONFIRM.to_owned(),
        id: id.to_owned(),
        action: action.name().to_owned(),
        question: question.to_owned(),
        consequence: consequence.to_owned(),
        button: button.to_owned(),
        dangerous: true,
        back: action.back(id),
        field: None,
        error,
    };
    html(status, Row::Page, &page)
}
