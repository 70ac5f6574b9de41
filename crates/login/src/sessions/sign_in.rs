//! Signing in with a local account, and changing its password.

use falconer_store::{AccountRecord, SignInMethod};

use super::attempts::{Counts, Visitor};
use super::session::{Session, SignedIn};
use crate::accounts::account::{is_valid_name, local_identity};
use crate::accounts::password::{self, Checked};
use crate::accounts::queue::Asker;
use crate::error::{LoginError, SignInError};
use crate::login::Login;

impl Login {
    /// Signs somebody in who knows an account's password.
    ///
    /// Unknown names, wrong passwords and accounts that may not sign in get the same answer at the same price. Failures are counted, so that
    /// guesses come to an end and nobody is locked out by others.
    pub async fn sign_in_local(&self, name: &str, password: &str, visitor: &Visitor<'_>) -> Result<SignedIn, SignInError> {
        if !self.settings.local_accounts {
            return Err(LoginError::Invalid("Nobody signs in with a local account here.".to_owned()));
        }
        self.check_clock()?;
        let name = normal_name(name);
        let account = match &name {
            Some(name) => self.account_record(name).await?,
            None => None,
        };
        let counts = self.counts(name.as_deref(), account.as_ref(), visitor).await?;
        let asker = counts.asker.clone();
        let name = name.unwrap_or_default();
        let proven = self.prove(&name, account, password, counts).await?;
        let signed_in = match self.begin_session(&local_identity(&name), SignInMethod::Password, visitor.user_agent).await {
            // The person may not act.
            Err(LoginError::SignedOut) => return Err(LoginError::WrongPassword),
            begun => begun?,
        };
        // Whoever has changed the password or stopped the account meanwhile has ended all sessions, but could not yet see this one.
        if !self.is_still_right(&name, password, &proven, &asker).await? {
            self.sign_out(&signed_in.session).await?;
            return Err(LoginError::WrongPassword);
        }
        Ok(signed_in)
    }

    /// Whether the account may still sign in with the password that was proven against a hash. Another sign-in at the same time may have made another hash of
    /// the same password.
    pub(crate) async fn is_still_right(&self, name: &str, password: &str, proven: &str, asker: &Asker) -> Result<bool, LoginError> {
        let present = self.account_record(name).await?.filter(|account| !account.disabled && !account.deleted);
        match present.and_then(|account| account.password_hash) {
            Some(hash) if hash == proven => Ok(true),
            Some(hash) => {
                let place = self.passwords.enter(asker)?;
                Ok(matches!(self.passwords.check(place, password, Some(&hash)).await?, Checked::Right { .. }))
            }
            None => Ok(false),
        }
    }

    /// Sets another password for the local account by which somebody signed in, who knows the old one. The person's other sessions, and their grants, end on
    /// request.
    pub async fn change_password(
        &self,
        session: &Session,
        old: &str,
        new: &str,
        end_other_sessions: bool,
        revoke_grants: bool,
    ) -> Result<(), LoginError> {
        let person = &session.person;
        let Some(name) = session.account_name() else {
            return Err(LoginError::Invalid("Your password is kept where you sign in, not here.".to_owned()));
        };
        password::check_new(new)?;
        let account = self.account_record(name).await?.ok_or(LoginError::SignedOut)?;
        let counts = self.counts_of_session(&account, &session.id).await?;
        let proven = self.prove(name, Some(account), old, counts).await?;
        let hash = self.hash_password(new).await?;
        let by = &person.identity;
        self.change_account(by, "password changed", name, |account| {
            if account.password_hash.as_deref() != Some(&proven) {
                return Err(LoginError::Conflict("Somebody else has just changed the password.".to_owned()));
            }
            account.password_hash = Some(hash);
            Ok(())
        })
        .await?;
        if revoke_grants {
            self.revoke_all_grants(&person.identities(), &person.identity, "the password was changed")
                .await
                .map_err(LoginError::after_a_change)?;
        }
        if end_other_sessions {
            self.end_sessions_of_person(person, Some(&session.id)).await.map_err(LoginError::after_a_change)?;
        }
        Ok(())
    }

    /// Checks a password, and counts the attempt if it was wrong. The answer is the hash that it was checked against, or the one that has replaced it.
    pub(crate) async fn prove(
        &self,
        name: &str,
        account: Option<AccountRecord>,
        password: &str,
        counts: Counts,
    ) -> Result<String, LoginError> {
        // Before anything is counted: that many people sign in at the same time closes nobody's account.
        let place = self.passwords.enter(&counts.asker)?;
        let attempt = self.begin_attempt(counts).await?;
        let stored = account.filter(|account| !account.disabled && !account.deleted).and_then(|account| account.password_hash);
        let checked = self.passwords.check(place, password, stored.as_deref()).await?;
        let (Checked::Right { outdated }, Some(proven)) = (checked, stored) else {
            self.note_failure(&attempt).await?;
            return Err(LoginError::WrongPassword);
        };
        self.note_success(&attempt).await?;
        Ok(if outdated { self.hash_again(name, password, proven).await } else { proven })
    }

    /// Replaces a hash that is cheaper than hashes are now. When that fails, the old one stays until the next sign-in.
    async fn hash_again(&self, name: &str, password: &str, proven: String) -> String {
        let hash = match self.hash_password(password).await {
            Ok(hash) => hash,
            Err(error) => {
                tracing::warn!(%error, "a password could not be hashed anew");
                return proven;
            }
        };
        let by = local_identity(name);
        let changed = self.change_account(&by, "password hashed anew", name, |account| {
            if account.password_hash.as_deref() != Some(&proven) {
                return Err(LoginError::Conflict("Somebody else has just changed the password.".to_owned()));
            }
            account.password_hash = Some(hash.clone());
            Ok(())
        });
        match changed.await {
            Ok(_) => hash,
            Err(error) => {
                tracing::warn!(%error, "a password that was hashed anew could not be stored");
                proven
            }
        }
    }
}

/// A name as people type it: white space around it and capital letters do not count.
pub(crate) fn normal_name(typed: &str) -> Option<String> {
    let name = typed.trim();
    // Before anything is copied.
    let name = if name.len() <= 63 { name.to_lowercase() } else { return None };
    is_valid_name(&name).then_some(name)
}
