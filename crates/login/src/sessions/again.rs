//! Signing in again, within a session: what needs a sign-in that is fresh, such as a new passkey, goes on after it.

use falconer_store::SignInMethod;

use super::attempts::Visitor;
use super::session::{Session, SignedIn};
use crate::accounts::account::local_identity;
use crate::accounts::prove::Prover;
use crate::error::LoginError;
use crate::login::Login;
use crate::passkeys::Assertion;
use crate::passkeys::ceremony::Purpose;
use crate::passkeys::error::PasskeyError;

/// With what somebody signs in again.
#[derive(Clone, Copy)]
pub enum Again<'a> {
    /// The password of the account by which the session began.
    Password(&'a str),
    /// A passkey of the person.
    Passkey(Assertion<'a>),
}

impl Login {
    /// Whether somebody signed in so short a while ago that it is still they who sit there.
    pub fn is_fresh(&self, session: &Session) -> bool {
        self.now_ms().saturating_sub(session.created_ms) < self.settings.fresh_ms
    }

    /// A new session for whoever proves once more to be this session's person; the caller ends the one of before.
    pub async fn sign_in_again(&self, session: &Session, again: Again<'_>, visitor: &Visitor<'_>) -> Result<SignedIn, PasskeyError> {
        self.check_clock()?;
        match again {
            Again::Password(password) => {
                let name = session.account_name().ok_or(LoginError::WrongPassword)?;
                let proven = self.prove_account(name, password, Prover::Session(&session.id)).await?;
                let signed_in = self.begin_session(&proven.identity, SignInMethod::Password, visitor.user_agent).await?;
                if !self.is_still_proven(&proven, password).await? {
                    self.sign_out(&signed_in.session).await?;
                    return Err(LoginError::WrongPassword.into());
                }
                Ok(signed_in)
            }
            Again::Passkey(assertion) => {
                let passkey = self.prove_passkey(Purpose::Again, &session.id, &assertion).await?;
                let identity = local_identity(&passkey.account);
                if !session.person.has(&identity) {
                    return Err(PasskeyError::WrongUser);
                }
                self.begin_passkey_session(&passkey, visitor).await
            }
        }
    }
}
