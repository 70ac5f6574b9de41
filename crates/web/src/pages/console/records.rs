//! Clients and roles, for reading: lists that can be searched, and a page each. What a person may see is what the API would let them see: the
//! use cases decide.
//!
//! An id is a parameter and no part of the path, so that each one has a page, whatever it is made of.

use axum::response::Response;
use falconer_auth::{
    ApiError, Authentication, ClientActs, ClientView, ConsoleActs, Page, PageQuery, RoleActs, RoleView, STATIC_CLIENT_NOTE, Snapshot, Start,
};
use falconer_login::Session;
use falconer_scopes::ScopeSet;
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::{Problem, sentence};
use crate::pages::refusal::named;
use crate::pages::visit::{Visit, go};
use crate::views::words;
use crate::views::{Family, HistoryRow, RecordHistory, RecordPage, RecordRow, RecordsPage, html};

pub(super) const CLIENTS: (&str, &str) = ("/auth/clients", "Clients");
pub(super) const ROLES: (&str, &str) = ("/auth/roles", "Roles");
pub(crate) const PEOPLE: (&str, &str) = ("/auth/people", "People");
pub(crate) const GRANTS: (&str, &str) = ("/auth/grants", "Grants");
pub(crate) const APPLICATIONS: (&str, &str) = ("/auth/applications", "Applications");
pub(crate) const INITIAL_TOKENS: (&str, &str) = ("/auth/applications/tokens", "Initial access tokens");
pub(super) const SCOPE_REGISTRIES: (&str, &str) = ("/auth/scope-registries", "Sentences about scopes");
pub(super) const SCOPES: (&str, &str) = ("/auth/scopes", "Scopes");
pub(super) const HISTORY: (&str, &str) = ("/auth/audit", "History");
pub(super) const EXPLAIN: (&str, &str) = ("/auth/explain", "Refusals");
/// A page has at least as many rows, where there are as many: it takes whole parts.
const ROWS: usize = 50;
/// How many records are looked at at once.
const PART: u64 = 50;
/// How many records a search looks at for one page: an expansion each.
const SEARCHED: usize = 2000;

/// `GET /auth/clients`
pub(crate) async fn clients(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, CLIENTS.0)) };
    let who = person(session);
    let now_ms = visit.web.clock.now_ms();
    if let Some(id) = visit.parameter("id") {
        let client = visit.web.auth.client(&who, &id).map_err(problem)?;
        let acts = visit.web.auth.client_acts(&who, &id).map_err(problem)?;
        let page = client_page(&visit, client, acts, &visit.web.auth.directory(), now_ms);
        let page = with_history(&visit, &who, "client", page).await?;
        return Ok(html(StatusCode::OK, Row::Page, &page));
    }
    let directory = visit.web.auth.directory();
    list(&visit, session, CLIENTS, |query| {
        let page = visit.web.auth.list_clients(&who, "", query)?;
        Ok(Page { items: page.items.into_iter().map(|client| client_found(client, &directory, now_ms)).collect(), next: page.next })
    })
}

/// `GET /auth/roles`
pub(crate) async fn roles(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, ROLES.0)) };
    let who = person(session);
    let now_ms = visit.web.clock.now_ms();
    if let Some(id) = visit.parameter("id") {
        let role = visit.web.auth.role(&who, &id).map_err(problem)?;
        let acts = visit.web.auth.role_acts(&who, &id).map_err(problem)?;
        let page = with_history(&visit, &who, "role", role_page(&visit, role, acts)).await?;
        return Ok(html(StatusCode::OK, Row::Page, &page));
    }
    list(&visit, session, ROLES, |query| {
        let page = visit.web.auth.list_roles2(&who, Some(query))?;
        Ok(Page { items: page.items.into_iter().map(|role| role_found(role, now_ms)).collect(), next: page.next })
    })
}

/// The lists that somebody may see, without the one at `here`: where, and the title.
pub(crate) fn lists(acts: ConsoleActs, here: &str) -> Vec<(&'static str, &'static str)> {
    let all = [
        (acts.list_clients, CLIENTS),
        (acts.list_roles, ROLES),
        (acts.list_people, PEOPLE),
        (acts.list_grants, GRANTS),
        (acts.list_applications, APPLICATIONS),
        (acts.list_initial_tokens, INITIAL_TOKENS),
        (acts.list_scope_registries, SCOPE_REGISTRIES),
        (acts.expand, SCOPES),
        (acts.history, HISTORY),
        (acts.explain, EXPLAIN),
    ];
    all.into_iter().filter(|(may, list)| *may && list.0 != here).map(|(_, list)| list).collect()
}

/// Whoever is signed in, by the identity with which they signed in: they may do what all of the person's give, and the history names this one.
pub(crate) fn person(session: &Session) -> Authentication {
    Authentication::person(&session.identity)
}

/// Signing in leads back to the very page.
pub(crate) fn sign_in(visit: &Visit, path: &str) -> Response {
    let here = if visit.query.is_empty() { path.to_owned() } else { format!("{path}?{}", visit.query) };
    go(&format!("/login?next={}", encode(&here)))
}

pub(crate) fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A row, and what the record gives.
pub(crate) type Found = (RecordRow, ScopeSet);

/// A list that can be searched: `part` gives a part of it.
pub(crate) fn list(
    visit: &Visit,
    session: &Session,
    (path, title): (&'static str, &'static str),
    part: impl Fn(PageQuery) -> Result<Page<Found>, ApiError>,
) -> Result<Response, Problem> {
    let (query, scope) = (visit.searched("q"), visit.searched("scope"));
    let needle = query.to_lowercase();
    let mut start = visit.parameter("from").map_or(Start::Offset(0), Start::After);
    let (mut rows, mut searched, mut next) = (Vec::new(), 0, None);
    // A search that finds little stops after a while, and the next page goes on from there.
    while rows.len() < ROWS && searched < SEARCHED {
        let page = part(PageQuery { start, limit: PART }).map_err(problem)?;
        searched += page.items.len();
        rows.extend(page.items.into_iter().filter_map(|(row, scopes)| {
            let found = row.id.to_lowercase().contains(&needle) && (scope.is_empty() || scopes.satisfies(&scope));
            found.then_some(row)
        }));
        next = page.next.clone();
        match page.next {
            Some(more) => start = more,
            None => break,
        }
    }
    let stopped = next.is_some() && rows.len() < ROWS;
    let next = next.and_then(|start| match start {
        Start::After(id) => Some(id),
        Start::Offset(_) => None,
    });
    let next = next.map(|from| format!("{path}?q={}&scope={}&from={}", encode(&query), encode(&scope), encode(&from)));
    let acts = visit.web.auth.console_acts(&person(session)).map_err(problem)?;
    let page = RecordsPage {
        layout: visit.layout(),
        title,
        path,
        others: lists(acts, path),
        may_create: [(CLIENTS, acts.create_client), (ROLES, acts.create_role), (APPLICATIONS, acts.create_application)]
            .into_iter()
            .any(|(list, may)| may && list.0 == path),
        query,
        scope,
        rows,
        next,
        stopped,
        searched,
        notice: notice(visit),
    };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

/// When a client that was made with a grant ends in fact: with the grant, or with its own end before. A grant that nobody remembers is over.
fn end_ms(client: &ClientView, directory: &Snapshot, now_ms: i64) -> i64 {
    let Some(id) = &client.grant else { return client.expires_ms };
    let of_grant = directory.grant(id).map(|grant| grant.record.revoked_ms.unwrap_or(grant.record.expires_ms).min(grant.record.expires_ms));
    client.expires_ms.min(of_grant.unwrap_or(now_ms))
}

fn client_found(client: ClientView, directory: &Snapshot, now_ms: i64) -> Found {
    let end_ms = end_ms(&client, directory, now_ms);
    let row = RecordRow {
        href: format!("{}?id={}", CLIENTS.0, encode(&client.client_id)),
        state: state(&client, end_ms, now_ms),
        scopes: client.scopes.len(),
        time: if end_ms <= now_ms {
            format!("ended {}", words::since(end_ms, now_ms))
        } else {
            format!("ends {}", words::until(end_ms, now_ms))
        },
        id: client.client_id,
        description: own_description(client.description),
    };
    (row, client.expanded_scopes)
}

/// Without the note that the protocol puts behind that of a static client: the page says it in words of its own.
fn own_description(mut description: String) -> String {
    if let Some(own) = description.strip_suffix(STATIC_CLIENT_NOTE) {
        description.truncate(own.len());
    }
    description
}

fn role_found(role: RoleView, now_ms: i64) -> Found {
    let row = RecordRow {
        href: format!("{}?id={}", ROLES.0, encode(&role.role_id)),
        state: Vec::new(),
        scopes: role.scopes.len(),
        time: format!("changed {}", words::since(role.last_modified_ms, now_ms)),
        id: role.role_id,
        description: role.description,
    };
    (row, role.expanded_scopes)
}

fn state(client: &ClientView, end_ms: i64, now_ms: i64) -> Vec<&'static str> {
    [
        (client.disabled, "disabled"),
        (client.expires_ms <= now_ms, "expired"),
        (end_ms <= now_ms && client.expires_ms > now_ms, "ended with its grant"),
        (client.client_id.starts_with("static/"), "static"),
        (client.grant.is_some(), "made with a grant"),
    ]
    .into_iter()
    .filter_map(|(is, word)| is.then_some(word))
    .collect()
}

fn client_page(visit: &Visit, client: ClientView, acts: ClientActs, directory: &Snapshot, now_ms: i64) -> RecordPage {
    let at = |at_ms| words::date_time(at_ms);
    let end_ms = end_ms(&client, directory, now_ms);
    let never_used = client.last_date_used_ms <= client.created_ms;
    let mut facts = vec![
        if end_ms <= now_ms { ("Ended", at(end_ms)) } else { ("Ends", at(end_ms)) },
        ("Created", at(client.created_ms)),
        ("Changed", at(client.last_modified_ms)),
        ("Token made", at(client.last_rotated_ms)),
        (
            "Last used",
            if never_used {
                "never, or within six hours after it was made".to_owned()
            } else {
                format!("{}, or up to six hours later", at(client.last_date_used_ms))
            },
        ),
        ("At its end", if client.delete_on_expiration { "may be deleted" } else { "is kept" }.to_owned()),
    ];
    if let Some(grant) = &client.grant {
        facts.push(("Made with grant", grant.clone()));
        facts.push(("Its own end", at(client.expires_ms)));
    }
    if let Some(ends_ms) = client.old_token_ends_ms {
        facts.push(("Old access token", format!("works until {}", at(ends_ms))));
    }
    if let Some(from_ms) = client.certificates_from_ms {
        facts.push(("Temporary credentials", format!("count if they start at {} or later", at(from_ms))));
    }
    for (seed, until_ms) in &client.revoked_seeds {
        facts.push(("Revoked one", format!("{seed}, remembered until {}", at(*until_ms))));
    }
    let is_static = client.client_id.starts_with("static/");
    RecordPage {
        layout: visit.layout(),
        notice: notice(visit),
        actions: client_actions(&client, acts),
        fixed: if client.client_id.starts_with("static/falconer/") {
            Some("It belongs to Falconer itself, and nobody changes it.")
        } else {
            is_static.then_some("It comes from the configuration, and is changed there.")
        },
        history: RecordHistory::default(),
        kind: "Client",
        path: CLIENTS.0,
        lists: vec![],
        state: state(&client, end_ms, now_ms),
        facts,
        expanded: Family::sort(client.expanded_scopes.iter(), ""),
        id: client.client_id,
        description: own_description(client.description),
        scopes: client.scopes,
    }
}

/// Of what can be done with a client, what this person may do.
fn client_actions(client: &ClientView, acts: ClientActs) -> Vec<(String, &'static str, bool)> {
    let id = encode(&client.client_id);
    let ask = |action: &str| format!("/auth/clients/confirm?id={id}&action={action}");
    let all = [
        (acts.update, (format!("/auth/clients/edit?id={id}"), "Edit", false)),
        (acts.reset, (ask("reset"), "New access token", false)),
        (acts.reset && client.old_token_ends_ms.is_some(), (ask("end-old-token"), "End old access token", false)),
        (acts.enable && client.disabled, (ask("enable"), "Enable", false)),
        (acts.disable && !client.disabled, (ask("disable"), "Disable", false)),
        (acts.revoke_certificates, (ask("revoke-certificates"), "Revoke temporary credentials", false)),
        (acts.delete, (ask("delete"), "Delete", true)),
    ];
    all.into_iter().filter_map(|(may, action)| may.then_some(action)).collect()
}

/// What has just been done, for the page that a form led to.
fn notice(visit: &Visit) -> Option<&'static str> {
    match visit.parameter("done")?.as_str() {
        "saved" => Some("Saved."),
        "disabled" => Some("The client was disabled: its credentials don't work any more."),
        "enabled" => Some("The client was enabled."),
        "old-token-ended" => Some("The old access token was ended: it doesn't work any more."),
        "revoked" => Some("The temporary credentials were revoked: they don't work any more."),
        "deleted" => Some("Deleted."),
        _ => None,
    }
}

/// With what happened to the record and the other pages, as far as the person may see them.
async fn with_history(visit: &Visit, who: &Authentication, kind: &str, page: RecordPage) -> Result<RecordPage, Problem> {
    let page = RecordPage { lists: lists(visit.web.auth.console_acts(who).map_err(problem)?, ""), ..page };
    let history = history_of(visit, who, kind, (page.path, &page.id)).await?;
    Ok(RecordPage { history, ..page })
}

/// What happened to a record whose page is at `path`, as far as the person may see it.
pub(crate) async fn history_of(
    visit: &Visit,
    who: &Authentication,
    kind: &str,
    (path, id): (&str, &str),
) -> Result<RecordHistory, Problem> {
    let start = visit.parameter("history").filter(|row| row.parse::<i64>().is_ok()).map_or(Start::Offset(0), Start::After);
    let found = match visit.web.auth.entity_history(who, kind, id, PageQuery { start, limit: PART }).await {
        Err(ApiError::InsufficientScopes { .. }) => {
            return Ok(RecordHistory { needs: Some(format!("auth:audit-history:{kind}")), ..RecordHistory::default() });
        }
        found => found.map_err(problem)?,
    };
    let rows = found.items.into_iter().map(|entry| HistoryRow {
        what: entry.action_type,
        who: entry.client_id,
        at: words::date_time(entry.created_ms),
        at_machine: words::machine_time(entry.created_ms),
    });
    let next = found.next.and_then(|start| match start {
        Start::Offset(_) => None,
        Start::After(row) => Some(format!("{path}?id={}&history={row}#history", encode(id))),
    });
    Ok(RecordHistory { rows: rows.collect(), next, needs: None })
}

fn role_page(visit: &Visit, role: RoleView, acts: RoleActs) -> RecordPage {
    let id = encode(&role.role_id);
    let actions = [
        (acts.update, (format!("/auth/roles/edit?id={id}"), "Edit", false)),
        (acts.delete, (format!("/auth/roles/confirm?id={id}"), "Delete", true)),
    ];
    RecordPage {
        layout: visit.layout(),
        notice: notice(visit),
        actions: actions.into_iter().filter_map(|(may, action)| may.then_some(action)).collect(),
        fixed: None,
        history: RecordHistory::default(),
        kind: "Role",
        path: ROLES.0,
        lists: vec![],
        state: Vec::new(),
        facts: vec![("Created", words::date_time(role.created_ms)), ("Changed", words::date_time(role.last_modified_ms))],
        expanded: Family::sort(role.expanded_scopes.iter(), ""),
        id: role.role_id,
        description: role.description,
        scopes: role.scopes,
    }
}

/// A use case's answer, for people.
pub(crate) fn problem(error: ApiError) -> Problem {
    let own_page = |problem: Problem| problem.with_link("/", "Go to your own page");
    match error {
        ApiError::InsufficientScopes { missing, .. } => own_page(Problem::new(
            StatusCode::FORBIDDEN,
            "You may not see this",
            format!("You need {}, and don't have it.", named(&missing)),
        )),
        error @ ApiError::OutlivesGrant { .. } => {
            own_page(Problem::new(StatusCode::FORBIDDEN, "That can't be done", sentence(&error.to_string())))
        }
        ApiError::ResourceNotFound(text) => own_page(Problem::new(StatusCode::NOT_FOUND, "That is not there", sentence(&text))),
        ApiError::AuthenticationFailed(_) => Problem::signed_out(),
        ApiError::InvalidRequestArguments(text) | ApiError::InputError(text) => {
            own_page(Problem::new(StatusCode::BAD_REQUEST, "That can't be done", sentence(&text)))
        }
        ApiError::RequestConflict(text) => own_page(Problem::new(StatusCode::CONFLICT, "That can't be done", sentence(&text))),
        ApiError::TooManyRequests { retry_after_seconds } => Problem::too_many_attempts(retry_after_seconds),
        error
        @ (ApiError::ClockBehind { .. } | ApiError::ClockAhead { .. } | ApiError::CutOff { .. } | ApiError::TokenNotOpened { .. }) => {
            tracing::warn!(%error, "unavailable");
            Problem::unavailable(&error.to_string())
        }
        ApiError::Unavailable(detail) => {
            tracing::warn!(detail, "unavailable");
            Problem::unavailable("its database does not answer")
        }
        ApiError::OutcomeUnknown(detail) => {
            tracing::warn!(detail, "outcome unknown");
            Problem::outcome_unknown()
        }
        ApiError::Internal(detail) => {
            tracing::error!(detail, "internal error");
            Problem::internal()
        }
    }
}
