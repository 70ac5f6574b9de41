//! Linking: another identity becomes one of the person who is signed in (ADR 0123).
//!
//! Both prove who they are, one after the other in one session and within minutes: a stranger at somebody's browser, or in somebody's session, knows
//! neither password of the other. What was proven is one record of that session, and a page that shows both asks before anything is linked.

use falconer_auth::MINUTE_MS;
use falconer_scopes::ScopeSet;
use falconer_store::PendingLink;

use crate::accounts::prove::Prover;
use crate::error::LoginError;
use crate::login::Login;
use crate::people::person::Linked;
use crate::sessions::attempts::Visitor;
use crate::sessions::session::{Proof, Session, SignedIn};

/// So long what was proven can be confirmed.
const PENDING_MS: i64 = 10 * MINUTE_MS;

/// Why nothing was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// The password of whoever is signed in is wrong.
    OwnPassword,
    /// The rest; [`LoginError::WrongPassword`] is about the other account.
    Other(LoginError),
}

impl From<LoginError> for LinkError {
    fn from(error: LoginError) -> LinkError {
        LinkError::Other(error)
    }
}

/// How whoever is signed in shows, before another account is linked, that they are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnProof<'s> {
    /// By the password of the account of this name, with which the session began.
    Password(&'s str),
    /// They have shown it a short while ago.
    Session,
}

/// What is to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOffer {
    /// The other identity.
    pub other: Linked,
    /// What the person gains by it, expanded.
    pub gained: ScopeSet,
    /// What whoever signs in by the other identity gains, expanded: what the person has already.
    pub given: ScopeSet,
    /// From then on it can't be confirmed; milliseconds since 1970.
    pub expires_ms: i64,
}

impl Login {
    /// Proves both: the account by which this session began, and another one. Wrong passwords count as they do where people sign in. Whoever signed in with a
    /// provider has no password here, and has to have proved a short while ago to be there.
    pub async fn begin_link(
        &self,
        session: &Session,
        own_password: &str,
        other: &str,
        other_password: &str,
        visitor: &Visitor<'_>,
    ) -> Result<(), LinkError> {
        self.check_clock()?;
        let own_proven = match self.own_proof(session)? {
            OwnProof::Password(own) => match self.prove_account(own, own_password, Prover::Session(&session.id)).await {
                Err(LoginError::WrongPassword) => return Err(LinkError::OwnPassword),
                proven => Some(proven?),
            },
            OwnProof::Session => None,
        };
        let proven = self.prove_account(other, other_password, Prover::Stranger(visitor)).await?;
        let identity = proven.identity.clone();
        self.check_link(session, &identity).await?;
        self.keep_pending(session, identity).await?;
        // Whoever has changed a password or stopped an account meanwhile has ended what was pending, but could not yet see this.
        let own_holds = match &own_proven {
            Some(own_proven) => self.is_still_proven(own_proven, own_password).await?,
            None => true,
        };
        if own_holds && self.is_still_proven(&proven, other_password).await? {
            return Ok(());
        }
        self.cancel_link(session).await?;
        Err(LoginError::WrongPassword.into())
    }

    /// What [`Login::begin_link`] asks of whoever is signed in. [`LoginError::SignInAgain`]: they have no password here, and have to sign in again first.
    pub fn own_proof<'s>(&self, session: &'s Session) -> Result<OwnProof<'s>, LoginError> {
        match session.account_name() {
            Some(own) => Ok(OwnProof::Password(own)),
            None => self.check_fresh(session).map(|()| OwnProof::Session),
        }
    }

    /// Notes that this session has proved an identity, to be linked once that is confirmed.
    pub(crate) async fn keep_pending(&self, session: &Session, identity: String) -> Result<(), LoginError> {
        let expires_ms = self.now_ms().saturating_add(PENDING_MS);
        let kept = self.store.put_pending_link(&PendingLink { session: session.id.clone(), identity, expires_ms }).await;
        kept.map_err(|error| self.store_error(error))
    }

    /// Whether the identity can become one of this person's.
    pub(crate) async fn check_link(&self, session: &Session, identity: &str) -> Result<(), LoginError> {
        self.check_not_linked(session, identity)?;
        self.active_person(identity).await?.ok_or(LoginError::WrongPassword)?;
        // Once more: whoever was unknown is known by now.
        self.check_not_linked(session, identity)
    }

    /// Whether the identity is neither this person's nor, with others, somebody else's, as far as this node knows.
    pub(crate) fn check_not_linked(&self, session: &Session, identity: &str) -> Result<(), LoginError> {
        if session.person.has(identity) {
            return Err(LoginError::Conflict(format!("{identity} is yours already.")));
        }
        let others = self.identities_of(identity);
        match others.iter().find(|other| *other != identity) {
            None => Ok(()),
            Some(third) => {
                Err(LoginError::Conflict(format!("{identity} is linked with {third} already. Sign in with it and unlink it there first.")))
            }
        }
    }

    /// What is pending in this session, if it can still be confirmed.
    pub async fn link_offer(&self, session: &Session) -> Result<Option<LinkOffer>, LoginError> {
        let Some(pending) = self.pending(session).await? else { return Ok(None) };
        let Some(other) = self.active_person(&pending.identity).await? else { return Ok(None) };
        let Some(other) = other.linked.into_iter().find(|linked| linked.identity == pending.identity) else { return Ok(None) };
        let scopes = |identity: &str| self.auth.person_scopes(identity).unwrap_or_default();
        let (own, theirs) = (scopes(&session.identity), scopes(&pending.identity));
        let lacking = |has: &ScopeSet, all: &ScopeSet| ScopeSet::new(all.iter().filter(|scope| !has.satisfies(scope)));
        Ok(Some(LinkOffer { other, gained: lacking(&own, &theirs), given: lacking(&theirs, &own), expires_ms: pending.expires_ms }))
    }

    pub(crate) async fn pending(&self, session: &Session) -> Result<Option<PendingLink>, LoginError> {
        let pending = self.store.pending_link(&session.id).await;
        let pending = pending.map_err(|error| self.read_error(error))?;
        Ok(pending.filter(|pending| self.now_ms() < pending.expires_ms))
    }

    /// Forgets what is pending in this session.
    pub async fn cancel_link(&self, session: &Session) -> Result<(), LoginError> {
        let deleted = self.store.delete_pending_link(&session.id).await;
        deleted.map_err(|error| self.store_error(error))
    }

    /// Links what is pending, if it is the identity that the page has shown. All sessions of both end, so that none of before gains anything; the answer is the one
    /// with which the person goes on.
    pub async fn confirm_link(
        &self,
        session: &Session,
        identity: &str,
        form_time: &str,
        visitor: &Visitor<'_>,
    ) -> Result<SignedIn, LoginError> {
        if self.is_too_soon(session, form_time) {
            return Err(LoginError::TooSoon);
        }
        if self.pending(session).await?.is_none_or(|pending| pending.identity != identity) {
            return Err(LoginError::Conflict("What was to be linked was confirmed already, or its time is over. Begin again.".to_owned()));
        }
        self.auth.link_identity(&session.identity, identity, &session.identity, Some(&session.id)).await?;
        self.end_sessions(identity, None).await.map_err(LoginError::after_a_change)?;
        self.end_sessions_of_person(&session.person, None).await.map_err(LoginError::after_a_change)?;
        let begun = self.begin_session_as(&session.identity, session.method, Proof::At(session.proved_ms), visitor).await;
        begun.map_err(LoginError::after_a_change)
    }

    /// Makes one of the person's identities a person of its own again, and ends the sessions by it: this one too, if it began so.
    pub async fn unlink(&self, session: &Session, identity: &str, form_time: &str) -> Result<(), LoginError> {
        self.check_own(session, identity, form_time)?;
        self.check_fresh(session)?;
        self.auth.unlink_identity(&session.identity, identity).await?;
        self.end_sessions(identity, None).await.map_err(LoginError::after_a_change)
    }

    /// From now on this one of the person's identities names new clients and grants.
    pub async fn choose_name(&self, session: &Session, identity: &str, form_time: &str) -> Result<(), LoginError> {
        self.check_own(session, identity, form_time)?;
        self.check_fresh(session)?;
        self.auth.name_person(&session.identity, identity).await?;
        Ok(())
    }

    fn check_own(&self, session: &Session, identity: &str, form_time: &str) -> Result<(), LoginError> {
        if !session.person.has(identity) {
            return Err(LoginError::NotFound("You have no such identity.".to_owned()));
        }
        if self.is_too_soon(session, form_time) { Err(LoginError::TooSoon) } else { Ok(()) }
    }
}
