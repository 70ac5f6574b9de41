//! Signing in with a local account, and changing its password.

use falconer_store::SignInMethod;

use super::attempts::Visitor;
use super::session::{Session, SignedIn};
use crate::accounts::password;
use crate::accounts::prove::Prover;
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
        let proven = self.prove_account(name, password, Prover::Stranger(visitor)).await?;
        let signed_in = match self.begin_session(&proven.identity, SignInMethod::Password, visitor.user_agent).await {
            // The person may not act.
            Err(LoginError::SignedOut) => return Err(LoginError::WrongPassword),
            begun => begun?,
        };
        if !self.is_still_proven(&proven, password).await? {
            self.sign_out(&signed_in.session).await?;
            return Err(LoginError::WrongPassword);
        }
        Ok(signed_in)
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
        let proven = self.prove_account(name, old, Prover::Session(&session.id)).await?;
        let hash = self.hash_password(new).await?;
        self.replace_password(&person.identity, "password changed", name, &proven.hash, &hash).await?;
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
}
