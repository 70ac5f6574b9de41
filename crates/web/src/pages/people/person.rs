//! The page of one person.

use axum::response::Response;
use falconer_auth::{ApiError, PageQuery, PersonActs, Start};
use falconer_grants::application_name;
use falconer_login::mail::MailOutcome;
use falconer_login::{AccountLinkKind, GrantLine, IdentityDetail, PersonDetail, Session, SessionView};
use http::StatusCode;

use crate::http::headers::Row;
use crate::http::problem::Problem;
use crate::pages::browser;
use crate::pages::console::records::{encode, lists, person, problem};
use crate::pages::grants::REVOKED;
use crate::pages::visit::Visit;
use crate::views::people::{IdentityCard, PersonGrantRow, PersonPage, person_href};
use crate::views::words;
use crate::views::{Family, HistoryRow, html};

/// So many rows of history a page.
const HISTORY: u64 = 50;

pub(super) async fn page(visit: &Visit, session: &Session, identity: &str) -> Result<Response, Problem> {
    let who = person(session);
    let detail = visit.web.login.person_detail(&who, identity).await.map_err(problem)?;
    let start = visit.parameter("history").filter(|row| row.parse::<i64>().is_ok()).map_or(Start::Offset(0), Start::After);
    let history = match visit.web.auth.person_history(&who, identity, PageQuery { start, limit: HISTORY }).await {
        Err(ApiError::InsufficientScopes { .. }) => None,
        found => Some(found.map_err(problem)?),
    };
    let now_ms = visit.web.clock.now_ms();
    let next = history.as_ref().and_then(|page| match &page.next {
        Some(Start::After(row)) => Some(format!("{}&history={row}#history", person_href(identity))),
        _ => None,
    });
    let own = detail.identity(identity);
    let auth = &visit.web.auth;
    let acts = auth.person_acts(&who, identity).map_err(problem)?;
    let mut cards = Vec::new();
    for known in &detail.identities {
        let acts = auth.person_acts(&who, &known.identity).map_err(problem)?;
        let counted = visit.web.login.counts_attempts_of(&known.identity);
        cards.push(card(known.clone(), identity, identity_actions(&detail, known, acts, counted)));
    }
    let page = PersonPage {
        layout: visit.layout(),
        lists: lists(auth.console_acts(&who).map_err(problem)?, ""),
        display_name: own.map(|own| own.display_name.clone()).unwrap_or_default(),
        state: state(&detail, own),
        facts: vec![("Known since", words::date_time(detail.created_ms)), ("Names what is new by", detail.name.clone())],
        actions: actions(&detail, own, identity, acts, visit.web.login.mails_links()),
        expanded: Family::sort(detail.scopes.iter(), ""),
        grants: detail.grants.into_iter().map(|grant| grant_row(grant, identity, acts.revoke_grants, now_ms)).collect(),
        sessions: detail.sessions.iter().map(|session| session_row(session, now_ms)).collect(),
        sign_out: acts.sign_out.then(|| ask(identity, "sign-out")),
        clients: detail.clients,
        more_clients: detail.more_clients,
        identities: cards,
        history_is_hidden: history.is_none(),
        history: history.map(|page| page.items).unwrap_or_default().into_iter().map(history_row).collect(),
        history_next: next,
        notice: visit.parameter("done").as_deref().and_then(notice),
        id: identity.to_owned(),
    };
    Ok(html(StatusCode::OK, Row::Page, &page))
}

fn notice(done: &str) -> Option<&'static str> {
    match done {
        "saved" => Some("Saved."),
        "disable" => Some("The person was disabled: they are signed out, and what they granted is worth nothing."),
        "enable" => Some("The person was enabled."),
        "unlock" => Some("They can try again to sign in."),
        "sign-out" => Some("They were signed out everywhere."),
        "unlink" => Some("It is a person of its own now, and its sessions were ended."),
        "name" => Some("New clients and grants have that name from now on."),
        "still" => Some("The provider was asked: what it says counts now."),
        "gone" => Some("The provider knows nobody like that any more: all that they had by this identity has ended."),
        "refused" => Some("The provider says nothing more until they sign in again, and what it said counts no more."),
        "additions-only" => Some("The provider can't be asked without them; directories that only authorize were asked."),
        "revoke" => Some(REVOKED),
        _ => None,
    }
}

fn ask(identity: &str, action: &str) -> String {
    format!("/auth/people/confirm?id={}&action={action}", encode(identity))
}

fn state(detail: &PersonDetail, own: Option<&IdentityDetail>) -> Vec<&'static str> {
    let account = own.and_then(|own| own.account.as_ref());
    let deleted = account.is_some_and(|account| account.deleted);
    let invited = account.and_then(|account| account.link.as_ref()).is_some_and(|link| link.kind == AccountLinkKind::Invitation);
    [
        (deleted, "deleted"),
        (detail.disabled, "disabled"),
        (own.is_some_and(|own| own.disabled) && !deleted, "this account is disabled"),
        (invited, "invited"),
    ]
    .into_iter()
    .filter_map(|(is, word)| is.then_some(word))
    .collect()
}

/// Of what can be done with the person, what whoever looks may do.
fn actions(
    detail: &PersonDetail,
    own: Option<&IdentityDetail>,
    identity: &str,
    acts: PersonActs,
    can_mail: bool,
) -> Vec<(String, &'static str, bool)> {
    let account = own.and_then(|own| own.account.as_ref());
    if account.is_some_and(|account| account.deleted) && detail.identities.len() == 1 {
        return Vec::new();
    }
    let account = account.filter(|account| !account.deleted);
    let is_account = account.is_some();
    let (reset, mail) = if account.is_some_and(|account| account.has_password) {
        ("Link for a new password", "Mail a link for a new password")
    } else {
        ("New invitation link", "Mail an invitation")
    };
    let can_mail = can_mail && own.is_some_and(|own| own.email.is_some());
    let all = [
        (acts.update && is_account, (format!("/auth/people/edit?id={}", encode(identity)), "Edit", false)),
        (acts.reset && is_account, (ask(identity, "reset"), reset, false)),
        (acts.reset && is_account && can_mail, (ask(identity, "mail"), mail, false)),
        (acts.enable && detail.disabled, (ask(identity, "enable"), "Enable", false)),
        (acts.disable && !detail.disabled, (ask(identity, "disable"), "Disable", true)),
        (acts.delete && is_account, (ask(identity, "delete"), "Delete", true)),
    ];
    all.into_iter().filter_map(|(may, action)| may.then_some(action)).collect()
}

/// The same for one of their identities.
fn identity_actions(detail: &PersonDetail, known: &IdentityDetail, acts: PersonActs, counted: bool) -> Vec<(String, &'static str, bool)> {
    let linked = detail.identities.len() > 1;
    let is_there = known.account.as_ref().is_none_or(|account| !account.deleted);
    let all = [
        (acts.unlock && counted && is_there, (ask(&known.identity, "unlock"), "Let them try again", false)),
        (acts.refresh && known.account.is_none(), (ask(&known.identity, "refresh"), "Ask the provider now", false)),
        (acts.name && linked && !known.disabled && detail.name != known.identity, (ask(&known.identity, "name"), "Use for names", false)),
        (acts.unlink && linked, (ask(&known.identity, "unlink"), "Unlink", true)),
    ];
    all.into_iter().filter_map(|(may, action)| may.then_some(action)).collect()
}

fn card(known: IdentityDetail, asked_for: &str, actions: Vec<(String, &'static str, bool)>) -> IdentityCard {
    let mut facts = vec![("Name", known.display_name)];
    if let Some(email) = known.email {
        facts.push(("E-mail", if known.email_verified { format!("{email}, verified") } else { email }));
    }
    match &known.account {
        None => facts.push(("Provider", known.provider)),
        Some(account) => {
            let count = |count: usize, word: &str| (count > 0).then(|| words::count(count, word));
            let password = account.has_password.then(|| "a password".to_owned());
            let ways = [password, count(account.passkeys, "passkey"), count(account.recovery_codes, "recovery code")];
            let ways: Vec<String> = ways.into_iter().flatten().collect();
            facts.push(("Signs in with", if ways.is_empty() { "nothing yet".to_owned() } else { ways.join(", ") }));
            if let Some(link) = &account.link {
                let kind = match link.kind {
                    AccountLinkKind::Invitation => "Invitation",
                    AccountLinkKind::Reset => "Link for a new password",
                };
                facts.push((kind, format!("made by {}, works until {}", link.by, words::date_time(link.expires_ms))));
                if let Some(mail) = link.mail {
                    facts.push(("Mail with it", mail_words(mail)));
                }
            }
        }
    }
    if known.account.is_none() {
        facts.push(("Provider asked last", words::date_time(known.refreshed_ms)));
    }
    if known.disabled {
        facts.push(("State", "disabled".to_owned()));
    }
    IdentityCard {
        href: (known.identity != asked_for).then(|| person_href(&known.identity)),
        identity: known.identity,
        facts,
        groups: known.groups,
        scopes: known.scopes,
        actions,
    }
}

fn mail_words(outcome: MailOutcome) -> String {
    match outcome {
        MailOutcome::Sent => "the mail server took it".to_owned(),
        MailOutcome::Refused(status) => format!("not sent: the mail server refused it with status {status}"),
        MailOutcome::Unusable => "not sent: the mail server could not be used".to_owned(),
        MailOutcome::Busy => "not sent: too many other mails waited".to_owned(),
        MailOutcome::Waiting => "waits for the mail server".to_owned(),
        MailOutcome::Unfinished => "not known: the mail server broke off while it took it".to_owned(),
        MailOutcome::Unknown => "not known: this server has not sent it, or not since it was started".to_owned(),
    }
}

fn grant_row(grant: GrantLine, identity: &str, may_revoke: bool, now_ms: i64) -> PersonGrantRow {
    let used = grant.last_used_ms.map_or_else(|| "never used".to_owned(), |at_ms| format!("used {}", words::since(at_ms, now_ms)));
    PersonGrantRow {
        about: format!("ends {} · {used} · granted {}", words::until(grant.expires_ms, now_ms), words::since(grant.created_ms, now_ms)),
        count: words::count(grant.scopes.len(), "scope"),
        href: may_revoke.then(|| format!("{}&grant={}", ask(identity, "revoke"), encode(&grant.id))),
        name: application_name(&grant.label, &grant.target_origin, grant.application.as_deref()).map(str::to_owned),
        site: grant.target_origin,
        scopes: grant.scopes,
        id: grant.id,
    }
}

fn session_row(session: &SessionView, now_ms: i64) -> (String, String) {
    let (since, seen) = (words::since(session.created_ms, now_ms), words::since(session.last_seen_ms, now_ms));
    let from = if session.address.is_empty() { String::new() } else { format!(" from {}", session.address) };
    (browser::name(&session.user_agent), format!("as {} · signed in {since}{from} · seen {seen}", session.identity))
}

fn history_row(entry: falconer_auth::HistoryEntry) -> HistoryRow {
    HistoryRow {
        what: format!("{} {} {}", entry.entity_type, entry.entity_id, entry.action_type),
        who: entry.client_id,
        at: words::date_time(entry.created_ms),
        at_machine: words::machine_time(entry.created_ms),
    }
}
