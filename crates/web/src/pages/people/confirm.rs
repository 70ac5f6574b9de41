//! What is done about a person with one button, and asked for once more before.

use axum::response::Response;
use falconer_auth::By;
use falconer_login::{LoginError, Session};
use falconer_wire::{RefreshState, RefreshedPerson};
use http::StatusCode;

use crate::api::{mailed_site, refreshed_person};
use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::after::go_to_list;
use crate::pages::console::records::{GRANTS, PEOPLE, person, problem, sign_in};
use crate::pages::people::edit::link_page;
use crate::pages::refusal::Refusal;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::pages::visit::{Posted, Visit, go};
use crate::views::html;
use crate::views::people::{PersonConfirmPage, person_href};

/// One of the buttons: what the form sends, what is asked, what it means, what the button says, and whether it is felt at once.
type Action = (&'static str, &'static str, &'static str, &'static str, bool);

const ACTIONS: [Action; 11] = [
    (
        "disable",
        "Disable this person?",
        "They are signed out at once, whichever identity they use; what they granted is revoked, and their clients are worth nothing. They can be enabled again.",
        "Disable person",
        true,
    ),
    ("enable", "Enable this person?", "They can sign in again. What they granted before stays revoked.", "Enable person", false),
    (
        "unlock",
        "Let this person try again?",
        "Wrong passwords for this account, or mails with codes to it, are forgotten, wherever they came from.",
        "Let them try again",
        false,
    ),
    ("sign-out", "Sign this person out?", "All their sessions end. They can sign in again.", "Sign them out", true),
    (
        "reset",
        "Make a link for a password?",
        "The link is shown to you once, and works once. Whoever has it sets the password of this account. The present password goes on until then, and a link of before ends.",
        "Make the link",
        false,
    ),
    (
        "mail",
        "Mail a link for a password?",
        "It goes to the e-mail address of this account, works once, and is shown to you as well. Whoever has it sets the password of this account. The present password goes on until then, and a link of before ends.",
        "Mail the link",
        false,
    ),
    (
        "unlink",
        "Unlink this identity?",
        "It is a person of its own from then on. What it gives, and the clients and grants that it names, go with it, and sessions by it end.",
        "Unlink",
        true,
    ),
    (
        "name",
        "Use this identity for names?",
        "It names this person's new clients and grants from then on. What is there keeps its name.",
        "Use for names",
        false,
    ),
    (
        "refresh",
        "Ask the provider now?",
        "What it says of this identity counts at once: what was lost takes clients with it, and who is gone loses everything.",
        "Ask the provider",
        false,
    ),
    ("revoke", "Revoke this grant?", "What the site got is worth nothing at once.", "Revoke grant", true),
    (
        "delete",
        "Delete this account?",
        "It is gone for good, and its name is never used again. Sessions end, and what it granted is revoked.",
        "Delete account",
        true,
    ),
];

fn action(name: &str) -> Result<Action, Problem> {
    ACTIONS.into_iter().find(|action| action.0 == name).ok_or_else(|| {
        Problem::new(StatusCode::BAD_REQUEST, "This form can't be used", "Go back to the person and choose one of the buttons.")
            .with_link("/auth/people", "Go to the people")
    })
}

/// `GET /auth/people/confirm?id=&action=`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/auth/people/confirm")) };
    let action = action(&visit.parameter("action").unwrap_or_default())?;
    let id = visit.parameter("id").unwrap_or_default();
    let who = person(session);
    match action.0 {
        // It is offered in the list of grants too, to those who may see nothing else of the person.
        "revoke" => visit.web.auth.check_person_scope(By::Caller { who: &who, verb: "revoke-grants-of" }, &id).map_err(problem)?,
        _ => drop(visit.web.login.person_detail(&who, &id).await.map_err(problem)?),
    }
    let grant = visit.parameter("grant");
    Ok(ask(&visit, session, &id, grant.as_deref(), action, None))
}

/// `POST /auth/people/confirm`
pub(crate) async fn act(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let (visit, id, who) = (&form.visit, form.field("id"), person(session));
    let action = action(form.field("action"))?;
    let grant = Some(form.field("grant")).filter(|grant| !grant.is_empty());
    if action.0 == "delete" && form.field("typed").trim() != id {
        let refusal = Refusal::invalid(format!("Nothing was done: type `{id}` to confirm."));
        return Ok(ask(visit, session, id, grant, action, Some(refusal)));
    }
    let login = &visit.web.login;
    let done = match action.0 {
        "disable" => login.disable_whole_person(&who, id).await,
        "enable" => match login.enable_whole_person_from(session, id).await {
            Ok(enabled) => enabled,
            Err(LoginError::SignInAgain) => return reauthentication::keep(&form, session, KeptForm::PersonConfirm).await,
            Err(error) => return Err(error.into()),
        },
        "unlock" => login.unlock_person(&who, id).await,
        "sign-out" => login.sign_person_out(&who, id).await,
        "unlink" => login.unlink_one_of_person(&who, id).await,
        "name" => login.choose_name_of_person(&who, id).await,
        "refresh" => match login.ask_about_person(&who, id).await {
            Ok((outcome, revision)) => return Ok(refreshed(visit, session, id, action, refreshed_person(id, outcome, revision.0))),
            Err(error) => Err(error),
        },
        "revoke" => login.revoke_grant_of_person(&who, id, grant.unwrap_or_default()).await,
        "reset" | "mail" => {
            let site = (action.0 == "mail").then(|| mailed_site(&visit.web.settings.public_origin));
            match login.make_reset_link_from(session, id, site.as_ref()).await {
                Ok(Ok(link)) => return Ok(link_page(visit, "There is a link", id, &link)),
                Ok(Err(error)) => Err(error),
                Err(LoginError::SignInAgain) => return reauthentication::keep(&form, session, KeptForm::PersonConfirm).await,
                Err(error) => return Err(error.into()),
            }
        }
        _ => login.delete_person(&who, id).await,
    };
    match done {
        Ok(_) if action.0 == "delete" => go_to_list(visit, &who, PEOPLE.0, "deleted"),
        Ok(_) if action.0 == "revoke" && !may_see(visit, session, id) => go_to_list(visit, &who, GRANTS.0, "revoked"),
        Ok(_) => Ok(go(&format!("{}&done={}", person_href(id), action.0))),
        Err(error) => Ok(ask(visit, session, id, grant, action, Some(Refusal::of(error)?))),
    }
}

/// Whether there is a page of the person for whoever is signed in. The list of grants offers to revoke one to those too for whom there is none.
fn may_see(visit: &Visit, session: &Session, id: &str) -> bool {
    visit.web.auth.check_scope_for_person(By::Caller { who: &person(session), verb: "get" }, id).is_ok()
}

/// What the provider said, or that it said nothing and why.
fn refreshed(visit: &Visit, session: &Session, id: &str, action: Action, refreshed: RefreshedPerson) -> Response {
    let done = match refreshed.state {
        RefreshState::Still => "still",
        RefreshState::Gone => "gone",
        RefreshState::Refused => "refused",
        RefreshState::AdditionsOnly => "additions-only",
        RefreshState::Unanswered | RefreshState::NotAccepted => {
            return ask(visit, session, id, None, action, Some(Refusal { status: StatusCode::OK, text: refreshed.text, field: None }));
        }
    };
    go(&format!("{}&done={done}", person_href(id)))
}

fn ask(visit: &Visit, session: &Session, id: &str, grant: Option<&str>, action: Action, refusal: Option<Refusal>) -> Response {
    let (name, question, consequence, button, dangerous) = action;
    let (status, error) = refusal.map_or((StatusCode::OK, None), |refusal| (refusal.status, Some(refusal.text)));
    let page = PersonConfirmPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        id: id.to_owned(),
        action: name,
        grant: grant.map(str::to_owned),
        question,
        consequence,
        button,
        dangerous,
        typed: name == "delete",
        back: if name == "revoke" && !may_see(visit, session, id) { GRANTS.0.to_owned() } else { person_href(id) },
        error,
    };
    html(status, Row::Page, &page)
}
