//! Register an application, and change it. What was typed stays until it is saved.

use axum::response::Response;
use falconer_auth::{ApiError, ApplicationInput, ApplicationRecord, Secret, SigningAlgorithm};
use falconer_grants::{PutApplication, jwks_of_keys, keys_of_jwks};
use falconer_login::{LoginError, Session};
use falconer_wire::time_expression;
use http::StatusCode;

use super::list::href;
use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::after::go_to_saved;
use crate::pages::console::records::{APPLICATIONS, person, problem, sign_in};
use crate::pages::refusal::Refusal;
use crate::pages::sign_in::reauthentication::{self, KeptForm};
use crate::pages::visit::{Posted, Visit};
use crate::views::words;
use crate::views::{ApplicationDraft, ApplicationFormPage, ApplicationSecretPage, html, secret_html};

pub(crate) const EDIT: &str = "/auth/applications/edit";
/// What a new one gets proposed as the longest life of its grants.
const USUAL_LIFE: &str = "8 hours";

const LABELS: [(&str, &str, &str); 11] = [
    ("id", "id", "Id"),
    ("name", "name", "Name"),
    ("description", "description", "Description"),
    ("redirect_uris", "redirect_uris", "Redirect URIs"),
    ("scopes", "scopes", "What it may ask for"),
    ("max_life", "max_life", "Longest grant"),
    ("owner", "owner", "Owner"),
    ("jwks", "jwks", "Public keys"),
    ("remember_consent", "remember_consent", "Consent may be remembered for"),
    ("id_token_alg", "id_token_alg", "ID tokens are signed by"),
    ("backchannel_logout_uri", "backchannel_logout_uri", "Told of signing out at"),
];

/// `GET /auth/applications/add`
pub(crate) async fn add(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/auth/applications/add")) };
    let draft = ApplicationDraft {
        owner: session.person.identity.clone(),
        max_life: USUAL_LIFE.to_owned(),
        confidential: true,
        id_token_alg: SigningAlgorithm::default().as_str().to_owned(),
        ..ApplicationDraft::default()
    };
    Ok(show(&visit, session, draft, None))
}

/// `GET /auth/applications/edit?id=`
pub(crate) async fn edit(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, EDIT)) };
    let id = visit.parameter("id").unwrap_or_default();
    let record = visit.web.grants.application(&person(session), &id).map_err(problem)?;
    Ok(show(&visit, session, of_record(&record), None))
}

/// `POST /auth/applications/edit`
pub(crate) async fn post(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let mut draft = ApplicationDraft {
        id: form.field("id").trim().to_owned(),
        name: form.field("name").trim().to_owned(),
        description: form.field("description").replace("\r\n", "\n"),
        owner: form.field("owner").trim().to_owned(),
        redirect_uris: form.field("redirect_uris").replace("\r\n", "\n"),
        scopes: form.field("scopes").replace("\r\n", "\n"),
        max_life: form.field("max_life").trim().to_owned(),
        confidential: form.ticked("confidential"),
        remember_consent: form.field("remember_consent").trim().to_owned(),
        skip_consent: form.ticked("skip_consent"),
        pushed_only: form.ticked("pushed_only"),
        id_token_alg: form.field("id_token_alg").to_owned(),
        dpop_bound_access_tokens: form.ticked("dpop_bound_access_tokens"),
        jwks: form.field("jwks").trim().replace("\r\n", "\n"),
        agent: form.ticked("agent"),
        backchannel_logout_uri: form.field("backchannel_logout_uri").trim().to_owned(),
        seen_ms: form.field("seen").parse().ok(),
    };
    match save(visit, session, &draft).await {
        Ok(Ok(put)) => Ok(match put.secret {
            Some(secret) => show_secret(visit, &put.record, secret),
            None => go_to_saved(visit.web.grants.application(&person(session), &draft.id).is_ok(), &href(&draft.id)),
        }),
        Ok(Err(error)) => {
            let refusal = match refuse_changed_meanwhile(visit, session, &mut draft, &error) {
                Some(refusal) => refusal,
                None => Refusal::of(error)?.among(&LABELS),
            };
            Ok(show(visit, session, draft, Some(refusal)))
        }
        Err(LoginError::SignInAgain) => reauthentication::keep(&form, session, KeptForm::ApplicationEdit).await,
        Err(error) => Err(error.into()),
    }
}

/// The inner answer is that of the use case.
async fn save(visit: &Visit, session: &Session, draft: &ApplicationDraft) -> Result<Result<PutApplication, ApiError>, LoginError> {
    let Ok(max_life_ms) = time_expression::parse_ms(&draft.max_life) else {
        let text = format!("max_life: `{}` is no length of time: write one such as `8 hours`", draft.max_life);
        return Ok(Err(ApiError::InputError(text)));
    };
    let remember_ms = match draft.remember_consent.as_str() {
        "" => 0,
        text => match time_expression::parse_ms(text) {
            Ok(ms) => ms,
            Err(_) => {
                let text = format!("remember_consent: `{text}` is no length of time: write one such as `30 days`, or nothing");
                return Ok(Err(ApiError::InputError(text)));
            }
        },
    };
    let Some(id_token_alg) = SigningAlgorithm::of_word(&draft.id_token_alg) else {
        return Ok(Err(ApiError::InputError(format!("id_token_alg: ID tokens are not signed by `{}`", draft.id_token_alg))));
    };
    let keys = match keys_of_jwks(&draft.jwks) {
        Ok(keys) => keys,
        Err(text) => return Ok(Err(ApiError::InputError(text))),
    };
    let input = ApplicationInput {
        name: draft.name.clone(),
        description: draft.description.clone(),
        owner: draft.owner.clone(),
        redirect_uris: lines(&draft.redirect_uris),
        scopes: lines(&draft.scopes),
        max_life_ms,
        confidential: draft.confidential,
        remember_ms,
        skip_consent: draft.skip_consent,
        pushed_only: draft.pushed_only,
        id_token_alg,
        dpop_bound_access_tokens: draft.dpop_bound_access_tokens,
        keys,
        agent: draft.agent,
        backchannel_logout_uri: draft.backchannel_logout_uri.clone(),
    };
    visit.web.grants.put_application_from(session, &draft.id, &input, draft.seen_ms.unwrap_or(0)).await
}

/// The lines that say something.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn of_record(record: &ApplicationRecord) -> ApplicationDraft {
    ApplicationDraft {
        id: record.id.clone(),
        name: record.name.clone(),
        description: record.description.clone(),
        owner: record.owner.clone(),
        redirect_uris: record.redirect_uris.join("\n"),
        scopes: record.scopes.join("\n"),
        max_life: words::exact_duration(record.max_life_ms),
        confidential: record.confidential,
        remember_consent: if record.remember_ms > 0 { words::exact_duration(record.remember_ms) } else { String::new() },
        skip_consent: record.skip_consent,
        pushed_only: record.pushed_only,
        id_token_alg: record.id_token_alg.as_str().to_owned(),
        dpop_bound_access_tokens: record.dpop_bound_access_tokens,
        jwks: if record.keys.is_empty() { String::new() } else { format!("{:#}", jwks_of_keys(&record.keys)) },
        agent: record.agent,
        backchannel_logout_uri: record.backchannel_logout_uri.clone(),
        seen_ms: Some(record.last_modified_ms),
    }
}

/// Somebody else was there between the form and its saving: nothing is overwritten, and the next press is on what is there now.
fn refuse_changed_meanwhile(visit: &Visit, session: &Session, draft: &mut ApplicationDraft, error: &ApiError) -> Option<Refusal> {
    let ApiError::RequestConflict(_) = error else { return None };
    let text = match visit.web.grants.application(&person(session), &draft.id) {
        Ok(record) if draft.seen_ms.is_some() => {
            draft.seen_ms = Some(record.last_modified_ms);
            "Nothing was saved: the application was changed after you opened this page. Save again to replace that change."
        }
        Ok(_) => "Nothing was saved: there is an application of this id.",
        Err(ApiError::ResourceNotFound(_)) if draft.seen_ms.is_some() => {
            draft.seen_ms = None;
            "Nothing was saved: the application was deleted after you opened this page. You can register it anew."
        }
        Err(_) => return None,
    };
    Some(Refusal { status: StatusCode::CONFLICT, text: text.to_owned(), field: None })
}

/// The page that shows a secret, once.
pub(super) fn show_secret(visit: &Visit, record: &ApplicationRecord, secret: Secret) -> Response {
    let page = ApplicationSecretPage {
        layout: visit.layout(),
        id: record.id.clone(),
        href: href(&record.id),
        secret,
        old_ends: record.old_secret_ends_ms.map(words::date_time),
    };
    secret_html(Row::Page, &page)
}

fn show(visit: &Visit, session: &Session, draft: ApplicationDraft, refusal: Option<Refusal>) -> Response {
    let wrong_field = refusal.as_ref().and_then(|refusal| refusal.field);
    let (status, error) = refusal.map_or((StatusCode::OK, None), |refusal| (refusal.status, Some(refusal.text)));
    let back = if draft.seen_ms.is_some() { href(&draft.id) } else { APPLICATIONS.0.to_owned() };
    html(status, Row::Page, &ApplicationFormPage { layout: visit.layout(), csrf: session.csrf.clone(), draft, back, error, wrong_field })
}
