//! Local accounts, each with its identity: made, invited, changed, and given a password by whoever has a link.

use falconer_scopes::ScopeSet;
use falconer_store::{AccountLink, AccountRecord, Difference, IdentityRecord, Key, Revision, Write};
use serde_json::json;

use crate::administer::added::added;
use crate::administer::people::by::{By, beyond};
use crate::administer::people::linking::known;
use crate::change::acting::step_by;
use crate::change::decide::{Decision, Now};
use crate::directory::entries::Person;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved;

impl Auth {
    /// Adds a local account and its person, with the hash of its password if it has one. 409 when the name was ever used.
    pub async fn insert_account(
        &self,
        by: impl Into<By<'_>>,
        account: &AccountRecord,
        identity: &IdentityRecord,
        password_hash: Option<&str>,
    ) -> Result<Revision, ApiError> {
        let write = |_, within| Write::InsertAccount(addressed(account, within), identity.clone(), password_hash.map(str::to_owned));
        self.make_account(by.into(), identity, write).await
    }

    /// The same with a link for its first password; who made the link, and what they could do, is filled in.
    ///
    /// A caller needs `auth:create-person:<identity>`, and whatever the person could do besides what names them: whoever has the link can be that person.
    pub async fn invite_account(
        &self,
        by: impl Into<By<'_>>,
        account: &AccountRecord,
        identity: &IdentityRecord,
        link: &AccountLink,
    ) -> Result<Revision, ApiError> {
        self.make_account(by.into(), identity, |by, within| {
            let link = AccountLink { by, within: within.clone(), ..link.clone() };
            Write::InviteAccount(addressed(account, within), identity.clone(), link)
        })
        .await
    }

    async fn make_account(
        &self,
        by: By<'_>,
        identity: &IdentityRecord,
        write: impl Fn(String, Option<Vec<String>>) -> Write + Send + Sync,
    ) -> Result<Revision, ApiError> {
        reserved::refuse_reserved(&identity.scopes)?;
        self.decide(|now| {
            let deciding = self.deciding(now, by, &identity.identity)?;
            deciding.require_to_be(&written(now, identity), &[identity])?;
            if matches!(by, By::Caller { .. }) && now.snapshot.identity(&identity.identity).is_some() {
                return Err(ApiError::RequestConflict(format!("The account name {} is or was in use", identity.subject)));
            }
            let depends_on = vec![Key::Role, Key::Identity(identity.identity.clone())];
            let mut step = deciding.step(now, "created", depends_on);
            step.detail = Difference::of_identity(None, identity).kept();
            Ok(Decision::Write(step, write(deciding.actor(), deciding.within()), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Writes a local account and its person; `action` is the word for the audit. A caller needs each scope that the identity gains and, where the e-mail address
    /// becomes another one, what a link for another password takes: such links are mailed there. 409 when there is no such account, or when the person is no
    /// longer as `before`: the account was changed, by another process perhaps, after it was read.
    ///
    /// In the same step clients that are named by an identity of the person and have more than the person has then are disabled. Those of an account that may not
    /// act are left: they are worth nothing until it may again.
    pub async fn update_account(
        &self,
        by: impl Into<By<'_>>,
        action: &str,
        before: &IdentityRecord,
        account: &AccountRecord,
        identity: &IdentityRecord,
    ) -> Result<Revision, ApiError> {
        let by = by.into();
        reserved::refuse_reserved(&identity.scopes)?;
        self.decide(|now| {
            let deciding = self.deciding(now, by, &identity.identity)?;
            // The store holds the step to this very snapshot's person, so that comparing with the snapshot is comparing with the store.
            if now.snapshot.identity(&identity.identity).is_none_or(|present| present.record != *before) {
                return Err(ApiError::RequestConflict("The account was changed meanwhile".to_owned()));
            }
            deciding.require_given(added(&identity.scopes, &before.scopes).into_iter().map(String::as_str))?;
            if account.deleted
                && let Some(person) = now.snapshot.person_of(&identity.identity)
            {
                deciding.refuse_own(&now.snapshot, person, "Nobody deletes their own account here")?;
            }
            let mut depends_on = vec![Key::Identity(identity.identity.clone())];
            let mut account = account.clone();
            if identity.email.is_some() && identity.email != before.email {
                let (known, person) = known(now, &identity.identity)?;
                deciding.require_for_all_as("reset", &now.snapshot, person)?;
                deciding.refuse_own(&now.snapshot, person, "This is your own account: somebody else has to change its e-mail address")?;
                let linked: Vec<&IdentityRecord> = now.snapshot.linked(&person.record.id).map(|linked| &linked.record).collect();
                deciding.require_to_be(&all_scopes(now, &linked), &linked)?;
                depends_on = [vec![Key::Role], now.snapshot.keys_of(known)].concat();
                account = addressed(&account, deciding.within());
            }
            let disable = if identity.disabled { Vec::new() } else { self.clients_beyond(now, identity) };
            if !disable.is_empty() {
                depends_on.extend(now.snapshot.identity(&identity.identity).into_iter().flat_map(|known| now.snapshot.keys_of(known)));
                depends_on.push(Key::Role);
                depends_on.extend(disable.iter().cloned().map(Key::Client));
            }
            let mut step = deciding.step(now, action, depends_on);
            step.detail =
                Some(json!({"why": "the person no longer has what they have", "clients": disable.len()})).filter(|_| !disable.is_empty());
            // What is removed from a deleted account is not written down anew by its last row.
            let without_profile = IdentityRecord { display_name: identity.display_name.clone(), email: None, ..before.clone() };
            let before = if account.deleted { &without_profile } else { before };
            let changed = Difference::of_identity(Some(before), identity);
            let changed = step.detail.iter().fold(changed, Difference::because).kept();
            // Rows of clients say why and no more.
            step.details.put("account", &account.name, changed);
            Ok(Decision::Write(step, Write::UpdateAccount(account, identity.clone(), disable), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Keeps a link for another password, in place of the one before; who made it, and what they could do, is filled in.
    ///
    /// A caller needs `auth:<verb>-person:<identity>` for each identity of the person, and whatever the person may do besides what names them. 409 for their own
    /// person: a page of their own sets a password for whoever knows the old one. Where `link.within` says what else it is worth no more than, it is worth no more
    /// than both, and 409 when the person may do more than that.
    pub async fn put_account_link(
        &self,
        by: impl Into<By<'_>>,
        action: &str,
        identity: &str,
        link: &AccountLink,
    ) -> Result<Revision, ApiError> {
        let by = by.into();
        self.decide(|now| {
            let deciding = self.deciding(now, by, identity)?;
            let (account, person) = known(now, identity)?;
            deciding.require_for_all(&now.snapshot, person)?;
            deciding.refuse_own(&now.snapshot, person, "This is your own account: set another password on your own page")?;
            let linked: Vec<&IdentityRecord> = now.snapshot.linked(&person.record.id).map(|linked| &linked.record).collect();
            deciding.require_to_be(&all_scopes(now, &linked), &linked)?;
            if !is_within(now, person, link) {
                let why = "The e-mail address was written by somebody who could do less than the person may do now: no link goes there";
                return Err(ApiError::RequestConflict(why.to_owned()));
            }
            let mut step = deciding.step(now, action, [vec![Key::Role], now.snapshot.keys_of(account)].concat());
            step.detail = Some(json!({"until": link.expires_ms}));
            let link = AccountLink { by: deciding.actor(), within: both(deciding.within(), link.within.clone()), ..link.clone() };
            Ok(Decision::Write(step, Write::PutAccountLink(link), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Keeps a link that is mailed to the account's address, in place of the one before. `link.within` is what whoever wrote the address could do.
    ///
    /// 409 when the link would open nothing: the person or the account may not act, or the person may do more than that.
    pub async fn put_mailed_link(&self, by: &str, action: &str, identity: &str, link: &AccountLink) -> Result<Revision, ApiError> {
        self.decide(|now| {
            let (present, person) = known(now, identity)?;
            if !is_within(now, person, link) || present.record.disabled || person.record.disabled {
                return Err(ApiError::RequestConflict("The link would open nothing".to_owned()));
            }
            let mut step = step_by(now, by, action, [vec![Key::Role], now.snapshot.keys_of(present)].concat());
            step.detail = Some(json!({"until": link.expires_ms}));
            Ok(Decision::Write(step, Write::PutAccountLink(AccountLink { by: by.to_owned(), ..link.clone() }), ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Uses a link up: the account has this password from now on, instead of the one that it has until then. 409 when the link is used or over, when it is of
    /// somebody who could do less than the person may do by now, and when the person or the account may not act.
    pub async fn use_account_link(
        &self,
        link: &AccountLink,
        action: &str,
        identity: &str,
        password_hash: &str,
        instead_of: Option<&str>,
    ) -> Result<Revision, ApiError> {
        self.decide(|now| {
            let (present, person) = known(now, identity)?;
            if !is_within(now, person, link) || present.record.disabled || person.record.disabled {
                return Err(ApiError::RequestConflict("The link does not hold any more".to_owned()));
            }
            let mut step = step_by(now, identity, action, [vec![Key::Role], now.snapshot.keys_of(present)].concat());
            step.detail = Some(json!({"link": link.kind.as_str(), "madeBy": link.by}));
            let write = Write::UseAccountLink {
                link: link.hash.clone(),
                account: link.account.clone(),
                password_hash: password_hash.to_owned(),
                instead_of: instead_of.map(str::to_owned),
            };
            Ok(Decision::Write(step, write, ()))
        })
        .await
        .map(|((), revision)| revision)
    }

    /// Uses a set-up link up and adds the first account. 409 when the link is used or over, or the name taken.
    pub async fn complete_setup(
        &self,
        link_hash: &str,
        account: &AccountRecord,
        identity: &IdentityRecord,
        password_hash: Option<&str>,
    ) -> Result<Revision, ApiError> {
        reserved::refuse_reserved(&identity.scopes)?;
        self.decide(|now| {
            let mut step = step_by(now, &identity.identity, "created", vec![Key::Identity(identity.identity.clone())]);
            step.detail = Difference::of_identity(None, identity).kept();
            let hash = password_hash.map(str::to_owned);
            Ok(Decision::Write(step, Write::CompleteSetup(link_hash.to_owned(), account.clone(), identity.clone(), hash), ()))
        })
        .await
        .map(|((), revision)| revision)
    }
}

/// Whether the person may do no more than whoever made the link could.
fn is_within(now: &Now, person: &Person, link: &AccountLink) -> bool {
    let linked: Vec<&IdentityRecord> = now.snapshot.linked(&person.record.id).map(|linked| &linked.record).collect();
    link.within.as_ref().is_none_or(|within| beyond(&all_scopes(now, &linked), &ScopeSet::new(within.iter()), &linked).is_empty())
}

/// What is within both; `None` is no bound.
fn both(one: Option<Vec<String>>, other: Option<Vec<String>>) -> Option<Vec<String>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(ScopeSet::new(one).intersection(&ScopeSet::new(other)).to_vec()),
        (one, other) => one.or(other),
    }
}

/// The account with what whoever writes its address can do.
fn addressed(account: &AccountRecord, within: Option<Vec<String>>) -> AccountRecord {
    AccountRecord { email_within: within, ..account.clone() }
}

/// What an identity gives, expanded: as it is written, whether anybody may act by it or not.
fn written(now: &Now, identity: &IdentityRecord) -> ScopeSet {
    all_scopes(now, &[identity])
}

/// The same for all of a person's: what is disabled today may be enabled tomorrow.
fn all_scopes(now: &Now, identities: &[&IdentityRecord]) -> ScopeSet {
    all_scopes_of(&now.snapshot, identities)
}

/// The same on a snapshot.
pub(crate) fn all_scopes_of(snapshot: &Snapshot, identities: &[&IdentityRecord]) -> ScopeSet {
    snapshot.expand(identities.iter().flat_map(|identity| reserved::of_person(&identity.scopes)))
}
