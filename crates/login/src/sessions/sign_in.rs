//! Signing in with a local account, and changing its password.

use falconer_store::{CredentialsChange, SignInMethod};

use super::attempts::Visitor;
use super::session::{Session, SignedIn};
use crate::accounts::password;
use crate::accounts::prove::Prover;
use crate::error::{LoginError, SignInError};
use crate::login::Login;

impl Login {
    /// Signs somebody in who knows an account's password.
    ///
    /// Unknown names, wrong passwords and accounts that may not sign in get the same answer, for the same work. Failures are counted, which bounds guesses. They are
    /// counted so that nobody can lock out somebody else.
    pub async fn sign_in_local(&self, name: &str, password: &str, visitor: &Visitor<'_>) -> Result<SignedIn, SignInError> {
        self.check_clock()?;
        let proven = self.prove_account(name, password, Prover::Stranger(visitor)).await?;
        let signed_in = match self.begin_session(&proven.identity, SignInMethod::Password, visitor).await {
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

    /// Whether somebody has to know the old password to set another one. Whoever has just signed in with a passkey or a recovery code does not, and may have forgotten
    /// it.
    pub fn needs_old_password(&self, session: &Session) -> bool {
        !matches!(session.method, SignInMethod::Passkey | SignInMethod::RecoveryCode)
    }

    /// Sets another password for the local account by which somebody signed in a short while ago, who knows the old one where
    /// [`Login::needs_old_password`]. The person's other sessions, and their grants, end on request.
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
        self.check_fresh(session)?;
        let known = match self.needs_old_password(session) {
            true => Some(self.prove_account(name, old, Prover::Session(&session.id)).await?.hash),
            false => self.credentials(name).await?.password_hash,
        };
        let hash = self.hash_password(new).await?;
        let change = CredentialsChange::SetPassword { hash: Some(hash), instead_of: known };
        self.change_credentials(&session.identity, "password changed", name, change).await?;
        if revoke_grants {
            self.revoke_all_grants(&person.identities(), &session.identity, "the password was changed")
                .await
                .map_err(LoginError::after_a_change)?;
        }
        if end_other_sessions {
            self.end_sessions_of_person(person, Some(&session.id)).await.map_err(LoginError::after_a_change)?;
        }
        Ok(())
    }
}
