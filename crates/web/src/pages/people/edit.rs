//! Inviting somebody, and changing a local account. What was typed stays until it is saved; what it would change can be seen before.

use axum::response::Response;
use falconer_auth::ApiError;
use falconer_login::account::local_name;
use falconer_login::{LinkToShow, LoginError, NewAccount, PersonChange, Session};
use falconer_scopes::ScopeSet;
use http::StatusCode;
use zeroize::Zeroizing;

use crate::api::{link_mail, link_url, mailed_site};
use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::records::{person, problem, sign_in};
use crate::pages::refusal::Refusal;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::pages::visit::{Posted, Visit, go};
use crate::views::people::{PersonFormPage, PersonLinkPage, PersonPlanPage, person_href};
use crate::views::words;
use crate::views::{Change, html, secret_html};

/// `GET /auth/people/add`
pub(crate) async fn add(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/auth/people/add")) };
    Ok(html(StatusCode::OK, Row::Page, &empty(&visit, session)))
}

/// `POST /auth/people/add`
pub(crate) async fn invite(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let typed = typed(&form, session);
    let new = || {
        Ok(NewAccount {
            name: typed.name.clone(),
            display_name: typed.display_name.clone(),
            email: email_of(&typed),
            groups: lines(&typed.groups)?,
            scopes: lines(&typed.scopes)?,
        })
    };
    let new = match new() {
        Ok(new) => new,
        Err(error) => return Ok(once_more(typed, Refusal::of(error)?)),
    };
    let site = typed.mail.then(|| mailed_site(&visit.web.settings.public_origin));
    match visit.web.login.invite_person_from(session, &new, site.as_ref()).await {
        Ok(Ok(link)) => Ok(link_page(visit, "They are invited", &format!("local/{}", typed.name), &link)),
        Ok(Err(error)) => Ok(once_more(typed, Refusal::of(error)?)),
        Err(LoginError::SignInAgain) => reauthentication::keep(&form, session, KeptForm::PersonAdd).await,
        Err(error) => Err(error.into()),
    }
}

/// A link that was just made, shown this once.
pub(super) fn link_page(visit: &Visit, title: &'static str, identity: &str, shown: &LinkToShow) -> Response {
    let link = &shown.link;
    let page = PersonLinkPage {
        layout: visit.layout(),
        title,
        identity: identity.to_owned(),
        url: Zeroizing::new(link_url(&visit.web.settings.public_origin, link)),
        ends: words::date_time(link.expires_ms),
        mail: shown.mailed.as_ref().map(|(to, outcome)| link_mail(to, *outcome)),
        back: person_href(identity),
    };
    secret_html(Row::Page, &page)
}

/// `GET /auth/people/edit?id=`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/auth/people/edit")) };
    let identity = visit.parameter("id").unwrap_or_default();
    let present = present(&visit, session, &identity).await.map_err(problem)?;
    Ok(html(StatusCode::OK, Row::Page, &present))
}

/// What is there now.
async fn present(visit: &Visit, session: &Session, identity: &str) -> Result<PersonFormPage, ApiError> {
    let detail = visit.web.login.person_detail(&person(session), identity).await?;
    let known = detail.identity(identity);
    let account = known.and_then(|known| known.account.as_ref()).filter(|account| !account.deleted);
    let (Some(known), Some(account)) = (known, account) else {
        return Err(ApiError::ResourceNotFound(format!("{identity} is no local account that could be changed here")));
    };
    Ok(PersonFormPage {
        identity: identity.to_owned(),
        display_name: known.display_name.clone(),
        email: known.email.clone().unwrap_or_default(),
        groups: known.groups.join("\n"),
        scopes: account.scopes.join("\n"),
        seen_ms: Some(account.last_modified_ms),
        ..empty(visit, session)
    })
}

/// Why nothing was saved.
enum EditError {
    SignInAgain,
    Api(ApiError),
}

impl From<ApiError> for EditError {
    fn from(error: ApiError) -> EditError {
        EditError::Api(error)
    }
}

impl From<LoginError> for EditError {
    fn from(error: LoginError) -> EditError {
        match error {
            LoginError::SignInAgain => EditError::SignInAgain,
            error => EditError::Api(error.into()),
        }
    }
}

/// `POST /auth/people/edit`
pub(crate) async fn post(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let mut typed = PersonFormPage { identity: form.field("id").to_owned(), ..typed(&form, session) };
    if local_name(&typed.identity).is_none() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "This form can't be used", "Go back to the person and edit them there.")
            .with_link("/auth/people", "Go to the people"));
    }
    let done = async {
        let change = PersonChange {
            display_name: Some(typed.display_name.clone()),
            email: Some(email_of(&typed)),
            groups: Some(lines(&typed.groups)?),
            scopes: Some(lines(&typed.scopes)?),
            seen_ms: typed.seen_ms,
        };
        match form.field("do") {
            "back" => Ok(html(StatusCode::OK, Row::Page, &typed)),
            "plan" => Ok(plan(visit, session, &typed, &change).await?),
            _ => {
                visit.web.login.update_person_from(session, &typed.identity, &change).await??;
                Ok(go(&format!("{}&done=saved", person_href(&typed.identity))))
            }
        }
    };
    let error = match done.await {
        Ok(response) => return Ok(response),
        Err(EditError::SignInAgain) => return reauthentication::keep(&form, session, KeptForm::PersonEdit).await,
        Err(EditError::Api(error)) => error,
    };
    let now = match &error {
        ApiError::RequestConflict(_) => present(visit, session, &typed.identity).await.ok().filter(|now| now.seen_ms != typed.seen_ms),
        _ => None,
    };
    let Some(now) = now else { return Ok(once_more(typed, Refusal::of(error)?)) };
    // Nothing is overwritten, and the next press is on what is there now.
    typed.seen_ms = now.seen_ms;
    let text = "Nothing was saved: the account was changed after you opened this page. Save again to replace that change.";
    Ok(once_more(typed, Refusal { status: StatusCode::CONFLICT, text: text.to_owned(), field: None }))
}

/// What saving would change, as it is written and expanded. Whether it may be given is asked when it is saved.
async fn plan(visit: &Visit, session: &Session, typed: &PersonFormPage, change: &PersonChange) -> Result<Response, ApiError> {
    let planned = visit.web.login.plan_person_change(&person(session), &typed.identity, change).await?;
    let beyond = |all: &ScopeSet, has: &ScopeSet| all.iter().filter(|scope| !has.satisfies(scope)).map(str::to_owned).collect();
    let written = Change { title: "What the account gives".to_owned(), added: planned.added, removed: planned.removed };
    let expanded = Change {
        title: "What the person may do".to_owned(),
        added: beyond(&planned.after, &planned.before),
        removed: beyond(&planned.before, &planned.after),
    };
    let page = PersonPlanPage { layout: visit.layout(), parts: vec![written, expanded], form: typed.clone() };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

fn empty(visit: &Visit, session: &Session) -> PersonFormPage {
    PersonFormPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        identity: String::new(),
        name: String::new(),
        display_name: String::new(),
        email: String::new(),
        groups: String::new(),
        scopes: String::new(),
        seen_ms: None,
        can_mail: visit.web.login.mails_links(),
        mail: false,
        error: None,
    }
}

fn typed(form: &Posted, session: &Session) -> PersonFormPage {
    PersonFormPage {
        name: form.field("name").trim().to_owned(),
        display_name: form.field("display_name").trim().to_owned(),
        email: form.field("email").trim().to_owned(),
        groups: form.field("groups").replace("\r\n", "\n"),
        scopes: form.field("scopes").replace("\r\n", "\n"),
        seen_ms: form.field("seen").parse().ok(),
        mail: form.field("mail") == "yes",
        ..empty(&form.visit, session)
    }
}

fn email_of(typed: &PersonFormPage) -> Option<String> {
    Some(typed.email.clone()).filter(|email| !email.is_empty())
}

/// One a line, each once.
fn lines(text: &str) -> Result<Vec<String>, ApiError> {
    let lines: Vec<String> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let mut seen = std::collections::HashSet::new();
    match lines.iter().find(|line| !seen.insert(line.as_str())) {
        Some(twice) => Err(ApiError::InputError(format!("`{twice}` stands there twice"))),
        None => Ok(lines),
    }
}

fn once_more(typed: PersonFormPage, refusal: Refusal) -> Response {
    html(refusal.status, Row::Page, &PersonFormPage { error: Some(refusal.text), ..typed })
}
