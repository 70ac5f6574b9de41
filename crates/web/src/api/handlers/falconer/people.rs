//! People: their list, one of them, and what administrators do about them (`docs/people.md`).

use falconer_auth::{HistoryEntry, PeopleFilter, PersonRow, Revision};
use falconer_login::account::local_name;
use falconer_login::mail::MailOutcome;
use falconer_login::{
    AccountDetail, GrantLine, IdentityDetail, Login, MailedLink, MailedSite, NewAccount, NewLink, PersonChange, PersonDetail, SessionView,
};
use falconer_wire::continuation::Scheme;
use falconer_wire::{
    InvitePersonRequest, LinkMail, LinkPersonRequest, MailState, MapPersonRequest, MappedPerson, NodeRevision, PeoplePage, PersonAccount,
    PersonAccountLink, PersonGrant, PersonHistory, PersonHistoryEntry, PersonIdentity, PersonInFull, PersonLink, PersonSession,
    PersonSummary, RefusedClaim, UpdatePersonRequest, urls,
};
use zeroize::Zeroize as _;

use crate::PublicOrigin;
use crate::api::answer::failure::Failure;
use crate::api::answer::reply::Reply;
use crate::api::handlers::{Answer, Request, time, token};

/// The address of the page on which somebody uses a link for a password.
pub fn link_url(origin: &PublicOrigin, link: &NewLink) -> String {
    format!("{}/password-link?token={}", origin.as_str(), link.token.as_str())
}

/// What a mail with such a link calls this server.
pub fn mailed_site(origin: &PublicOrigin) -> MailedSite {
    MailedSite { name: origin.authority().to_owned(), link: format!("{}/password-link?token=", origin.as_str()) }
}

/// A link that was just made, for whoever made it.
pub fn person_link(origin: &PublicOrigin, identity: &str, link: &NewLink, mailed: Option<&MailedLink>) -> PersonLink {
    let mail = mailed.map(|mailed| link_mail(&mailed.to, mailed.outcome));
    PersonLink { identity: identity.to_owned(), url: link_url(origin, link), expires: time(link.expires_ms), mail }
}

/// What became of the mail with a link.
pub(crate) fn link_mail(to: &str, outcome: MailOutcome) -> LinkMail {
    let text = match outcome {
        MailOutcome::Sent => format!("It was mailed to {to}."),
        MailOutcome::Refused(status) => format!("It was not mailed: the mail server refused it for {to}, with status {status}."),
        MailOutcome::Unusable => "It was not mailed: the mail server could not be used. The log of the server says why.".to_owned(),
        MailOutcome::Busy => "It was not mailed: too many other mails wait for the mail server.".to_owned(),
        MailOutcome::Waiting => {
            format!("It waits to be mailed to {to}. What becomes of that is told on the person's page, as long as this server runs.")
        }
        MailOutcome::Unfinished => format!("Whether it was mailed to {to} is not known: the mail server broke off while it took the mail."),
        MailOutcome::Unknown => format!("Whether it was mailed to {to} is not known."),
    };
    LinkMail { to: to.to_owned(), state: mail_state(outcome), text }
}

fn mail_state(outcome: MailOutcome) -> MailState {
    match outcome {
        MailOutcome::Sent => MailState::Sent,
        MailOutcome::Refused(_) | MailOutcome::Unusable | MailOutcome::Busy => MailState::NotSent,
        MailOutcome::Waiting | MailOutcome::Unfinished | MailOutcome::Unknown => MailState::Unknown,
    }
}

pub(crate) fn list(request: &Request<'_>) -> Answer {
    let query = request.page()?;
    let filter = PeopleFilter {
        text: request.query.get("q").unwrap_or_default().to_owned(),
        group: request.query.get("group").map(str::to_owned),
        disabled: request.query.get("disabled").map(|word| word == "true"),
    };
    let page = request.auth.list_people(request.who, &filter, &query)?;
    let continuation_token = token(page.next, Scheme::ClientsAndAudit);
    Ok(Reply::json(&PeoplePage { people: page.items.into_iter().map(summary).collect(), continuation_token }))
}

fn summary(row: PersonRow) -> PersonSummary {
    PersonSummary {
        identity: row.identity,
        person: row.person,
        name: row.name,
        display_name: row.display_name,
        email: row.email,
        email_verified: row.email_verified,
        groups: row.groups,
        disabled: row.disabled,
    }
}

pub(crate) async fn one(login: &Login, request: &Request<'_>) -> Answer {
    let identity = request.param("identity");
    let detail = login.person_detail(request.who, identity).await?;
    Ok(Reply::json(&in_full(detail, identity)))
}

fn in_full(detail: PersonDetail, identity: &str) -> PersonInFull {
    PersonInFull {
        person: detail.id,
        name: detail.name,
        disabled: detail.disabled,
        created: time(detail.created_ms),
        last_modified: time(detail.last_modified_ms),
        identities: detail.identities.into_iter().map(one_identity).collect(),
        expanded_scopes: detail.scopes.to_vec(),
        grants: detail.grants.into_iter().map(grant).collect(),
        sessions: detail.sessions.into_iter().map(session).collect(),
        clients: detail.clients,
        more_clients: detail.more_clients,
        history: format!("/api/falconer/v1/people/{}/history", urls::encode_segment(identity)),
    }
}

fn one_identity(identity: IdentityDetail) -> PersonIdentity {
    PersonIdentity {
        identity: identity.identity,
        provider: identity.provider,
        display_name: identity.display_name,
        email: identity.email,
        email_verified: identity.email_verified,
        groups: identity.groups,
        scopes: distinct(identity.scopes),
        disabled: identity.disabled,
        refreshed: time(identity.refreshed_ms),
        account: identity.account.map(account),
    }
}

fn account(account: AccountDetail) -> PersonAccount {
    PersonAccount {
        scopes: distinct(account.scopes),
        has_password: account.has_password,
        passkeys: account.passkeys,
        recovery_codes: account.recovery_codes,
        deleted: account.deleted,
        last_modified: time(account.last_modified_ms),
        link: account.link.map(|link| PersonAccountLink {
            kind: link.kind.as_str().to_owned(),
            by: link.by,
            created: time(link.created_ms),
            expires: time(link.expires_ms),
            mail: link.mail.map(mail_state),
        }),
    }
}

/// Each once: somebody on the machine may have written one twice.
fn distinct(mut scopes: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    scopes.retain(|scope| seen.insert(scope.clone()));
    scopes
}

fn grant(grant: GrantLine) -> PersonGrant {
    PersonGrant {
        id: grant.id,
        identity: grant.identity,
        target: grant.target_origin,
        scopes: grant.scopes,
        created: time(grant.created_ms),
        expires: time(grant.expires_ms),
        last_used: grant.last_used_ms.map(time),
    }
}

fn session(session: SessionView) -> PersonSession {
    PersonSession {
        identity: session.identity,
        method: session.method.as_str().to_owned(),
        user_agent: session.user_agent,
        created: time(session.created_ms),
        last_seen: time(session.last_seen_ms),
        expires: time(session.expires_ms),
    }
}

pub(crate) async fn invite(login: &Login, origin: &PublicOrigin, request: &Request<'_>) -> Answer {
    let given: InvitePersonRequest = request.input()?;
    let identity = request.param("identity");
    let name = local_name(identity);
    let name = name.ok_or_else(|| Failure::input(format!("{identity} is no local account: only `local/<name>` can be invited")))?;
    let new = NewAccount {
        name: name.to_owned(),
        display_name: given.display_name,
        email: given.email,
        groups: given.groups,
        scopes: given.scopes,
    };
    if by_mail(request) {
        let (mailed, revision) = login.invite_person_by_mail(request.who, &new, &mailed_site(origin)).await?;
        return Ok(with_link(person_link(origin, identity, &mailed.link, Some(&mailed)), revision));
    }
    let (link, revision) = login.invite_person(request.who, &new).await?;
    Ok(with_link(person_link(origin, identity, &link, None), revision))
}

pub(crate) async fn reset_link(login: &Login, origin: &PublicOrigin, request: &Request<'_>) -> Answer {
    let identity = request.param("identity");
    if by_mail(request) {
        let (mailed, revision) = login.mail_reset_link(request.who, identity, &mailed_site(origin)).await?;
        return Ok(with_link(person_link(origin, identity, &mailed.link, Some(&mailed)), revision));
    }
    let (link, revision) = login.make_reset_link(request.who, identity).await?;
    Ok(with_link(person_link(origin, identity, &link, None), revision))
}

fn by_mail(request: &Request<'_>) -> bool {
    request.query.get("mail") == Some("true")
}

fn with_link(mut shown: PersonLink, revision: Revision) -> Reply {
    let reply = Reply::json_secret(&shown).at_revision(revision.0);
    shown.url.zeroize();
    reply
}

pub(crate) async fn update(login: &Login, request: &Request<'_>) -> Answer {
    let given: UpdatePersonRequest = request.input()?;
    let change =
        PersonChange { display_name: given.display_name, email: given.email, groups: given.groups, scopes: given.scopes, seen_ms: None };
    Ok(changed(login.update_person(request.who, request.param("identity"), &change).await?))
}

pub(crate) async fn disable(login: &Login, request: &Request<'_>) -> Answer {
    Ok(changed(login.disable_whole_person(request.who, request.param("identity")).await?))
}

pub(crate) async fn enable(login: &Login, request: &Request<'_>) -> Answer {
    Ok(changed(login.enable_whole_person(request.who, request.param("identity")).await?))
}

pub(crate) async fn unlock(login: &Login, request: &Request<'_>) -> Answer {
    Ok(changed(login.unlock_person(request.who, request.param("identity")).await?))
}

pub(crate) async fn sign_out(login: &Login, request: &Request<'_>) -> Answer {
    Ok(changed(login.sign_person_out(request.who, request.param("identity")).await?))
}

pub(crate) async fn link(login: &Login, request: &Request<'_>) -> Answer {
    let given: LinkPersonRequest = request.input()?;
    Ok(changed(login.link_people(request.who, request.param("identity"), &given.with).await?))
}

pub(crate) async fn unlink(login: &Login, request: &Request<'_>) -> Answer {
    Ok(changed(login.unlink_one_of_person(request.who, request.param("identity")).await?))
}

pub(crate) async fn choose_name(login: &Login, request: &Request<'_>) -> Answer {
    Ok(changed(login.choose_name_of_person(request.who, request.param("identity")).await?))
}

fn changed(revision: Revision) -> Reply {
    Reply::json(&NodeRevision { revision: revision.0 }).at_revision(revision.0)
}

pub(crate) async fn delete(login: &Login, request: &Request<'_>) -> Answer {
    let revision = login.delete_person(request.who, request.param("identity")).await?;
    Ok(Reply::no_content().at_revision(revision.0))
}

pub(crate) async fn revoke_grant(login: &Login, request: &Request<'_>) -> Answer {
    let revision = login.revoke_grant_of_person(request.who, request.param("identity"), request.param("grantId")).await?;
    Ok(Reply::no_content().at_revision(revision.0))
}

pub(crate) async fn history(request: &Request<'_>) -> Answer {
    let page = request.auth.person_history(request.who, request.param("identity"), request.page()?).await?;
    let continuation_token = token(page.next, Scheme::ClientsAndAudit);
    let entry = |entry: HistoryEntry| PersonHistoryEntry {
        by: entry.client_id,
        action: entry.action_type,
        entity_type: entry.entity_type,
        entity_id: entry.entity_id,
        created: time(entry.created_ms),
        detail: entry.detail,
    };
    Ok(Reply::json(&PersonHistory { history: page.items.into_iter().map(entry).collect(), continuation_token }))
}

pub(crate) fn map(login: &Login, request: &Request<'_>) -> Answer {
    let given: MapPersonRequest = request.input()?;
    let found = login.map_person(request.who, request.param("provider"), &given.claims)?;
    let refused = found.mapped.refused.into_iter().map(|refused| RefusedClaim {
        template: refused.template,
        attribute: refused.attribute.to_owned(),
        value: refused.value,
        why: refused.why.to_owned(),
    });
    Ok(Reply::json(&MappedPerson {
        identity: found.mapped.identity,
        display_name: found.attributes.display_name,
        username: found.attributes.username,
        email: found.mapped.email,
        groups: found.mapped.groups,
        other_groups: found.mapped.other_groups,
        scopes: distinct(found.mapped.scopes),
        expanded_scopes: found.expanded.to_vec(),
        refused: refused.collect(),
        only_authorizes: found.only_authorizes,
    }))
}
