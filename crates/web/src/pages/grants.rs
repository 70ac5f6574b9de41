//! Grants that can be used: my own, with what takes them back, and those of everybody for an administrator.

use axum::response::Response;
use falconer_grants::{ConsentView, GRANT_REQUEST_PAGE, GrantGroup, GrantView, Revoking, WaitingRequest};
use falconer_login::Session;
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::records::{encode, lists, person, problem, sign_in};
use crate::pages::visit::{Posted, Visit, go};
use crate::views::people::{client_href, person_href};
use crate::views::words;
use crate::views::{DerivedRow, GrantsPage, GrantsRow, SiteRows, UnaskedRow, WaitingRow, html};

/// So many grants a page.
const ROWS: usize = 20;
/// So many scopes of a grant are shown.
const SCOPES: usize = 100;
pub(super) const REVOKED: &str = "The grant was revoked. What the site got is worth nothing now.";

/// `GET /me/grants`
pub(crate) async fn mine(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/me/grants")) };
    let now_ms = visit.web.clock.now_ms();
    let (query, grants) = (visit.searched("q"), &visit.web.grants);
    let acts = visit.web.auth.console_acts(&person(session)).map_err(problem)?;
    let found = grants.active_grants(session, &query, visit.parameter("from").as_deref(), ROWS).await?;
    let mut sites: Vec<SiteRows> = Vec::new();
    for grant in found.grants {
        let count = found.by_group.get(&grant.group()).copied().unwrap_or_default();
        add(&visit, &mut sites, &grant, count, row(&visit, &grant, acts.list_clients, now_ms));
    }
    let roles_to_review = match visit.parameter("grant") {
        Some(id) => grants.role_changes(session, &id).await?,
        None => Vec::new(),
    };
    let page = GrantsPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        everybody: false,
        lists: lists(acts, ""),
        next: found.next.map(|from| format!("/me/grants?q={}&from={}", encode(&query), encode(&from))),
        query,
        total: found.total,
        roles_to_review,
        sites,
        waiting: grants.waiting_requests(session).await?.into_iter().map(|request| waiting(request, now_ms)).collect(),
        unasked: grants.consents_of(session).await?.into_iter().map(unasked).collect(),
        notice: match visit.parameter("done").as_deref() {
            Some("revoked") => Some(REVOKED),
            Some("widened") => Some("It gets another grant, with what it has and what you ticked, as soon as it comes for it."),
            Some("refused") => Some("Nothing more was given. Whoever asked is told so, and keeps what it has."),
            Some("forgotten") => Some("The application has to ask you the next time. What it was granted stays."),
            Some("all-revoked") => Some("These grants were revoked. What the sites got is worth nothing now."),
            _ => None,
        },
    };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

/// `POST /me/grants/revoke`: one, all of an application or a site, or all.
pub(crate) async fn revoke(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let grants = &form.visit.web.grants;
    let (id, site) = (form.field("grant"), form.field("site"));
    if !id.is_empty() {
        grants.revoke(session, id).await?;
        let about = if has_left_roles(&form.visit, session, id).await { format!("&grant={}", encode(id)) } else { String::new() };
        return Ok(go(&format!("/me/grants?done=revoked{about}")));
    }
    let application = form.fields().find(|(name, _)| *name == "application").map(|(_, application)| application.to_owned());
    let group = application.map(|application| GrantGroup { origin: site.to_owned(), application });
    let which = match site {
        "" if form.ticked("all") => Revoking::All,
        "" => {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "This form can't be used", "Go back and choose what to revoke.")
                .with_link("/me/grants", "Go to your grants"));
        }
        site => group.as_ref().map_or(Revoking::Site(site), Revoking::Group),
    };
    grants.revoke_many(session, which).await?;
    Ok(go("/me/grants?done=all-revoked"))
}

/// Whether roles were changed with a grant that was revoked: they stay as they are, and the page to go to lists them for review. Where the database is away
/// behind the revocation, nobody is told so in place of that.
pub(super) async fn has_left_roles(visit: &Visit, session: &Session, grant: &str) -> bool {
    match visit.web.grants.role_changes(session, grant).await {
        Ok(roles) => !roles.is_empty(),
        Err(error) => {
            tracing::warn!(%error, grant, "a grant was revoked, and the roles that were changed with it can't be listed");
            false
        }
    }
}

/// `GET /auth/grants`
pub(crate) async fn everybody(visit: Visit) -> Result<Response, Problem> {
    let Some(session) = &visit.session else { return Ok(sign_in(&visit, "/auth/grants")) };
    let now_ms = visit.web.clock.now_ms();
    let (who, auth, query) = (person(session), &visit.web.auth, visit.searched("q"));
    let acts = auth.console_acts(&who).map_err(problem)?;
    let found = visit.web.grants.grants_of_everybody(&who, &query, visit.parameter("from"), ROWS).map_err(problem)?;
    let mut sites: Vec<SiteRows> = Vec::new();
    for grant in found.grants {
        let (identity, id) = (&grant.record.identity, &grant.record.id);
        let may_revoke = auth.person_acts(&who, identity).map_err(problem)?.revoke_grants;
        let ask = || format!("/auth/people/confirm?id={}&action=revoke&grant={}", encode(identity), encode(id));
        let row = GrantsRow {
            revoke_href: may_revoke.then(ask),
            person: Some((identity.clone(), person_href(identity))),
            parent: grant.record.parent.clone(),
            ..row(&visit, &grant, acts.list_clients, now_ms)
        };
        add(&visit, &mut sites, &grant, 0, row);
    }
    let page = GrantsPage {
        layout: visit.layout(),
        csrf: session.csrf.clone(),
        everybody: true,
        lists: lists(acts, "/auth/grants"),
        next: found.next.map(|from| format!("/auth/grants?q={}&from={}", encode(&query), encode(&from))),
        query,
        total: 0,
        roles_to_review: Vec::new(),
        sites,
        waiting: Vec::new(),
        unasked: Vec::new(),
        notice: (visit.parameter("done").as_deref() == Some("revoked")).then_some(REVOKED),
    };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

/// Puts a grant below what it went to: behind the one before, where that went to the same.
fn add(visit: &Visit, sites: &mut Vec<SiteRows>, grant: &GrantView, count: usize, row: GrantsRow) {
    let (site, name) = (grant.record.target_origin.as_str(), grant.application());
    match sites.last_mut().filter(|last| last.site == site && last.name.as_deref() == name) {
        Some(last) => last.rows.push(row),
        None => sites.push(SiteRows {
            site: site.to_owned(),
            name: name.map(str::to_owned),
            calls_itself: name.and_then(|name| visit.web.grants.calls_itself(name)),
            count,
            rows: vec![row],
        }),
    }
}

fn waiting(request: WaitingRequest, now_ms: i64) -> WaitingRow {
    WaitingRow {
        href: format!("{GRANT_REQUEST_PAGE}?id={}", encode(&request.id)),
        wants: if request.scopes == 0 { "more time".to_owned() } else { format!("{} more", words::count(request.scopes, "scope")) },
        site: request.site,
        name: request.name,
        reason: request.reason,
        since: words::since(request.requested_ms, now_ms),
    }
}

fn unasked(consent: ConsentView) -> UnaskedRow {
    UnaskedRow {
        ends: words::date_time(consent.ends_ms),
        ends_machine: words::machine_time(consent.ends_ms),
        application: consent.application,
        name: consent.name,
        site: consent.origin,
        gives: consent.gives,
        knows_identity: consent.knows_identity,
        tells_groups: consent.tells_groups,
    }
}

fn row(visit: &Visit, view: &GrantView, links_clients: bool, now_ms: i64) -> GrantsRow {
    let grant = &view.record;
    GrantsRow {
        id: grant.id.clone(),
        called: grant.name.clone(),
        person: None,
        everything: grant.everything,
        gives: visit.web.grants.in_words(grant.scopes.iter().take(SCOPES).map(String::as_str)),
        count: grant.scopes.len(),
        more: grant.scopes.len().saturating_sub(SCOPES),
        knows_identity: !grant.identity_for.is_empty(),
        tells_groups: view.tells_groups,
        ends: words::until(grant.expires_ms, now_ms),
        ends_exact: words::date_time(grant.expires_ms),
        ends_machine: words::machine_time(grant.expires_ms),
        used: grant.last_used_ms.map_or_else(|| "never used".to_owned(), |at_ms| format!("used {}", words::since(at_ms, now_ms))),
        created: words::since(grant.created_ms, now_ms),
        clients: view.clients.iter().map(|client| (client.clone(), links_clients.then(|| client_href(client)))).collect(),
        revoke_href: None,
        purpose: grant.purpose.clone(),
        parent: None,
        widens: grant.widens.clone(),
        derived: derived(visit, view, links_clients, now_ms),
    }
}

/// All that was derived, each behind what it was derived from.
fn derived(visit: &Visit, view: &GrantView, links_clients: bool, now_ms: i64) -> Vec<DerivedRow> {
    let mut rows = Vec::new();
    for below in &view.derived {
        let mut one = row(visit, below, links_clients, now_ms);
        let deeper = std::mem::take(&mut one.derived);
        rows.push(DerivedRow { depth: 1, row: one });
        rows.extend(deeper.into_iter().map(|further| DerivedRow { depth: further.depth + 1, ..further }));
    }
    rows
}
