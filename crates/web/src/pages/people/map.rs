//! What somebody would get from an identity provider of the configuration.

use axum::response::Response;
use falconer_auth::ApiError;
use falconer_login::{Session, WouldGet};
use http::StatusCode;
use serde_json::{Map, Value};

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::records::{person, problem, sign_in};
use crate::pages::refusal::Refusal;
use crate::pages::visit::{Posted, Visit};
use crate::views::people::{MapPage, RefusedRow, WouldGetView};
use crate::views::{Family, html};

/// What the page begins with.
const EXAMPLE: &str = r#"{
  "sub": "4711",
  "name": "Ann Example",
  "email": "ann@example.com",
  "email_verified": true,
  "groups": ["staff"]
}"#;

/// `GET /auth/people/map`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/auth/people/map")) };
    let page = MapPage { claims: EXAMPLE.to_owned(), ..empty(&visit, session).map_err(problem)? };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

/// `POST /auth/people/map`: writes nothing.
pub(crate) async fn map(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let visit = &form.visit;
    let (provider, claims) = (form.field("provider").to_owned(), form.field("claims").replace("\r\n", "\n"));
    let page = MapPage { provider, claims, ..empty(visit, session).map_err(problem)? };
    let claims: Result<Map<String, Value>, ApiError> =
        serde_json::from_str(&page.claims).map_err(|error| ApiError::InputError(format!("The claims are no JSON object: {error}")));
    match claims.and_then(|claims| visit.web.login.map_person(&person(session), &page.provider, &claims)) {
        Ok(found) => Ok(html(StatusCode::OK, Row::Page, &MapPage { found: Some(view(found)), ..page })),
        Err(error) => {
            let refusal = Refusal::of(error)?;
            Ok(html(refusal.status, Row::Page, &MapPage { error: Some(refusal.text), ..page }))
        }
    }
}

fn empty(visit: &Visit, session: &Session) -> Result<MapPage, ApiError> {
    Ok(MapPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        providers: visit.web.login.mapped_providers(&person(session))?,
        provider: String::new(),
        claims: String::new(),
        found: None,
        error: None,
    })
}

fn view(found: WouldGet) -> WouldGetView {
    let mut facts = vec![];
    if found.only_authorizes {
        facts.push(("What it is", "what is added to whoever signs in elsewhere".to_owned()));
    } else {
        facts.push(("Name", found.attributes.display_name));
    }
    facts.extend(found.attributes.username.map(|username| ("Calls themself", username)));
    facts.push(("E-mail that counts", found.mapped.email.unwrap_or_else(|| "none".to_owned())));
    let refused = found.mapped.refused.into_iter().map(|refused| RefusedRow {
        attribute: refused.attribute,
        value: refused.value,
        template: refused.template,
        why: refused.why,
    });
    WouldGetView {
        identity: found.mapped.identity,
        facts,
        groups: found.mapped.groups,
        other_groups: found.mapped.other_groups,
        scopes: found.mapped.scopes,
        expanded: Family::sort(found.expanded.iter(), ""),
        refused: refused.collect(),
    }
}
