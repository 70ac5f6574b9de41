//! Signing in with a local account, and changing its password.

use std::net::{IpAddr, Ipv6Addr};

use crate::accounts::account::{LOCAL, is_valid_name, local_identity};
use crate::accounts::password::{self, Place};
use crate::error::{LoginError, SignInError};
use crate::login::Login;
use crate::sessions::session::{Session, SignedIn};

impl Login {
    /// Signs somebody in who knows an account's password.
    ///
    /// Unknown names, wrong passwords and accounts that may not sign in get the same answer at the same price. Attempts are counted by
    /// account (wrong ones only) and by address.
    pub async fn sign_in_local(&self, name: &str, password: &str, address: IpAddr, user_agent: &str) -> Result<SignedIn, SignInError> {
        if !self.settings.local_accounts {
            return Err(LoginError::Invalid("Nobody signs in with a local account here.".to_owned()));
        }
        self.check_clock()?;
        // Before anything is counted: that many people sign in at the same time closes nobody's account.
        let place = self.passwords.enter()?;
        self.count(&by_address(address), self.settings.attempts_by_address).await?;
        let proven = self.prove(place, name, password).await?;
        let signed_in = self.begin_session(&local_identity(name), user_agent).await?;
        // Whoever has changed the password or stopped the account meanwhile has ended all sessions, but could not yet see this one.
        let present = self.account_record(name).await?.filter(|account| !account.disabled);
        if present.and_then(|account| account.password_hash) != Some(proven) {
            self.sign_out(&signed_in.session).await?;
            return Err(LoginError::WrongPassword);
        }
        Ok(signed_in)
    }

    /// Sets another password for the person of this session, who knows the old one. Other sessions and grants end on request.
    pub async fn change_password(
        &self,
        session: &Session,
        old: &str,
        new: &str,
        end_other_sessions: bool,
        revoke_grants: bool,
    ) -> Result<(), LoginError> {
        let person = &session.person;
        if person.provider != LOCAL {
            return Err(LoginError::Invalid("Your password is kept where you sign in, not here.".to_owned()));
        }
        password::check_new(new)?;
        let proven = self.prove(self.passwords.enter()?, &person.subject, old).await?;
        let hash = self.hash_password(new).await?;
        let by = &person.identity;
        self.change_account(by, "password changed", &person.subject, |account| {
            if account.password_hash.as_deref() != Some(&proven) {
                return Err(LoginError::Conflict("Somebody else has just changed the password.".to_owned()));
            }
            account.password_hash = Some(hash);
            Ok(())
        })
        .await?;
        if revoke_grants {
            self.revoke_all_grants(&person.identity, &person.identity, "the password was changed").await?;
        }
        if end_other_sessions {
            self.end_sessions(&person.identity, Some(&session.id)).await?;
        }
        Ok(())
    }

    /// Checks a password, and counts the attempt until it was right. The answer is the hash that it was checked against.
    async fn prove(&self, place: Place, name: &str, password: &str) -> Result<String, LoginError> {
        let key = by_account(name);
        let mut account = None;
        if is_valid_name(name) {
            self.count(&key, self.settings.attempts_by_account).await?;
            account = self.account_record(name).await?;
        }
        let fits = password::has_fitting_length(password);
        let stored = account.filter(|account| fits && !account.disabled && !account.deleted).and_then(|account| account.password_hash);
        // What is too long to be a password is not worth hashing in full.
        let tried = if fits { password } else { "" };
        let right = self.passwords.check(place, tried, stored.as_deref()).await?;
        let proven = stored.filter(|_| right).ok_or(LoginError::WrongPassword)?;
        let cleared = self.store.clear_attempts(&key).await;
        cleared.map_err(|error| self.store_error(error))?;
        Ok(proven)
    }

    /// Notes an attempt before it is made, so that many at once count too.
    async fn count(&self, key: &str, most: u32) -> Result<(), LoginError> {
        let (now_ms, window_ms) = (self.now_ms(), self.settings.attempts_window_ms);
        let throttled = || LoginError::Throttled { retry_after_seconds: u64::try_from(window_ms / 1000).unwrap_or(1).max(1) };
        let before = self.store.attempts(key, now_ms, window_ms).await;
        // What is refused is not counted: the window moves on while somebody keeps knocking.
        if before.map_err(|error| self.store_error(error))? >= most {
            return Err(throttled());
        }
        let noted = self.store.note_attempt(key, now_ms, window_ms).await;
        if noted.map_err(|error| self.store_error(error))? > most {
            return Err(throttled());
        }
        Ok(())
    }
}

fn by_account(name: &str) -> String {
    format!("sign-in/account/{name}")
}

/// One household or machine has a whole /64 of IPv6 addresses.
fn by_address(address: IpAddr) -> String {
    let address = match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    };
    format!("sign-in/address/{address}")
}
