//! What a sign-in with a provider is for: beginning a session, proving once more to be there, or adding an identity. One place decides for all kinds of
//! providers what comes of it (ADR 190).

use falconer_store::SignInMethod;

use super::error::ProviderError;
use super::provider::{ConfiguredProvider, Found};
use super::sign_in::ProviderSignInError;
use crate::error::LoginError;
use crate::login::Login;
use crate::sessions::attempts::Visitor;
use crate::sessions::session::{Proof, Session, SignedIn};

/// What a sign-in with a provider is for.
#[derive(Clone, Copy)]
pub enum Way<'a> {
    /// Beginning a session.
    SignIn,
    /// Proving once more, in this session, to be there.
    Reauthenticate(&'a Session),
    /// Adding an identity to the person of this session.
    Link(&'a Session),
}

/// What a sign-in is for, without the session in which it was begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// As in [`Way::SignIn`].
    SignIn,
    /// As in [`Way::Reauthenticate`].
    Reauthenticate,
    /// As in [`Way::Link`].
    Link,
}

/// A sign-in that this browser began, as it has kept it: enough to begin it anew where it came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// What it was for.
    pub aim: Aim,
    /// Where to go on: a path with its query.
    pub next: String,
}

/// A browser that is back, with somebody signed in.
pub struct Inbound {
    /// The session.
    pub signed_in: SignedIn,
    /// Where to go on: a path with its query, as it was given at the beginning.
    pub next: String,
}

/// What came of it.
pub enum SignInResult {
    /// A session begins, or goes on with another cookie.
    SignedIn(Box<Inbound>),
    /// An identity is proved; nothing is linked before that is confirmed ([`Login::confirm_link`]).
    ToConfirm,
}

impl Login {
    /// Whether this may be begun. [`LoginError::SignInAgain`]: whoever adds an identity has to have proved a short while ago to be there.
    pub fn check_way(&self, way: Way<'_>) -> Result<(), LoginError> {
        match way {
            Way::Link(session) => self.check_fresh(session),
            Way::SignIn | Way::Reauthenticate(_) => Ok(()),
        }
    }

    /// What follows for somebody whom a provider has proved.
    pub(crate) async fn arrive(
        &self,
        way: Way<'_>,
        provider: &ConfiguredProvider,
        found: &Found,
        next: String,
        visitor: &Visitor<'_>,
    ) -> Result<SignInResult, ProviderSignInError> {
        let proved_ms = found.proved_ms.unwrap_or_default();
        if matches!(way, Way::Reauthenticate(_) | Way::Link(_)) && !self.is_fresh_proof(proved_ms) {
            return Err(ProviderError::NotAskedAgain.into());
        }
        let signed_in = match way {
            Way::SignIn => {
                let identity = self.record_sign_in(provider, found).await?;
                self.begin_session_as(&identity, SignInMethod::Provider, Proof::At(proved_ms), visitor).await?
            }
            Way::Reauthenticate(session) => {
                // Before anything is written of somebody else.
                if self.record_of(provider, &found.attributes)?.identity != session.identity {
                    return Err(ProviderError::OtherIdentity.into());
                }
                self.record_sign_in(provider, found).await?;
                self.renew_session(session, SignInMethod::Provider, proved_ms, visitor).await?
            }
            Way::Link(session) => {
                self.check_fresh(session)?;
                let identity = self.record_of(provider, &found.attributes)?.identity;
                self.check_not_linked(session, &identity).map_err(not_to_be_linked)?;
                let identity = self.record_sign_in(provider, found).await?;
                self.check_link(session, &identity).await.map_err(not_to_be_linked)?;
                self.keep_pending(session, identity).await?;
                return Ok(SignInResult::ToConfirm);
            }
        };
        Ok(SignInResult::SignedIn(Box::new(Inbound { signed_in, next })))
    }
}

fn not_to_be_linked(error: LoginError) -> ProviderSignInError {
    match error {
        LoginError::Conflict(text) => ProviderError::NotToBeLinked(text).into(),
        // Nobody typed a password here.
        LoginError::WrongPassword => {
            ProviderError::NotToBeLinked("This identity may not act here. Ask your administrator.".to_owned()).into()
        }
        other => other.into(),
    }
}
