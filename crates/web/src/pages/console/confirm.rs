//! What is done to a client or a role with one button, and asked for once more before: reset, disable, enable, delete.

use axum::response::Response;
use falconer_auth::{ApiError, RevokeCertificates};
use falconer_login::{LoginError, Session};
use falconer_wire::time_expression;
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::after::go_to_list;
use crate::pages::console::edit::{plan_page, plan_role, present, token};
use crate::pages::console::records::{CLIENTS, ROLES, person, problem, sign_in};
use crate::pages::refusal::Refusal;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::pages::visit::{Posted, Visit, go};
use crate::views::{ConfirmField, ConfirmPage, Draft, Kind, html};

const RESET: &str = "reset";
const END_OLD: &str = "end-old-token";
const REVOKE: &str = "revoke-certificates";

/// One of the buttons: what the form sends, what is asked, what it means, what the button says, and whether it can't be taken back.
type Action = (&'static str, &'static str, &'static str, &'static str, bool);

const ACTIONS: [Action; 6] = [
    (
        RESET,
        "Make a new access token?",
        "The old token stops working at once, or after a while. The new one is shown to you once.",
        "Make a new access token",
        true,
    ),
    (
        END_OLD,
        "End the old access token?",
        "The token before the present one stops working at once, with all that was signed with it. The present one stays.",
        "End the old access token",
        true,
    ),
    ("disable", "Disable this client?", "Its credentials stop working at once. It can be enabled again.", "Disable client", true),
    ("enable", "Enable this client?", "Its credentials work again at once, until it ends.", "Enable client", false),
    (
        REVOKE,
        "Revoke its temporary credentials?",
        "All that the client has made until now stop working at once. Its access token stays, and makes new ones: make a new access token where somebody else has it.",
        "Revoke temporary credentials",
        true,
    ),
    (
        "delete",
        "Delete this client?",
        "Its credentials stop working at once. It can't be brought back: a new one of this name gets another access token.",
        "Delete client",
        true,
    ),
];

fn action(name: &str) -> Result<Action, Problem> {
    ACTIONS.into_iter().find(|action| action.0 == name).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "This form can't be used", "Go back to the client and choose one of its buttons.")
            .with_link("/auth/clients", "Go to the clients")
    })
}

/// `GET /auth/clients/confirm?id=&action=`
pub(crate) async fn client(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/auth/clients/confirm")) };
    let action = action(&visit.parameter("action").unwrap_or_default())?;
    let id = visit.parameter("id").unwrap_or_default();
    visit.web.auth.client(&person(session), &id).map_err(problem)?;
    Ok(ask(&visit, session, &id, action, "", None))
}

/// `POST /auth/clients/confirm`
pub(crate) async fn act_on_client(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let (visit, id, who) = (&form.visit, form.field("id"), person(session));
    let action = action(form.field("action"))?;
    let auth = &visit.web.auth;
    let done = match action.0 {
        RESET => match overlap_ms(form.field("overlap")) {
            Ok(overlap_ms) => match visit.web.login.reset_access_token(session, &who, id, overlap_ms).await {
                Ok(Ok((client, _))) => return Ok(token(visit, "There is a new access token", client)),
                Ok(Err(error)) => Err(error),
                Err(LoginError::SignInAgain) => return reauthentication::keep(&form, session, KeptForm::ClientConfirm).await,
                Err(error) => return Err(error.into()),
            },
            Err(error) => Err(error),
        },
        END_OLD => auth.end_old_access_token(&who, id).await.map(|_| "old-token-ended"),
        REVOKE => {
            let seed = form.field("seed").trim();
            let which = RevokeCertificates { before_ms: None, seed: (!seed.is_empty()).then(|| seed.to_owned()) };
            auth.revoke_certificates(&who, id, &which).await.map(|_| "revoked")
        }
        "disable" => auth.disable_client(&who, id).await.map(|_| "disabled"),
        "enable" => match visit.web.login.enable_client_from(session, id).await {
            Ok(enabled) => enabled.map(|_| "enabled"),
            Err(LoginError::SignInAgain) => return reauthentication::keep(&form, session, KeptForm::ClientConfirm).await,
            Err(error) => return Err(error.into()),
        },
        _ => auth.delete_client(&who, id).await.map(|_| "deleted"),
    };
    match done {
        Ok("deleted") => go_to_list(visit, &who, CLIENTS.0, "deleted"),
        Ok(done) => Ok(go(&format!("{}&done={done}", Kind::Client.href(id)))),
        Err(error) => {
            let typed = field(action.0, String::new()).map_or("", |field| form.field(field.name));
            Ok(ask(visit, session, id, action, typed, Some(Refusal::of(error)?)))
        }
    }
}

/// For how long the old token is to count; nothing was written: not at all.
fn overlap_ms(text: &str) -> Result<i64, ApiError> {
    match text.trim() {
        "" => Ok(0),
        text => match time_expression::parse_ms(text) {
            Ok(ms) if ms >= 0 => Ok(ms),
            _ => Err(ApiError::InputError("Write how long the old token works on as something like `1 hour`".to_owned())),
        },
    }
}

/// What may be said beside the button.
fn field(action: &str, value: String) -> Option<ConfirmField> {
    match action {
        RESET => Some(ConfirmField {
            name: "overlap",
            label: "The old token works on for",
            hint: "Such as 1 hour, with all that was signed with it and is until then. Where it is empty, it stops working at once: leave it so where somebody else has it.",
            value,
        }),
        REVOKE => Some(ConfirmField {
            name: "seed",
            label: "Only those with this seed",
            hint: "The 44 characters that the certificate has as its seed. Where it is empty, all are revoked.",
            value,
        }),
        _ => None,
    }
}

fn ask(visit: &Visit, session: &Session, id: &str, action: Action, typed: &str, refusal: Option<Refusal>) -> Response {
    let (name, question, consequence, button, dangerous) = action;
    let (status, error) = refusal.map_or((StatusCode::OK, None), |refusal| (refusal.status, Some(refusal.text)));
    let page = ConfirmPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        path: "/auth/clients/confirm".to_owned(),
        id: id.to_owned(),
        action: name.to_owned(),
        question: question.to_owned(),
        consequence: consequence.to_owned(),
        button: button.to_owned(),
        dangerous,
        back: Kind::Client.href(id),
        field: field(name, typed.to_owned()),
        error,
    };
    html(status, Row::Page, &page)
}

/// `GET /auth/roles/confirm?id=`: what deleting the role changes, and the button.
pub(crate) async fn role(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/auth/roles/confirm")) };
    let id = visit.parameter("id").unwrap_or_default();
    let draft = present(&visit, &person(session), Kind::Role, &id).map_err(problem)?;
    let plan = plan_role(&visit, person(session), id, None).await.map_err(problem)?;
    Ok(plan_page(&visit, session, Draft { deletes: true, ..draft }, plan))
}

/// `POST /auth/roles/confirm`: deletes the role.
pub(crate) async fn delete_role(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let (auth, who, id) = (&form.visit.web.auth, person(session), form.field("id"));
    if form.field("action") != "delete" || id.is_empty() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "This form can't be used", "Go back to the role and choose one of its buttons.")
            .with_link("/auth/roles", "Go to the roles"));
    }
    if let Err(error) = auth.delete_role_seen(&who, id, form.field("seen").parse().ok()).await {
        let Refusal { status, text, .. } = Refusal::of(error)?;
        return Err(Problem::new(status, "The role was not deleted", text).with_link(Kind::Role.href(id), "Go to the role"));
    }
    go_to_list(&form.visit, &who, ROLES.0, "deleted")
}
