//! Signing in with a local account, and changing its password.

use std::net::{IpAddr, Ipv6Addr};

use crate::account::{LOCAL, is_valid_name, local_identity};
use crate::error::{LoginError, SignInError};
use crate::login::Login;
use crate::password;
use crate::session::{Session, SignedIn};

impl Login {
    /// Signs somebody in who knows an account's password.
    ///
    /// Unknown names, wrong passwords and accounts that may not sign in get the same answer at the same price. Attempts are counted by
    /// account (wrong ones only) and by address.
    pub async fn sign_in_local(&self, name: &str, password: &str, address: IpAddr, user_agent: &str) -> Result<SignedIn, SignInError> {
        if !self.settings.local_accounts {
            return Err(LoginError::Invalid("Nobody signs in with a local account here.".to_owned()));
        }
        self.count(&by_address(address), self.settings.attempts_by_address).await?;
        self.prove(name, password).await?;
        self.begin_session(&local_identity(name), user_agent).await
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
        self.prove(&person.subject, old).await?;
        let hash = self.hash_password(new).await?;
        self.change_account(&person.identity, "password changed", &person.subject, |account| {
            account.password_hash = Some(hash);
            Ok(())
        })
        .await?;
        if revoke_grants {
            self.revoke_all(&person.identity, &person.identity, "the password was changed").await?;
        }
        if end_other_sessions {
            self.end_sessions(&person.identity, Some(&session.id)).await?;
        }
        Ok(())
    }

    /// Checks a password, and counts the attempt until it was right.
    async fn prove(&self, name: &str, password: &str) -> Result<(), LoginError> {
        let known_shape = is_valid_name(name);
        let key = by_account(name);
        if known_shape {
            self.count(&key, self.settings.attempts_by_account).await?;
        }
        let account = if known_shape {
            let account = self.store.account(name).await;
            account.map_err(|error| self.store_error(error))?
        } else {
            None
        };
        let account = account.filter(|account| !account.disabled && !account.deleted);
        let fits = password::has_fitting_length(password);
        let stored = account.as_ref().and_then(|account| account.password_hash.as_deref()).filter(|_| fits);
        // What is too long to be a password is not worth hashing in full.
        let tried = if fits { password } else { "" };
        if !self.passwords.check(tried, stored).await? {
            return Err(LoginError::WrongPassword);
        }
        let cleared = self.store.clear_attempts(&key).await;
        cleared.map_err(|error| self.store_error(error))
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
