//! A person's own page, and what its buttons do.

use axum::response::Response;
use falconer_grants::{GrantView, encode_component};
use falconer_login::{Session, SignInMethod};
use http::StatusCode;

use super::visit::{Posted, Visit, go, person_line};
use super::{browser, grants};
use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::console::records::{lists, person, problem};
use crate::pages::sign_in::{login, passkeys};
use crate::views::words;
use crate::views::{Family, GrantRow, IdentityRow, MePage, OriginRow, SessionRow, html};

/// So many grants are shown; all of them have a page of their own.
const MOST_GRANTS: usize = 10;

/// The page of whoever is signed in.
pub(super) async fn page(visit: &Visit, session: &Session) -> Result<Response, Problem> {
    let now_ms = visit.web.clock.now_ms();
    let scopes = visit.web.auth.person_scopes(&session.person.identity).unwrap_or_default();
    let query = visit.searched("q");
    let sessions = visit.web.login.sessions(session).await?;
    let roles_to_review = match visit.parameter("grant") {
        Some(id) => visit.web.grants.role_changes(session, &id).await?,
        None => Vec::new(),
    };
    let (count, stand) = match session.account_name() {
        Some(name) => (visit.web.login.passkeys(name).await?.len(), visit.web.login.recovery_codes(name).await?),
        None => Default::default(),
    };
    let acts = visit.web.auth.console_acts(&person(session)).map_err(problem)?;
    let (grants, grant_total) = grants(visit, session, now_ms).await?;
    let page = MePage {
        passkeys: count,
        codes: passkeys::codes(&stand, now_ms),
        by_recovery_code: session.method == SignInMethod::RecoveryCode,
        layout: visit.layout(),
        roles_to_review,
        csrf: session.csrf.clone(),
        notice: visit.parameter("done").as_deref().and_then(notice).map(str::to_owned),
        lists: lists(acts, ""),
        may_list_clients: acts.list_clients,
        person: person_line(session),
        email: session.person.email.clone(),
        groups: session.person.groups.clone(),
        form_time: visit.web.login.form_time(session),
        identities: identities(session),
        can_change_password: session.account_name().is_some(),
        total: scopes.len(),
        families: Family::sort(scopes.iter(), &query),
        query,
        grants,
        grant_total,
        waiting: visit.web.grants.waiting_requests(session).await?.len(),
        origins: origins(visit, session, now_ms).await?,
        sessions: sessions
            .into_iter()
            .map(|session| SessionRow {
                by: format!("{} {}", session.identity, in_words(session.method)),
                browser: browser::name(&session.user_agent),
                created: words::since(session.created_ms, now_ms),
                seen: words::since(session.last_seen_ms, now_ms),
                address: session.address,
                this_one: session.current,
                id: session.id,
            })
            .collect(),
    };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

fn notice(done: &str) -> Option<&'static str> {
    match done {
        "revoked" => Some(grants::REVOKED),
        "saved" => Some("Saved."),
        "deleted" => Some("Deleted."),
        "forgotten" => Some("The site was forgotten: its name has to be typed again before anything is granted to it."),
        "linked" => Some("The accounts are linked. All other sessions of both were ended."),
        "not-linked" => Some("Nothing was linked."),
        "unlinked" => Some("The account was unlinked, and its sessions were ended."),
        "named" => Some("New clients and grants have that name from now on."),
        "session" => Some("The session was ended."),
        "password-set" => Some("The password is set. You are still signed in as before: sign out to sign in with it."),
        "password" => Some("Your password was changed, and your other sessions were ended."),
        _ => None,
    }
}

pub(super) fn identities(session: &Session) -> Vec<IdentityRow> {
    let row = |linked: &falconer_login::Linked| IdentityRow {
        names: linked.identity == session.person.identity,
        this_one: linked.identity == session.identity,
        active: linked.active,
        identity: linked.identity.clone(),
        display_name: linked.display_name.clone(),
    };
    session.person.linked.iter().map(row).collect()
}

fn in_words(method: SignInMethod) -> &'static str {
    match method {
        SignInMethod::Password => "with a password",
        SignInMethod::SetupLink => "with the set-up link",
        SignInMethod::Provider => "with an identity provider",
        SignInMethod::Passkey => "with a passkey",
        SignInMethod::RecoveryCode => "with a recovery code",
    }
}

/// The newest of them, and how many there are.
async fn grants(visit: &Visit, session: &Session, now_ms: i64) -> Result<(Vec<GrantRow>, usize), Problem> {
    // What was derived stands below what it was derived from, in the whole list.
    let active = visit.web.grants.open_grants_of(session).await?.into_iter().filter(|grant| grant.record.parent.is_none());
    let active: Vec<GrantView> = active.collect();
    let count = active.len();
    Ok((active.into_iter().take(MOST_GRANTS).map(|grant| row(visit, grant, now_ms)).collect(), count))
}

fn row(visit: &Visit, grant: GrantView, now_ms: i64) -> GrantRow {
    let name = grant.application().map(str::to_owned);
    let calls_itself = name.as_deref().and_then(|name| visit.web.grants.calls_itself(name));
    let grant = grant.record;
    GrantRow {
        called: grant.name,
        purpose: grant.purpose,
        name,
        calls_itself,
        site: grant.target_origin,
        may: if grant.everything {
            format!("may do all that it was offered: {}", words::count(grant.scopes.len(), "scope"))
        } else if grant.scopes.is_empty() {
            "may do nothing for you".to_owned()
        } else {
            format!("may use {}", words::count(grant.scopes.len(), "scope"))
        },
        knows_identity: !grant.identity_for.is_empty(),
        ends: words::until(grant.expires_ms, now_ms),
        ends_exact: words::date_time(grant.expires_ms),
        ends_machine: words::machine_time(grant.expires_ms),
        used: match grant.last_used_ms {
            Some(at_ms) => format!("used {}", words::since(at_ms, now_ms)),
            None => "never used".to_owned(),
        },
        created: words::since(grant.created_ms, now_ms),
        scopes: grant.scopes,
        id: grant.id,
    }
}

async fn origins(visit: &Visit, session: &Session, now_ms: i64) -> Result<Vec<OriginRow>, Problem> {
    let origins = visit.web.grants.remembered_origins(session).await?;
    Ok(origins.into_iter().map(|(origin, at_ms)| OriginRow { origin, since: words::since(at_ms, now_ms) }).collect())
}

/// `POST /me/revoke`
pub(crate) async fn revoke(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let id = form.field("grant");
    form.visit.web.grants.revoke(session, id).await?;
    Ok(if grants::has_left_roles(&form.visit, session, id).await {
        go(&format!("/?done=revoked&grant={}", encode_component(id)))
    } else {
        go("/?done=revoked#grants")
    })
}

/// `POST /me/forget`: a site whose name is typed, or an application that does not ask.
pub(crate) async fn forget(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let application = form.field("application");
    if !application.is_empty() {
        form.visit.web.grants.forget_consent(session, application).await?;
        return Ok(go("/me/grants?done=forgotten"));
    }
    form.visit.web.grants.forget_origin(session, form.field("origin")).await?;
    Ok(go("/?done=forgotten#sites"))
}

/// `POST /me/sessions`: ends another session of the same person.
pub(crate) async fn end_session(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    form.visit.web.login.end_session(session, form.field("session")).await?;
    Ok(go("/?done=session#sessions"))
}

/// `POST /me/signout-everywhere`: ends all sessions of the person, and all grants if so wished.
pub(crate) async fn sign_out_everywhere(form: Posted) -> Result<Response, Problem> {
    let session = form.session()?;
    let web = &form.visit.web;
    web.login.sign_out_everywhere(session, form.ticked("revoke_grants")).await?;
    Ok(login::forget(&web.settings.public_origin, "/login?done=signed-out-everywhere"))
}
