//! What administrators change about people. Nobody gives what they don't have.

use falconer_auth::{ApiError, Authentication, By, Revision};
use falconer_scopes::ScopeSet;
use falconer_store::AccountRecord;

use crate::accounts::account::{check_groups, check_own_scopes, check_profile, identity_of, local_name};
use crate::error::LoginError;
use crate::login::Login;

/// Who administers.
#[derive(Clone, Copy)]
pub enum Administrator<'a> {
    /// Whoever calls: what they may do is looked at when it is decided.
    Caller(&'a Authentication),
    /// Whoever stands on the server's machine, by the name that the audit has for what is done there.
    OnTheMachine(&'a str),
}

impl<'a> From<&'a Authentication> for Administrator<'a> {
    fn from(who: &'a Authentication) -> Administrator<'a> {
        Administrator::Caller(who)
    }
}

impl<'a> Administrator<'a> {
    /// The same for something that takes `auth:<verb>-person:<identity>`.
    pub(crate) fn by(self, verb: &'a str) -> By<'a> {
        match self {
            Administrator::Caller(who) => By::Caller { who, verb },
            Administrator::OnTheMachine(name) => By::Checked(name),
        }
    }
}

/// What is to be changed about a local account; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonChange {
    /// For people to read.
    pub display_name: Option<String>,
    /// An address, or that there is none.
    pub email: Option<Option<String>>,
    /// All groups from now on.
    pub groups: Option<Vec<String>>,
    /// All scopes of its own from now on.
    pub scopes: Option<Vec<String>>,
    /// When the account was last changed as whoever asks has seen it: 409 when it was changed since.
    pub seen_ms: Option<i64>,
}

/// What a change would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedChange {
    /// What the identity would give besides, as it is written.
    pub added: Vec<String>,
    /// What it would give no more.
    pub removed: Vec<String>,
    /// What the person may do at present, expanded.
    pub before: ScopeSet,
    /// What they could do then.
    pub after: ScopeSet,
}

impl PersonChange {
    /// Whether somebody could go on with what this gives: by mail to another address, or by a scope or a group that the account does not have.
    pub(crate) fn gives_more_than(&self, account: &AccountRecord) -> bool {
        let lacks = |wanted: &Option<Vec<String>>, has: &[String]| wanted.iter().flatten().any(|one| !has.contains(one));
        let other_address = self.email.as_ref().is_some_and(|email| email.is_some() && *email != account.email);
        other_address || lacks(&self.groups, &account.groups) || lacks(&self.scopes, &account.scopes)
    }

    /// Invalid: something can't be; conflict: it was changed since it was seen.
    fn apply(&self, account: &mut AccountRecord) -> Result<(), LoginError> {
        if self.seen_ms.is_some_and(|seen_ms| seen_ms != account.last_modified_ms) {
            return Err(LoginError::Conflict("The account was changed meanwhile".to_owned()));
        }
        if let Some(display_name) = &self.display_name {
            display_name.trim().clone_into(&mut account.display_name);
        }
        if let Some(email) = self.email.as_ref().filter(|email| **email != account.email) {
            account.email.clone_from(email);
            // Of whoever stands on the machine; what a caller can do is filled in where it is decided.
            account.email_within = None;
        }
        if let Some(groups) = &self.groups {
            check_groups(groups)?;
            account.groups.clone_from(groups);
        }
        if let Some(scopes) = &self.scopes {
            check_own_scopes(scopes)?;
            account.scopes.clone_from(scopes);
        }
        check_profile(&account.display_name, account.email.as_deref())
    }
}

impl Login {
    /// Changes a local account. It takes `auth:update-person:<identity>`, and each scope that the identity gains, `assume:local-group:<group>` for a group among
    /// them. Another e-mail address takes what [`Login::make_reset_link`] takes.
    ///
    /// Errors: 404 when nobody has the identity, 400 when it is a provider's, or when something can't be.
    pub async fn update_person(
        &self,
        who: impl Into<Administrator<'_>>,
        identity: &str,
        change: &PersonChange,
    ) -> Result<Revision, ApiError> {
        let who = who.into();
        let by = who.by("update");
        let name = self.administered(by, identity)?;
        self.change_account_by(by, "updated", name, |account| {
            // The same address once more: whoever stands on the machine vouches for it.
            if matches!(who, Administrator::OnTheMachine(_)) && change.email.is_some() {
                account.email_within = None;
            }
            change.apply(account)
        })
        .await
    }

    /// What a change would do. It takes what changing takes, but for the scopes that are given, and what seeing the person takes.
    pub async fn plan_person_change(&self, who: &Authentication, identity: &str, change: &PersonChange) -> Result<PlannedChange, ApiError> {
        let name = self.administered(By::Caller { who, verb: "update" }, identity)?;
        self.auth.check_scope_for_person(By::Caller { who, verb: "get" }, identity)?;
        let missing = || ApiError::ResourceNotFound(format!("There is no account {name}"));
        let mut account = self.account_record(name).await?.filter(|account| !account.deleted).ok_or_else(missing)?;
        let directory = self.auth.directory();
        let present = directory.identity(identity).ok_or_else(missing)?;
        change.apply(&mut account)?;
        let planned = identity_of(&account, &present.record.person, present.record.refreshed_ms).scopes;
        let lacking = |all: &[String], has: &[String]| all.iter().filter(|scope| !has.contains(scope)).cloned().collect();
        let linked = directory.linked(&present.record.person).filter(|linked| !linked.record.disabled);
        let others = linked.filter(|linked| linked.record.identity != identity).flat_map(|linked| linked.record.scopes.iter());
        let mut after: Vec<&str> = others.map(String::as_str).collect();
        if !present.record.disabled {
            after.extend(planned.iter().map(String::as_str));
        }
        Ok(PlannedChange {
            added: lacking(&planned, &present.record.scopes),
            removed: lacking(&present.record.scopes, &planned),
            before: self.auth.person_scopes(identity).unwrap_or_default(),
            after: self.auth.expand(&after),
        })
    }

    /// From now on the person may not sign in or act, by any identity; sessions and grants end. It takes `auth:disable-person:<identity>` for each identity.
    pub async fn disable_whole_person(&self, who: impl Into<Administrator<'_>>, identity: &str) -> Result<Revision, ApiError> {
        self.disable_person(who.into().by("disable"), identity).await
    }

    /// The person may sign in again. It takes `auth:enable-person:<identity>` for each identity.
    pub async fn enable_whole_person(&self, who: impl Into<Administrator<'_>>, identity: &str) -> Result<Revision, ApiError> {
        self.enable_person(who.into().by("enable"), identity).await
    }

    /// Makes an identity one of the person of `with`, without a sign-in. It takes `*`, and nobody does it to themselves (ADR 197). All sessions of both end.
    pub async fn link_people(&self, who: impl Into<Administrator<'_>>, identity: &str, with: &str) -> Result<Revision, ApiError> {
        self.link_identity(who.into().by("link"), identity, with).await
    }

    /// Makes an identity a person of its own again. It takes `auth:unlink-person:<identity>` for each identity; nobody does it to themselves.
    pub async fn unlink_one_of_person(&self, who: impl Into<Administrator<'_>>, identity: &str) -> Result<Revision, ApiError> {
        self.unlink_identity(who.into().by("unlink"), identity).await
    }

    /// From now on this identity names what is new of its person. It takes `auth:name-person:<identity>` for each identity; nobody does it to themselves.
    pub async fn choose_name_of_person(&self, who: impl Into<Administrator<'_>>, identity: &str) -> Result<Revision, ApiError> {
        self.name_person(who.into().by("name"), identity).await
    }

    /// A local account is gone for good; its name stays taken. It takes `auth:delete-person:<identity>`.
    pub async fn delete_person(&self, who: impl Into<Administrator<'_>>, identity: &str) -> Result<Revision, ApiError> {
        let by = who.into().by("delete");
        let name = self.administered(by, identity)?;
        self.delete_account_by(by, name).await
    }

    /// Ends all sessions of a person. It takes `auth:sign-out-person:<identity>` for each identity.
    pub async fn sign_person_out(&self, who: impl Into<Administrator<'_>>, identity: &str) -> Result<Revision, ApiError> {
        self.auth.end_sessions_of_person(who.into().by("sign-out"), identity).await
    }

    /// Ends a grant of a person. It takes `auth:revoke-grants-of-person:<identity>` for each identity.
    pub async fn revoke_grant_of_person(&self, who: impl Into<Administrator<'_>>, identity: &str, id: &str) -> Result<Revision, ApiError> {
        let by = who.into().by("revoke-grants-of");
        self.auth.check_person_scope(by, identity)?;
        if self.auth.directory().grant(id).is_none() {
            self.auth.catch_up().await.map_err(|error| self.store_error(error))?;
        }
        self.auth.revoke_grant_of_person(by, identity, id, "revoked by an administrator").await
    }

    /// The name of the local account that a caller may do this to, as far as can be said before it is decided.
    pub(crate) fn administered<'i>(&self, by: By<'_>, identity: &'i str) -> Result<&'i str, ApiError> {
        self.auth.check_person_scope(by, identity)?;
        if self.auth.directory().identity(identity).is_none() {
            return Err(ApiError::ResourceNotFound(format!("Nobody has the identity {identity}")));
        }
        local_name(identity).ok_or_else(|| {
            ApiError::InputError(format!("{identity} comes from an identity provider, and is kept there: here the person can be disabled"))
        })
    }
}
