//! Signing in again, within a session: what needs a sign-in that is fresh, such as a new passkey, goes on after it (ADR 189).
//!
//! Fresh is when somebody has just proved to be there, whatever the page: the use cases ask, each for itself. A session that is renewed has another cookie and
//! the same token of forms, so that what lies open in other tabs can still be sent.

use falconer_store::{PendingLink, SignInMethod};

use super::attempts::Visitor;
use super::session::{Proof, Session, SignedIn};
use crate::accounts::account::{local_identity, local_name};
use crate::accounts::prove::Prover;
use crate::error::LoginError;
use crate::login::Login;
use crate::passkeys::Assertion;
use crate::passkeys::ceremony::Purpose;
use crate::passkeys::error::PasskeyError;
use crate::providers::provider::ConfiguredProvider;

/// With what somebody signs in again.
#[derive(Clone, Copy)]
pub enum Reauthentication<'a> {
    /// The password of the account by which the session began.
    Password(&'a str),
    /// A passkey of that account.
    Passkey(Assertion<'a>),
}

/// What somebody has to sign in again with, by the identity with which the session began.
pub enum Means<'a> {
    /// A local account.
    Local {
        /// It has a password.
        password: bool,
        /// It has a passkey, and there are some here.
        passkey: bool,
    },
    /// A provider.
    Provider(&'a ConfiguredProvider),
    /// A provider that is not configured any more.
    Nothing,
}

impl Login {
    /// Whether somebody proved to be there so short a while ago that it is still they who sit there.
    pub fn is_fresh(&self, session: &Session) -> bool {
        self.is_fresh_proof(session.proved_ms)
    }

    pub(crate) fn is_fresh_proof(&self, proved_ms: i64) -> bool {
        self.now_ms().saturating_sub(proved_ms) < self.settings.fresh_ms
    }

    /// What every use case asks that changes how a person signs in, or gives away much. [`LoginError::SignInAgain`]: not now.
    pub fn check_fresh(&self, session: &Session) -> Result<(), LoginError> {
        if self.is_fresh(session) { Ok(()) } else { Err(LoginError::SignInAgain) }
    }

    /// What the person of this session can sign in again with.
    pub async fn means(&self, session: &Session) -> Result<Means<'_>, LoginError> {
        let Some(name) = local_name(&session.identity) else {
            let provider = session.identity.split('/').next().unwrap_or_default();
            return Ok(self.provider(provider).map_or(Means::Nothing, Means::Provider));
        };
        let credentials = self.credentials(name).await?;
        Ok(Means::Local {
            password: credentials.password_hash.is_some(),
            passkey: self.relying_party().is_some() && !credentials.passkeys.is_empty(),
        })
    }

    /// A new session for whoever proves once more to be who this session began with; the caller ends the one of before.
    pub async fn sign_in_again(
        &self,
        session: &Session,
        proof: Reauthentication<'_>,
        visitor: &Visitor<'_>,
    ) -> Result<SignedIn, PasskeyError> {
        self.check_clock()?;
        match proof {
            Reauthentication::Password(password) => {
                let name = session.account_name().ok_or(LoginError::WrongPassword)?;
                let proven = self.prove_account(name, password, Prover::Session(&session.id)).await?;
                let signed_in = self.renew_session(session, SignInMethod::Password, self.now_ms(), visitor).await?;
                if !self.is_still_proven(&proven, password).await? {
                    self.sign_out(&signed_in.session).await?;
                    return Err(LoginError::WrongPassword.into());
                }
                Ok(signed_in)
            }
            Reauthentication::Passkey(assertion) => {
                let passkey = self.prove_passkey(Purpose::Reauthenticate, &session.csrf, &assertion).await?;
                if session.identity != local_identity(&passkey.account) {
                    return Err(PasskeyError::WrongUser);
                }
                let renewed = self.renew_session(session, SignInMethod::Passkey, self.now_ms(), visitor).await?;
                self.with_passkey(&passkey, renewed, visitor).await
            }
        }
    }

    /// Goes on as the same identity with another cookie; what is pending in the session comes along.
    pub(crate) async fn renew_session(
        &self,
        session: &Session,
        method: SignInMethod,
        proved_ms: i64,
        visitor: &Visitor<'_>,
    ) -> Result<SignedIn, LoginError> {
        let proof = Proof::Reauthenticate { of: session, at_ms: proved_ms };
        let renewed = self.begin_session_as(&session.identity, method, proof, visitor).await?;
        if let Some(pending) = self.pending(session).await? {
            let carried = PendingLink { session: renewed.session.id.clone(), ..pending };
            self.store.put_pending_link(&carried).await.map_err(|error| self.store_error(error))?;
        }
        // Whoever has ended the session meanwhile could not yet see the new one.
        let ended = self.store.session(&session.id).await.map_err(|error| self.read_error(error))?.is_none();
        if ended {
            self.sign_out(&renewed.session).await?;
            return Err(LoginError::SignedOut);
        }
        Ok(renewed)
    }
}
