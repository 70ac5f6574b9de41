//! People in the data directory of a server on this machine, also while it runs (it takes changes in within a second).

use anyhow::{Context as _, Result, bail};
use falconer_login::account::local_name;
use falconer_login::{Administrator, Linked, MailedLink, NewAccount, PersonChange, PersonView, REFRESH_ASKED, RefreshOutcome};
use falconer_web::{PublicOrigin, mailed_site, person_link, refreshed_person};
use falconer_wire::{InvitePersonRequest, PersonLink, RefreshedPerson};
use serde_json::{Value, json};

use crate::node::Node;
use crate::output;

/// Who the audit names for what is done here.
const ACTOR: &str = "falconer person";

/// Whoever stands here is asked for no scope.
const OPERATOR: Administrator<'_> = Administrator::OnTheMachine(ACTOR);

/// Makes an account and its link, and mails it where that is asked for.
pub async fn invite(node: &Node, origin: &PublicOrigin, identity: &str, request: InvitePersonRequest, mail: bool) -> Result<PersonLink> {
    let Some(name) = local_name(identity) else {
        bail!("{identity} is no local account: only `local/<name>` can be invited");
    };
    let InvitePersonRequest { display_name, email, groups, scopes } = request;
    let new = NewAccount { name: name.to_owned(), display_name, email, groups, scopes };
    if mail {
        let (mailed, _) = node.login.invite_person_by_mail(OPERATOR, &new, &mailed_site(origin)).await?;
        return Ok(once_sent(node, origin, identity, mailed).await);
    }
    let (link, _) = node.login.invite_person(OPERATOR, &new).await?;
    Ok(person_link(origin, identity, &link, None))
}

/// Makes a link for another password, and mails it where that is asked for.
pub async fn reset_link(node: &Node, origin: &PublicOrigin, identity: &str, mail: bool) -> Result<PersonLink> {
    if mail {
        let (mailed, _) = node.login.mail_reset_link(OPERATOR, identity, &mailed_site(origin)).await?;
        return Ok(once_sent(node, origin, identity, mailed).await);
    }
    let (link, _) = node.login.make_reset_link(OPERATOR, identity).await?;
    Ok(person_link(origin, identity, &link, None))
}

/// The mail goes out from this process: it waits until the mail server has taken or refused it, or half a minute is over.
async fn once_sent(node: &Node, origin: &PublicOrigin, identity: &str, mailed: MailedLink) -> PersonLink {
    node.login.mail_is_sent().await;
    let outcome = node.login.mail_of_link(&mailed.link).unwrap_or(mailed.outcome);
    let mailed = MailedLink { outcome, ..mailed };
    person_link(origin, identity, &mailed.link, Some(&mailed))
}

/// Changes a local account.
pub async fn update(node: &Node, identity: &str, change: &PersonChange) -> Result<i64> {
    Ok(node.login.update_person(OPERATOR, identity, change).await?.0)
}

/// Ends a grant.
pub async fn revoke_grant(node: &Node, identity: &str, grant: &str) -> Result<i64> {
    Ok(node.login.revoke_grant_of_person(OPERATOR, identity, grant).await?.0)
}

/// Does one of the acts that take nothing but the identity.
pub async fn act(node: &Node, identity: &str, action: &str) -> Result<i64> {
    let login = &node.login;
    let revision = match action {
        "unlock" => login.unlock_person(OPERATOR, identity).await?,
        "sign-out" => login.sign_person_out(OPERATOR, identity).await?,
        "disable" => login.disable_whole_person(OPERATOR, identity).await?,
        "enable" => login.enable_whole_person(OPERATOR, identity).await?,
        "unlink" => login.unlink_one_of_person(OPERATOR, identity).await?,
        "name" => login.choose_name_of_person(OPERATOR, identity).await?,
        _ => login.delete_person(OPERATOR, identity).await?,
    };
    Ok(revision.0)
}

/// Asks the identity provider; what came of it.
pub async fn refresh(node: &Node, identity: &str) -> Result<RefreshedPerson> {
    node.auth.note_about_identity(ACTOR, REFRESH_ASKED, identity).await?;
    let refreshment = node.login.refresh_person(identity).await.with_context(|| format!("{identity} is as before"))?;
    Ok(refreshed_person(identity, RefreshOutcome::Answered(refreshment), node.auth.revision().0))
}

/// Makes an identity one of another person's.
pub async fn link(node: &Node, identity: &str, with: &str) -> Result<i64> {
    Ok(node.login.link_people(OPERATOR, identity, with).await?.0)
}

/// Lists people.
pub fn list(node: &Node, search: Option<&str>, as_json: bool) -> Result<()> {
    let mut people = node.login.people();
    if let Some(text) = search.map(str::to_lowercase) {
        let holds = |linked: &Linked| linked.identity.to_lowercase().contains(&text) || linked.display_name.to_lowercase().contains(&text);
        people.retain(|person| person.linked.iter().any(holds));
    }
    if as_json {
        return output::json(&people.iter().map(in_json).collect::<Vec<_>>());
    }
    let identities = |person: &PersonView| person.linked.iter().map(one_identity).collect::<Vec<_>>().join(" ");
    let row = |person: &PersonView| vec![person.name.clone(), state(person.disabled).to_owned(), identities(person)];
    let rows: Vec<Vec<String>> = people.iter().map(row).collect();
    output::table(&["PERSON", "STATE", "IDENTITIES"], &rows)
}

/// Shows one.
pub fn show(node: &Node, identity: &str, as_json: bool) -> Result<()> {
    let people = node.login.people();
    let Some(person) = people.iter().find(|person| person.linked.iter().any(|linked| linked.identity == identity)) else {
        bail!("nobody has the identity {identity}");
    };
    if as_json {
        let mut shown = in_json(person);
        if let Value::Object(members) = &mut shown {
            members.insert("scopes".to_owned(), json!(person.scopes.to_vec()));
        }
        return output::json(&shown);
    }
    let identities = person.linked.iter().map(one_identity).collect();
    output::fields(&[
        ("person", vec![person.name.clone()]),
        ("id", vec![person.id.clone()]),
        ("state", vec![state(person.disabled).to_owned()]),
        ("since", vec![output::time(person.created_ms)]),
        ("identities", identities),
        ("scopes", person.scopes.iter().map(str::to_owned).collect()),
    ])
}

fn in_json(person: &PersonView) -> Value {
    let linked = person.linked.iter();
    let linked: Vec<Value> =
        linked.map(|linked| json!({"identity": linked.identity, "displayName": linked.display_name, "disabled": !linked.active})).collect();
    json!({
        "id": person.id, "name": person.name, "identities": linked, "disabled": person.disabled,
        "created": output::time(person.created_ms),
    })
}

fn one_identity(linked: &Linked) -> String {
    let state = if linked.active { "" } else { " (disabled)" };
    format!("{}{state}", linked.identity)
}

pub fn state(disabled: bool) -> &'static str {
    if disabled { "disabled" } else { "active" }
}
