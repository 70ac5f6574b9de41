//! What services have published about their scopes, and the page that asks before it is deleted.

use axum::response::Response;
use falconer_auth::{ApiError, MOST_SCOPE_REGISTRIES, PageQuery, Risk, ScopeRegistryRecord, Start};
use falconer_login::{LoginError, Session};
use http::StatusCode;

use super::after::go_to_list;
use super::records::{SCOPE_REGISTRIES, encode, lists, person, problem, sign_in};
use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::refusal::Refusal;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::pages::visit::{Posted, Visit};
use crate::views::words;
use crate::views::{ConfirmPage, RegistriesPage, RegistryRow, html};

const CONFIRM: &str = "/auth/scope-registries/confirm";
/// What the form says, with a dot and when that was last changed which the page has shown.
const ACTION: &str = "delete";

/// `GET /auth/scope-registries`, and with `namespace=` one of them with its sentences: of all services they would be long.
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, SCOPE_REGISTRIES.0)) };
    let who = person(session);
    let grants = &visit.web.grants;
    let now_ms = visit.web.clock.now_ms();
    let records = match visit.parameter("namespace") {
        Some(namespace) => vec![grants.scope_registry(&who, &namespace).map_err(problem)?],
        None => {
            grants
                .list_scope_registries(&who, &PageQuery { start: Start::Offset(0), limit: MOST_SCOPE_REGISTRIES as u64 })
                .map_err(problem)?
                .items
        }
    };
    let is_one = visit.parameter("namespace").is_some();
    let mut rows = Vec::new();
    for record in &records {
        let may_delete = visit.web.auth.may_publish(&who, &record.namespace).map_err(problem)?;
        rows.push(row(record, is_one, may_delete, grants.is_configured_namespace(&record.namespace), now_ms));
    }
    let page = RegistriesPage {
        layout: visit.layout(),
        lists: lists(visit.web.auth.console_acts(&who).map_err(problem)?, if is_one { "" } else { SCOPE_REGISTRIES.0 }),
        notice: (visit.parameter("done").as_deref() == Some("deleted"))
            .then_some("Deleted. People see its scopes as those of any other service."),
        rows,
    };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

/// The page of one.
pub(super) fn href(namespace: &str) -> String {
    format!("{}?namespace={}", SCOPE_REGISTRIES.0, encode(namespace))
}

fn row(record: &ScopeRegistryRecord, is_one: bool, may_delete: bool, is_configured: bool, now_ms: i64) -> RegistryRow {
    RegistryRow {
        href: href(&record.namespace),
        delete: may_delete.then(|| format!("{CONFIRM}?id={}", encode(&record.namespace))),
        namespace: record.namespace.clone(),
        count: words::count(record.scopes.len(), "sentence"),
        published_by: record.published_by.clone(),
        created: words::date_time(record.created_ms),
        changed: words::since(record.last_modified_ms, now_ms),
        is_configured,
        sentences: match is_one {
            true => record.scopes.iter().map(|one| (one.template.clone(), one.sentence.clone(), one.risk == Risk::High)).collect(),
            false => Vec::new(),
        },
    }
}

/// `GET /auth/scope-registries/confirm?id=`
pub(crate) async fn ask(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, CONFIRM)) };
    let namespace = visit.parameter("id").unwrap_or_default();
    let record = visit.web.grants.scope_registry(&person(session), &namespace).map_err(problem)?;
    Ok(confirm(&visit, session, &namespace, &record.last_modified_ms.to_string(), None))
}

/// `POST /auth/scope-registries/confirm`
pub(crate) async fn delete(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let namespace = form.field("id");
    // What else stands there has not come from the page, and is nothing that anybody has seen.
    let seen_ms = form.field("action").strip_prefix(ACTION).and_then(|seen| seen.strip_prefix('.')?.parse().ok()).unwrap_or(0);
    match visit.web.grants.delete_scope_registry_from(session, namespace, seen_ms).await {
        Ok(Ok(_)) => go_to_list(visit, &person(session), SCOPE_REGISTRIES.0, "deleted"),
        Ok(Err(error)) => refused(visit, session, namespace, error),
        Err(LoginError::SignInAgain) => reauthentication::keep(&form, session, KeptForm::ScopeRegistryConfirm).await,
        Err(error) => Err(error.into()),
    }
}

/// The page once more, as it is now.
fn refused(visit: &Visit, session: &Session, namespace: &str, error: ApiError) -> Result<Response, Problem> {
    let refusal = Refusal::of(error)?;
    let record = visit.web.grants.scope_registry(&person(session), namespace).map_err(problem)?;
    Ok(confirm(visit, session, namespace, &record.last_modified_ms.to_string(), Some(refusal)))
}

fn confirm(visit: &Visit, session: &Session, namespace: &str, seen_ms: &str, refusal: Option<Refusal>) -> Response {
    let (status, error) = refusal.map_or((StatusCode::OK, None), |refusal| (refusal.status, Some(refusal.text)));
    let page = ConfirmPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        path: CONFIRM.to_owned(),
        id: namespace.to_owned(),
        action: format!("{ACTION}.{seen_ms}"),
        question: "Delete these sentences?".to_owned(),
        consequence: "People see the scopes of this service as those of any other one, and what it called a high risk is one no more. The service can publish them once \
                      more: take its scope auth:publish-scopes: away where it should not."
            .to_owned(),
        button: "Delete sentences".to_owned(),
        dangerous: true,
        back: href(namespace),
        field: None,
        error,
    };
    html(status, Row::Page, &page)
}
