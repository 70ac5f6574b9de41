//! The list of applications, and one of them. Who may not see all sees their own.

use axum::response::Response;
use falconer_auth::{ANYTHING, ApiError, ApplicationActs, ApplicationRecord, Page, PageQuery};
use falconer_scopes::ScopeSet;
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::records::{APPLICATIONS, encode, history_of, list, lists, person, problem, sign_in};
use crate::pages::visit::Visit;
use crate::views::words;
use crate::views::{ApplicationPage, RecordRow, html};

/// `GET /auth/applications`
pub(crate) async fn show(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, APPLICATIONS.0)) };
    let who = person(session);
    if let Some(id) = visit.parameter("id") {
        let record = visit.web.grants.application(&who, &id).map_err(problem)?;
        let acts = visit.web.auth.application_acts(&who, &id).map_err(problem)?;
        let others = lists(visit.web.auth.console_acts(&who).map_err(problem)?, "");
        let history = history_of(&visit, &who, "application", (APPLICATIONS.0, &id)).await?;
        let page = ApplicationPage {
            layout: visit.layout(),
            lists: others,
            notice: (visit.parameter("done").as_deref() == Some("saved")).then_some("Saved."),
            name: record.name.clone(),
            description: record.description.clone(),
            facts: facts(&record, visit.web.clock.now_ms()),
            redirect_uris: record.redirect_uris.clone(),
            scopes: record.scopes.clone(),
            actions: actions(&record, acts),
            history,
            id,
        };
        return Ok(html(StatusCode::OK, Row::Page, &page));
    }
    let now_ms = visit.web.clock.now_ms();
    let own = visit.web.auth.applications_owned_by(&session.identity);
    list(&visit, session, APPLICATIONS, |query: PageQuery| {
        let page = match visit.web.grants.list_applications(&who, &query) {
            Err(ApiError::InsufficientScopes { .. }) if !own.is_empty() => Page { items: own.clone(), next: None },
            found => found?,
        };
        Ok(Page { items: page.items.iter().map(|record| found(record, now_ms)).collect(), next: page.next })
    })
}

fn found(record: &ApplicationRecord, now_ms: i64) -> (RecordRow, ScopeSet) {
    let row = RecordRow {
        id: record.id.clone(),
        href: href(&record.id),
        description: record.name.clone(),
        scopes: record.scopes.len(),
        state: std::iter::once(kind(record)).chain(record.registration.as_ref().map(|_| "registered itself")).collect(),
        time: format!("changed {}", words::since(record.last_modified_ms, now_ms)),
    };
    (row, ScopeSet::new(&record.scopes))
}

/// The page of one.
pub(super) fn href(id: &str) -> String {
    format!("{}?id={}", APPLICATIONS.0, encode(id))
}

fn kind(record: &ApplicationRecord) -> &'static str {
    if record.confidential { "confidential" } else { "public" }
}

fn consent_in_words(record: &ApplicationRecord) -> String {
    match (record.skip_consent, record.remember_ms) {
        (true, _) => "not at all".to_owned(),
        (false, 0) => "each time".to_owned(),
        (false, ms) => format!("each time, or once in {} where they want that", words::exact_duration(ms)),
    }
}

fn facts(record: &ApplicationRecord, now_ms: i64) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Kind", kind(record).to_owned()),
        ("Longest grant", words::exact_duration(record.max_life_ms)),
        ("People are asked", consent_in_words(record)),
        ("Owner", if record.owner.is_empty() { "nobody".to_owned() } else { record.owner.clone() }),
    ];
    if !record.keys.is_empty() {
        facts.push(("Proves itself by", words::count(record.keys.len(), "key")));
    }
    if record.agent {
        facts.push(("Acts of its own accord", "its grants are short unless people say otherwise".to_owned()));
    }
    if record.pushed_only {
        facts.push(("Its requests", "have to be pushed".to_owned()));
    }
    if record.needed_no_token() && record.scopes.iter().any(|scope| scope == ANYTHING) {
        let text = "anything, as a site that nobody registered; without *, only what else is written. Where its request names nothing, that is what it asks for";
        facts.push(("May ask for", text.to_owned()));
    }
    if record.scopes.iter().any(|scope| scope == "openid") {
        facts.push(("ID tokens", format!("signed by {}", record.id_token_alg.as_str())));
    }
    if !record.backchannel_logout_uri.is_empty() {
        facts.push(("Told of signing out", record.backchannel_logout_uri.clone()));
    }
    if let Some(registration) = &record.registration {
        let with = registration
            .initial_token
            .as_ref()
            .map_or_else(|| "without a token".to_owned(), |id| format!("with the initial access token {id}"));
        facts.push(("Registered itself", format!("{with}; nobody of this server has checked it")));
        facts.push(("Last granted something", registration.granted_ms.map_or_else(|| "never".to_owned(), words::date_time)));
    }
    if let Some(since_ms) = record.secret_made_ms {
        facts.push(("Secret made", words::date_time(since_ms)));
    }
    if let Some(end_ms) = record.old_secret_ends_ms.filter(|end_ms| *end_ms > now_ms) {
        facts.push(("The secret before works until", words::date_time(end_ms)));
    }
    facts.push(("Registered", words::date_time(record.created_ms)));
    facts.push(("Changed", words::date_time(record.last_modified_ms)));
    facts
}

/// Of what can be done with it, what this person may do.
fn actions(record: &ApplicationRecord, acts: ApplicationActs) -> Vec<(String, &'static str, bool)> {
    let id = encode(&record.id);
    let ask = |action: &str| format!("{}/confirm?id={id}&action={action}", APPLICATIONS.0);
    let all = [
        (acts.update, (format!("{}/edit?id={id}", APPLICATIONS.0), "Edit", false)),
        (acts.update && record.secret_hash.is_some(), (ask("secret"), "New secret", false)),
        (acts.update && record.secret_hash.is_some(), (ask("secret_now"), "Replace the secret at once", true)),
        (acts.delete, (ask("delete"), "Delete", true)),
    ];
    all.into_iter().filter_map(|(may, action)| may.then_some(action)).collect()
}
