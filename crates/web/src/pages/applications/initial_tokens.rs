//! What applications register themselves with: the list, and the form that makes one.

use axum::response::Response;
use falconer_auth::{ApiError, InitialTokenRecord};
use falconer_grants::{InitialTokenInput, NewInitialToken};
use falconer_login::{LoginError, Session};
use falconer_wire::time_expression;
use http::StatusCode;

use super::edit::lines;
use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::records::{INITIAL_TOKENS, lists, person, problem, sign_in};
use crate::pages::refusal::Refusal;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::pages::visit::{Posted, Visit};
use crate::views::words;
use crate::views::{InitialTokenDraft, InitialTokenPage, InitialTokenRow, InitialTokensPage, html, secret_html};

pub(crate) const PLACE: &str = INITIAL_TOKENS.0;

/// `GET /auth/applications/tokens`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, PLACE)) };
    page(&visit, session, InitialTokenDraft::default(), None).await
}

/// `POST /auth/applications/tokens`
pub(crate) async fn create(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let draft = InitialTokenDraft {
        id: form.field("id").trim().to_owned(),
        description: form.field("description").replace("\r\n", "\n"),
        owner: form.field("owner").trim().to_owned(),
        scopes: form.field("scopes").replace("\r\n", "\n"),
        uses: form.field("uses").trim().to_owned(),
        life: form.field("life").trim().to_owned(),
        max_life: form.field("max_life").trim().to_owned(),
    };
    match save(visit, session, &draft).await {
        Ok(Ok(new)) => Ok(shown_once(visit, new)),
        Ok(Err(error)) => {
            let refusal = Refusal::of(error)?.among(&LABELS);
            page(visit, session, draft, Some(refusal)).await
        }
        Err(LoginError::SignInAgain) => reauthentication::keep(&form, session, KeptForm::InitialToken).await,
        Err(error) => Err(error.into()),
    }
}

const LABELS: [(&str, &str, &str); 7] = [
    ("id", "id", "Name"),
    ("description", "description", "Description"),
    ("scopes", "scopes", "Scopes"),
    ("uses", "uses", "How often it can be used"),
    ("expires", "life", "For how long it counts"),
    ("max_life", "max_life", "Longest grant"),
    ("owner", "owner", "Owner"),
];

/// The inner answer is that of the use case.
async fn save(visit: &Visit, session: &Session, draft: &InitialTokenDraft) -> Result<Result<NewInitialToken, ApiError>, LoginError> {
    let wrong =
        |field: &str, text: &str| ApiError::InputError(format!("{field}: `{text}` is no length of time: write one such as `7 days`"));
    let (life_ms, max_life_ms) = match (time_expression::parse_ms(&draft.life), time_expression::parse_ms(&draft.max_life)) {
        (Ok(life_ms), Ok(max_life_ms)) => (life_ms, max_life_ms),
        (Err(_), _) => return Ok(Err(wrong("expires", &draft.life))),
        (_, Err(_)) => return Ok(Err(wrong("max_life", &draft.max_life))),
    };
    let Ok(max_uses) = draft.uses.parse() else {
        return Ok(Err(ApiError::InputError(format!("uses: `{}` is no number of uses", draft.uses))));
    };
    let input = InitialTokenInput {
        description: draft.description.clone(),
        owner: draft.owner.clone(),
        scopes: lines(&draft.scopes),
        max_life_ms,
        max_uses,
        life_ms,
    };
    visit.web.grants.create_initial_token_from(session, &draft.id, &input).await
}

async fn page(visit: &Visit, session: &Session, draft: InitialTokenDraft, refusal: Option<Refusal>) -> Result<Response, Problem> {
    let who = person(session);
    let acts = visit.web.auth.initial_token_acts(&who).map_err(problem)?;
    // Whoever may only make them sees none, and the form.
    let tokens = if acts.create && !acts.list { Vec::new() } else { visit.web.grants.list_initial_tokens(&who).await.map_err(problem)? };
    let wrong_field = refusal.as_ref().and_then(|refusal| refusal.field);
    let (status, error) = refusal.map_or((StatusCode::OK, None), |refusal| (refusal.status, Some(refusal.text)));
    let page = InitialTokensPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        lists: lists(visit.web.auth.console_acts(&who).map_err(problem)?, PLACE),
        notice: (visit.parameter("done").as_deref() == Some("revoked")).then_some("Revoked. What was registered with it stays."),
        is_on: visit.web.grants.registration().is_on(),
        tokens: tokens.iter().map(row).collect(),
        may_create: acts.create,
        may_revoke: acts.delete,
        draft,
        error,
        wrong_field,
    };
    Ok(html(status, Row::Page, &page))
}

fn row(token: &InitialTokenRecord) -> InitialTokenRow {
    InitialTokenRow {
        id: token.id.clone(),
        description: token.description.clone(),
        scopes: token.scopes.clone(),
        used: format!("{} of {}", token.uses, token.max_uses),
        expires: words::date_time(token.expires_ms),
        max_life: words::exact_duration(token.max_life_ms),
        created_by: token.created_by.clone(),
        owner: token.owner.clone(),
    }
}

fn shown_once(visit: &Visit, new: NewInitialToken) -> Response {
    let page = InitialTokenPage {
        layout: visit.layout(),
        href: PLACE,
        endpoint: format!("{}/login/oauth/register", visit.web.settings.public_origin.as_str()),
        id: new.record.id,
        token: new.token,
        expires: words::date_time(new.record.expires_ms),
    };
    secret_html(Row::Page, &page)
}
