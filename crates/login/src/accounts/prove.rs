//! Proving to know an account's password: the one way in for signing in, for linking, and for changing the password.
//!
//! Unknown names, wrong passwords and accounts that may not sign in get the same answer at the same price. Failures are counted, so that guesses come to
//! an end and nobody is locked out by others.

use falconer_store::{AccountRecord, CredentialsChange};

use super::account::{is_valid_name, local_identity};
use super::password::Checked;
use super::queue::Asker;
use crate::error::LoginError;
use crate::login::Login;
use crate::sessions::attempts::Visitor;

/// Who says that an account is theirs.
#[derive(Clone, Copy)]
pub(crate) enum Prover<'a> {
    /// Somebody who may be anybody.
    Stranger(&'a Visitor<'a>),
    /// Whoever has this session of the account.
    Session(&'a str),
}

/// An account whose password somebody knew a moment ago.
pub(crate) struct ProvenAccount {
    /// In its normal form.
    pub(crate) name: String,
    /// `local/<name>`
    pub(crate) identity: String,
    /// What the password was checked against, or what has replaced it.
    pub(crate) hash: String,
    asker: Asker,
}

impl Login {
    /// Checks a password, and counts the attempt if it was wrong. The name may be as people type it.
    pub(crate) async fn prove_account(&self, name: &str, password: &str, prover: Prover<'_>) -> Result<ProvenAccount, LoginError> {
        let name = normal_name(name);
        let account = match &name {
            Some(name) => self.account_record(name).await?,
            None => None,
        };
        // For a name that nobody has, too: it costs the same.
        let stored = match &name {
            Some(name) => self.credentials(name).await?.password_hash,
            None => None,
        };
        let counts = match prover {
            Prover::Stranger(visitor) => self.counts(name.as_deref(), stored.as_deref(), visitor).await?,
            Prover::Session(session) => {
                self.counts_of_session(name.as_deref().ok_or(LoginError::SignedOut)?, stored.as_deref(), session).await?
            }
        };
        let name = name.unwrap_or_default();
        let asker = counts.asker.clone();
        // Whoever is refused for the number of their attempts takes nobody's place in the queue.
        let attempt = self.begin_attempt(counts).await?;
        // Whoever finds no place has failed at nothing, and is not counted: that many people sign in at the same time closes nobody's account.
        let turn = self.passwords.enter(&asker)?.turn().await?;
        let account = account.filter(may_sign_in);
        let stored = account.as_ref().and(stored);
        let checked = attempt.checked(self.passwords.check(turn, password, stored.as_deref())).await?;
        let (Checked::Right { outdated }, Some(proven)) = (checked, stored) else {
            self.note_failure(attempt).await?;
            return Err(LoginError::WrongPassword);
        };
        self.note_success(&attempt).await?;
        if let (Prover::Stranger(visitor), Some(account)) = (prover, &account) {
            self.know_forgotten_place(account, visitor).await?;
        }
        let hash = if outdated { self.hash_again(&name, password, proven).await } else { proven };
        Ok(ProvenAccount { identity: local_identity(&name), name, hash, asker })
    }

    /// Whether the account may still sign in with the password that was proven: whoever has changed it or stopped the account meanwhile has ended what there
    /// was, but could not yet see what was made of the proof. Another sign-in at the same time may have made another hash of the same password.
    pub(crate) async fn is_still_proven(&self, proven: &ProvenAccount, password: &str) -> Result<bool, LoginError> {
        let present = self.account_record(&proven.name).await?.filter(may_sign_in);
        let hash = self.credentials(&proven.name).await?.password_hash;
        match present.and(hash) {
            Some(hash) if hash == proven.hash => Ok(true),
            Some(hash) => {
                let turn = self.passwords.enter(&proven.asker)?.turn().await?;
                Ok(matches!(self.passwords.check(turn, password, Some(&hash)).await?, Checked::Right { .. }))
            }
            None => Ok(false),
        }
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
        match self.replace_password(&by, "password hashed anew", name, &proven, &hash).await {
            Ok(()) => hash,
            Err(error) => {
                tracing::warn!(%error, "a password that was hashed anew could not be stored");
                proven
            }
        }
    }

    /// Puts a hash in the place of the one that was proven. Conflict: it is another one by now.
    pub(crate) async fn replace_password(&self, by: &str, action: &str, name: &str, proven: &str, hash: &str) -> Result<(), LoginError> {
        let change = CredentialsChange::SetPassword { hash: Some(hash.to_owned()), instead_of: Some(proven.to_owned()) };
        self.change_credentials(by, action, name, change).await.map(|_| ())
    }
}

fn may_sign_in(account: &AccountRecord) -> bool {
    !account.disabled && !account.deleted
}

/// A name as people type it: white space around it and capital letters do not count.
pub(crate) fn normal_name(typed: &str) -> Option<String> {
    let name = typed.trim();
    // Before anything is copied.
    let name = if name.len() <= 63 { name.to_lowercase() } else { return None };
    is_valid_name(&name).then_some(name)
}
