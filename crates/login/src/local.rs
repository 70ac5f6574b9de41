//! People with a local account: sign in, change the password.

use std::net::IpAddr;

use crate::account_rules::{identity_of, is_valid_account_name};
use crate::error::{LoginError, SignInError};
use crate::login::{Login, draw};
use crate::password::{LONGEST_PASSWORD, check_length};
use crate::session::{Session, SignedIn};
use crate::throttle::AttemptKey;

impl Login {
    /// Signs somebody in with name and password, from this address and browser.
    ///
    /// Every failure that has to do with the account is [`SignInError::Wrong`], after the same work. Ten failures in a quarter of an hour
    /// for one account, fifty from one address (IPv6: one /64), are all there can be.
    pub async fn sign_in_local(
        &self,
        name: &str,
        password: &str,
        address: IpAddr,
        user_agent: &str,
    ) -> Result<SignedIn, SignInError> {
        self.check_clock()?;
        let by_address = AttemptKey::address(address);
        self.check_attempts(&by_address).await?;
        let outcome = self.sign_in_counted(name, password, user_agent).await;
        if matches!(outcome, Err(SignInError::Wrong)) {
            self.note_attempt(&by_address).await?;
        }
        outcome
    }

    /// The same once the address may try: counted by account before the password is looked at, so that guesses at the same time are all
    /// counted.
    async fn sign_in_counted(&self, name: &str, password: &str, user_agent: &str) -> Result<SignedIn, SignInError> {
        // Neither can be an account's. Anybody can know that, so no time has to be spent on hiding it.
        if !is_valid_account_name(name) || password.len() > LONGEST_PASSWORD {
            return Err(SignInError::Wrong);
        }
        let by_account = AttemptKey::account(name);
        self.check_attempts(&by_account).await?;
        self.note_attempt(&by_account).await?;
        let verified = self.verified_hash(name, password).await?;
        let _turn = self.accounts_turn.lock().await;
        // Still the same password, now that it can't change any more until the session is written.
        let Some(verified) = verified.filter(|hash| !hash.is_empty()) else { return Err(SignInError::Wrong) };
        if self.usable_hash(name).await?.as_deref() != Some(&*verified) {
            return Err(SignInError::Wrong);
        }
        let signed_in = self.begin_session(&identity_of(name), user_agent).await?;
        self.clear_attempts(&by_account).await?;
        Ok(signed_in)
    }

    /// Changes the password of the person who is signed in, ends their other sessions, and if so wished all their grants.
    ///
    /// Errors: 400 for a new password that is too short or long; 403 when the old one is wrong, or the person has no local account; 409
    /// when it was changed meanwhile; 429 and 503 as for signing in.
    pub async fn change_password(
        &self,
        session: &Session,
        old: &str,
        new: &str,
        revoke_grants: bool,
    ) -> Result<(), LoginError> {
        self.check_clock()?;
        let name = session.person.identity.strip_prefix("local/").ok_or_else(no_password_here)?;
        check_length(new)?;
        if old.len() > LONGEST_PASSWORD {
            return Err(wrong_old());
        }
        // Whoever found a browser open must not be able to guess the password there.
        let by_account = AttemptKey::account(name);
        self.check_attempts(&by_account).await?;
        self.note_attempt(&by_account).await?;
        let verified = self.verified_hash(name, old).await?.ok_or_else(wrong_old)?;
        let hash = self.passwords.hash(new, draw(&*self.random)).await?;
        {
            let _turn = self.accounts_turn.lock().await;
            let mut account = self.present_account(name).await?;
            if account.password_hash.as_deref() != Some(&*verified) {
                return Err(LoginError::Conflict("The password was changed meanwhile".to_owned()));
            }
            account.password_hash = Some(hash);
            self.write_account(&session.person.identity, "password changed", account).await?;
            self.end_sessions_of(&session.person.identity, Some(&session.id_hash)).await?;
        }
        self.clear_attempts(&by_account).await?;
        if revoke_grants {
            let identity = &session.person.identity;
            self.revoke_all_grants(identity, identity, "The password was changed").await?;
        }
        Ok(())
    }

    /// The stored hash if this is the password behind it; the same work where there is none.
    async fn verified_hash(&self, name: &str, password: &str) -> Result<Option<String>, LoginError> {
        let hash = self.usable_hash(name).await?;
        let right = self.passwords.verify(password, hash.as_deref()).await?;
        Ok(hash.filter(|_| right))
    }

    /// What a password is verified against: nothing when the account is unknown, disabled, deleted or has none.
    async fn usable_hash(&self, name: &str) -> Result<Option<String>, LoginError> {
        let account = self.store.account(name).await.map_err(|error| self.store_error(error))?;
        Ok(account.filter(|account| !account.disabled && !account.deleted).and_then(|account| account.password_hash))
    }
}

fn wrong_old() -> LoginError {
    LoginError::Forbidden("The present password is wrong".to_owned())
}

fn no_password_here() -> LoginError {
    LoginError::Forbidden("Your password is kept by the provider that you sign in with".to_owned())
}
