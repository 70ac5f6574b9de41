//! Create and edit clients and roles. What was typed stays until it is saved; what it would change can be seen before.

use axum::response::Response;
use falconer_auth::{Affected, ApiError, Authentication, ClientInput, Difference, Plan, RoleInput, Secret};
use falconer_login::{LoginError, Session};
use falconer_scopes::is_valid_scope;
use falconer_wire::{date_time, pattern, time_expression};
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::after::go_to_saved;
use crate::pages::console::records::{person, problem, sign_in};
use crate::pages::refusal::Refusal;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::pages::visit::{Posted, Visit};
use crate::views::words;
use crate::views::{AffectedKind, Change, Draft, Kind, PlanPage, RecordFormPage, TokenPage, html, secret_html};

/// As the protocol limits it, in characters.
const LONGEST_DESCRIPTION: usize = 10_240;
/// What a new client gets proposed.
const USUAL_LIFE: &str = "1 year";

/// `GET /auth/clients/add`
pub(crate) async fn add_client(visit: Visit) -> Result<Response, Problem> {
    add(&visit, Kind::Client)
}

/// `GET /auth/roles/add`
pub(crate) async fn add_role(visit: Visit) -> Result<Response, Problem> {
    add(&visit, Kind::Role)
}

/// `GET /auth/clients/edit?id=`
pub(crate) async fn client(visit: Visit) -> Result<Response, Problem> {
    edit(&visit, Kind::Client)
}

/// `GET /auth/roles/edit?id=`
pub(crate) async fn role(visit: Visit) -> Result<Response, Problem> {
    edit(&visit, Kind::Role)
}

/// `POST /auth/clients/edit`
pub(crate) async fn post_client(form: Posted) -> Result<Response, Problem> {
    post(form, Kind::Client).await
}

/// `POST /auth/roles/edit`
pub(crate) async fn post_role(form: Posted) -> Result<Response, Problem> {
    post(form, Kind::Role).await
}

fn add(visit: &Visit, kind: Kind) -> Result<Response, Problem> {
    let path = format!("{}/add", kind.path());
    let Some(session) = &visit.session else { return Ok(sign_in(visit, &path)) };
    let draft = Draft {
        kind,
        id: if kind.is_client() { format!("{}/", session.person.identity) } else { String::new() },
        description: String::new(),
        scopes: String::new(),
        expires: USUAL_LIFE.to_owned(),
        delete_on_expiration: false,
        seen_ms: None,
        shown_ms: visit.web.clock.now_ms(),
        deletes: false,
    };
    Ok(show(visit, session, draft, None))
}

fn edit(visit: &Visit, kind: Kind) -> Result<Response, Problem> {
    let path = format!("{}/edit", kind.path());
    let Some(session) = &visit.session else { return Ok(sign_in(visit, &path)) };
    let id = visit.parameter("id").unwrap_or_default();
    let draft = present(visit, &person(session), kind, &id).map_err(problem)?;
    Ok(show(visit, session, draft, None))
}

/// The record as it is now.
pub(crate) fn present(visit: &Visit, who: &Authentication, kind: Kind, id: &str) -> Result<Draft, ApiError> {
    let draft = Draft {
        kind,
        id: id.to_owned(),
        description: String::new(),
        scopes: String::new(),
        expires: String::new(),
        delete_on_expiration: false,
        seen_ms: None,
        shown_ms: visit.web.clock.now_ms(),
        deletes: false,
    };
    Ok(match kind {
        Kind::Client => {
            let client = visit.web.auth.client(who, id)?;
            Draft {
                description: client.description,
                scopes: client.scopes.join("\n"),
                expires: date_time::format_ms(client.expires_ms),
                delete_on_expiration: client.delete_on_expiration,
                seen_ms: Some(client.last_modified_ms),
                ..draft
            }
        }
        Kind::Role => {
            let role = visit.web.auth.role(who, id)?;
            Draft { description: role.description, scopes: role.scopes.join("\n"), seen_ms: Some(role.last_modified_ms), ..draft }
        }
    })
}

async fn post(form: Posted, kind: Kind) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let mut draft = Draft {
        kind,
        id: form.field("id").to_owned(),
        description: lines(form.field("description")),
        scopes: lines(form.field("scopes")),
        expires: form.field("expires").trim().to_owned(),
        delete_on_expiration: form.ticked("delete_on_expiration"),
        seen_ms: form.field("seen").parse().ok(),
        // Only a form that somebody wrote by hand comes from the future.
        shown_ms: form.field("shown_at").parse().unwrap_or(i64::MAX).min(visit.web.clock.now_ms()),
        deletes: false,
    };
    let wanted = match wanted(&draft) {
        Ok(wanted) => wanted,
        Err(refusal) => return Ok(show(visit, session, draft, Some(refusal))),
    };
    let outcome = match form.field("do") {
        "back" => return Ok(show(visit, session, draft, None)),
        "plan" => plan(visit, session, &mut draft, wanted).await,
        _ => match save(visit, session, &draft, wanted).await {
            Ok(outcome) => outcome,
            Err(LoginError::SignInAgain) => {
                let kept = if kind.is_client() { KeptForm::ClientEdit } else { KeptForm::RoleEdit };
                return reauthentication::keep(&form, session, kept).await;
            }
            Err(error) => return Err(error.into()),
        },
    };
    match outcome {
        Ok(response) => Ok(response),
        Err(error) => {
            let refusal = match refuse_changed_meanwhile(visit, session, &mut draft, &error) {
                Some(refusal) => refusal,
                None => Refusal::of(error)?,
            };
            Ok(show(visit, session, draft, Some(refusal)))
        }
    }
}

/// As typed: browsers send the ends of lines as two characters.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// What a use case takes.
#[derive(Clone)]
enum Wanted {
    Client(ClientInput),
    Role(RoleInput),
}

/// What the form says, or what is wrong with it: the same rules as the schemas of the API.
fn wanted(draft: &Draft) -> Result<Wanted, Refusal> {
    let kind = draft.kind;
    let id_fits = match kind {
        Kind::Client => (pattern::CLIENT_ID.matches)(&draft.id),
        Kind::Role => (pattern::ROLE_ID.matches)(&draft.id),
    };
    if !id_fits {
        return Err(Refusal::invalid(match kind {
            Kind::Client => "A clientId has at least one character, and holds letters, digits and `!@/:.+|_-` only.",
            Kind::Role => "A roleId has at least one character, and holds printable ASCII only.",
        })
        .about("id"));
    }
    if draft.description.chars().count() > LONGEST_DESCRIPTION {
        return Err(Refusal::invalid(format!("The description may have at most {LONGEST_DESCRIPTION} characters.")).about("description"));
    }
    let scopes: Vec<String> = draft.scopes.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect();
    let mut seen = std::collections::HashSet::new();
    for scope in &scopes {
        if !is_valid_scope(scope) {
            return Err(Refusal::invalid(format!("`{scope}` is not a scope: it may hold printable ASCII only.")).about("scopes"));
        }
        if !seen.insert(scope) {
            return Err(Refusal::invalid(format!("`{scope}` stands there twice.")).about("scopes"));
        }
    }
    let description = draft.description.clone();
    Ok(match kind {
        Kind::Role => Wanted::Role(RoleInput { scopes, description }),
        Kind::Client => Wanted::Client(ClientInput {
            expires_us: expires_us(draft)?,
            description,
            scopes: Some(scopes),
            delete_on_expiration: draft.delete_on_expiration,
        }),
    })
}

fn expires_us(draft: &Draft) -> Result<i64, Refusal> {
    if let Some(us) = date_time::parse_us(&draft.expires) {
        return Ok(us);
    }
    let ahead = time_expression::from_ms(&draft.expires, draft.shown_ms).ok().filter(|_| !draft.expires.is_empty());
    // What has no date of four digits can't be shown again.
    let ahead = ahead.filter(|ms| date_time::parse_ms(&date_time::format_ms(*ms)) == Some(*ms));
    ahead.and_then(|ms| ms.checked_mul(1000)).ok_or_else(|| {
        Refusal::invalid(format!("`{}` is no end: write how long from now, such as `3 days`, or an instant.", draft.expires))
            .about("expires")
    })
}

/// The inner answer is that of the use case.
async fn save(visit: &Visit, session: &Session, draft: &Draft, wanted: Wanted) -> Result<Result<Response, ApiError>, LoginError> {
    let (auth, who, id) = (&visit.web.auth, person(session), draft.id.as_str());
    let saved = match wanted {
        Wanted::Client(input) if draft.seen_ms.is_none() => {
            let created = visit.web.login.create_client(session, &who, id, &input).await?;
            return Ok(created.map(|(created, _)| token(visit, "The client was created", created)));
        }
        Wanted::Client(input) => {
            let input = unless_same(visit, &who, id, input);
            visit.web.login.update_client_from(session, id, &input, draft.seen_ms).await?
        }
        Wanted::Role(input) => visit.web.login.put_role_from(session, id, &input, draft.seen_ms).await?,
    };
    let may_see = || match draft.kind {
        Kind::Client => auth.client(&who, id).is_ok(),
        Kind::Role => auth.role(&who, id).is_ok(),
    };
    Ok(saved.map(|_| go_to_saved(may_see(), &draft.kind.href(id))))
}

/// The form shows a client's scopes sorted: what nobody touched keeps its order.
fn unless_same(visit: &Visit, who: &Authentication, id: &str, input: ClientInput) -> ClientInput {
    let same = visit.web.auth.client(who, id).is_ok_and(|client| Some(client.scopes) == input.scopes);
    ClientInput { scopes: input.scopes.filter(|_| !same), ..input }
}

pub(crate) fn token(visit: &Visit, title: &str, client: falconer_auth::ClientView) -> Response {
    let page = TokenPage {
        layout: visit.layout(),
        title: title.to_owned(),
        client_id: client.client_id,
        access_token: client.access_token.unwrap_or_else(|| Secret::new("")),
        ends: Some(words::date_time(client.expires_ms)),
        old_ends: client.old_token_ends_ms.map(words::date_time),
    };
    secret_html(Row::Page, &page)
}

async fn plan(visit: &Visit, session: &Session, draft: &mut Draft, wanted: Wanted) -> Result<Response, ApiError> {
    let (auth, who, id) = (visit.web.auth.clone(), person(session), draft.id.clone());
    let planned = match wanted {
        Wanted::Client(input) => {
            // From here on it is an instant, so that Save means what was shown.
            draft.expires = date_time::format_ms(input.expires_us.div_euclid(1000));
            let input = unless_same(visit, &who, &id, input);
            auth.plan_client_change(&who, &id, &input)?
        }
        Wanted::Role(input) => plan_role(visit, who, id, Some(input)).await?,
    };
    Ok(plan_page(visit, session, draft.clone(), planned))
}

/// Everybody's expansion may be looked at: not on a thread that answers others.
pub(crate) async fn plan_role(visit: &Visit, who: Authentication, id: String, input: Option<RoleInput>) -> Result<Plan, ApiError> {
    let auth = visit.web.auth.clone();
    let work = tokio::task::spawn_blocking(move || auth.plan_role_change(&who, &id, input.as_ref()));
    work.await.map_err(|error| ApiError::Internal(error.to_string()))?
}

pub(crate) fn plan_page(visit: &Visit, session: &Session, draft: Draft, plan: Plan) -> Response {
    let change =
        |title: &str, difference: Difference| Change { title: title.to_owned(), added: difference.added, removed: difference.removed };
    let affected = |words, affected: Affected| AffectedKind {
        words,
        count: affected.count,
        names_need: affected.names_need.filter(|_| affected.count > 0),
        first: affected.first.into_iter().map(|(id, difference)| change(&id, difference)).collect(),
    };
    let kind = draft.kind;
    let page = PlanPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        action: format!("{}/{}", kind.path(), if draft.deletes { "confirm" } else { "edit" }),
        back: kind.href(&draft.id),
        parts: vec![change("Scopes as written", plan.written), change("What they come to", plan.expanded)],
        affected: if kind.is_client() {
            vec![]
        } else {
            vec![
                affected(("client", "clients"), plan.clients),
                affected(("role", "roles"), plan.roles),
                affected(("person", "people"), plan.people),
            ]
        },
        draft,
    };
    html(StatusCode::OK, Row::Page, &page)
}

/// Somebody else was there between the form and its saving: nothing is overwritten, and the next press is on what is there now.
fn refuse_changed_meanwhile(visit: &Visit, session: &Session, draft: &mut Draft, error: &ApiError) -> Option<Refusal> {
    draft.seen_ms?;
    let word = draft.kind.word();
    match error {
        ApiError::RequestConflict(_) => {
            let now = present(visit, &person(session), draft.kind, &draft.id).ok()?;
            draft.seen_ms = now.seen_ms;
            let text = format!("Nothing was saved: the {word} was changed after you opened this page. Save again to replace that change.");
            Some(Refusal { status: StatusCode::CONFLICT, text, field: None })
        }
        ApiError::ResourceNotFound(_) => {
            draft.seen_ms = None;
            let text = format!("Nothing was saved: the {word} was deleted after you opened this page. You can create it anew.");
            Some(Refusal { status: StatusCode::NOT_FOUND, text, field: None })
        }
        _ => None,
    }
}

fn show(visit: &Visit, session: &Session, draft: Draft, refusal: Option<Refusal>) -> Response {
    let wrong_field = refusal.as_ref().and_then(|refusal| refusal.field);
    let (status, error) = refusal.map_or((StatusCode::OK, None), |refusal| (refusal.status, Some(refusal.text)));
    let changed = status == StatusCode::CONFLICT;
    html(status, Row::Page, &RecordFormPage { layout: visit.layout(), csrf: session.csrf.clone(), draft, error, wrong_field, changed })
}
