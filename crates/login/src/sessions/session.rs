//! Sessions: signed-in browsers.
//!
//! The cookie holds 256 random bits, and the store holds their hash. A session ends a week after sign-in, and a day after the last use. Both are checked when it is
//! used.

use std::fmt;

use falconer_auth::MINUTE_MS;
use falconer_store::{SessionRecord, SignInMethod};
use zeroize::Zeroizing;

use crate::accounts::account::LOCAL;
use crate::error::LoginError;
use crate::fingerprint::hash_of_token;
use crate::login::Login;
use crate::people::person::Person;
use crate::sessions::attempts::Visitor;

/// A signed-in browser and its person, checked just now. No token in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Names the session in lists; not the cookie's value, which can't be made from it.
    pub id: String,
    /// Who is signed in.
    pub person: Person,
    /// By which of the person's identities.
    pub identity: String,
    /// How.
    pub method: SignInMethod,
    /// How many things of different kinds were proven.
    pub factors: u32,
    /// The token that the session's forms carry; check it with [`Session::owns_form`].
    pub csrf: String,
    /// When, milliseconds since 1970.
    pub created_ms: i64,
    /// When they proved last to be there, milliseconds since 1970: 0 where a provider let them in and did not say.
    pub proved_ms: i64,
    /// Milliseconds since 1970, at most a minute behind.
    pub last_seen_ms: i64,
    /// The end at the latest, milliseconds since 1970.
    pub expires_ms: i64,
    /// What the browser called itself at sign-in.
    pub user_agent: String,
    /// From which address that was; empty where it is not known.
    pub address: String,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).field("identity", &self.person.identity).finish_non_exhaustive()
    }
}

impl Session {
    /// The name of the local account by which somebody signed in.
    pub fn account_name(&self) -> Option<&str> {
        self.identity.strip_prefix(LOCAL)?.strip_prefix('/')
    }
}

/// A new session. The cookie's value is shown once and kept nowhere.
#[derive(Clone)]
pub struct SignedIn {
    /// 43 characters of `A-Za-z0-9_-`.
    pub cookie_value: Zeroizing<String>,
    /// What it stands for.
    pub session: Session,
}

/// When somebody proved to be there.
#[derive(Clone, Copy)]
pub(crate) enum Proof<'a> {
    /// In this moment.
    Now,
    /// Then, milliseconds since 1970.
    At(i64),
    /// Then, and within this session: its forms go on.
    Reauthenticate {
        /// The session that ends with it.
        of: &'a Session,
        /// Milliseconds since 1970.
        at_ms: i64,
    },
}

/// One line of a person's list of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// For [`Login::end_session`].
    pub id: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970, at most a minute behind.
    pub last_seen_ms: i64,
    /// When it ends if nobody uses it, milliseconds since 1970.
    pub expires_ms: i64,
    /// By which of the person's identities.
    pub identity: String,
    /// How.
    pub method: SignInMethod,
    /// What the browser called itself at sign-in.
    pub user_agent: String,
    /// From which address that was; empty where it is not known.
    pub address: String,
    /// The one that asks.
    pub current: bool,
}

impl Login {
    /// Whose cookie it is. `Ok(None)`: nobody's, or no longer: unknown, ended, or the account is not active.
    pub async fn session(&self, cookie_value: &str) -> Result<Option<Session>, LoginError> {
        if cookie_value.len() != 43 {
            return Ok(None);
        }
        let id = hash_of_token("session", cookie_value);
        let stored = self.store.session(&id).await;
        let Some(mut record) = stored.map_err(|error| self.read_error(error))? else {
            return Ok(None);
        };
        self.check_clock()?;
        let now_ms = self.now_ms();
        if now_ms >= self.end_of(&record) {
            return Ok(None);
        }
        let Some(person) = self.active_person(&record.identity).await? else {
            return Ok(None);
        };
        if now_ms.saturating_sub(record.last_seen_ms) >= MINUTE_MS {
            match self.store.touch_session(&id, now_ms).await {
                Ok(()) => record.last_seen_ms = now_ms,
                // A full disk keeps nobody out: at worst the session ends sooner than it had to.
                Err(error) => tracing::warn!(error = %self.store_error(error), "a visit could not be noted"),
            }
        }
        Ok(Some(session_of(record, person)))
    }

    /// Makes a session for somebody who has just proved to have this identity. Always a new id, whatever the browser had before.
    pub(crate) async fn begin_session(&self, identity: &str, method: SignInMethod, visitor: &Visitor<'_>) -> Result<SignedIn, LoginError> {
        self.begin_session_as(identity, method, Proof::Now, visitor).await
    }

    /// The same, where the proof is not of this moment, or goes on with what a session has begun.
    pub(crate) async fn begin_session_as(
        &self,
        identity: &str,
        method: SignInMethod,
        proof: Proof<'_>,
        visitor: &Visitor<'_>,
    ) -> Result<SignedIn, LoginError> {
        let person = self.active_person(identity).await?;
        let person = person.ok_or(LoginError::SignedOut)?;
        let now_ms = self.now_ms();
        let (proved_ms, csrf) = match proof {
            Proof::Now => (now_ms, self.draw::<16>()),
            Proof::At(proved_ms) => (proved_ms.min(now_ms), self.draw::<16>()),
            Proof::Reauthenticate { of, at_ms } => (at_ms.min(now_ms), of.csrf.clone()),
        };
        let cookie_value = Zeroizing::new(self.draw::<32>());
        let record = SessionRecord {
            id_hash: hash_of_token("session", &cookie_value),
            identity: identity.to_owned(),
            method,
            factors: factors(method),
            csrf,
            created_ms: now_ms,
            proved_ms,
            last_seen_ms: now_ms,
            expires_ms: now_ms.saturating_add(self.settings.session_absolute_ms),
            user_agent: printable(visitor.user_agent),
            address: visitor.address.to_canonical().to_string(),
        };
        let inserted = self.store.insert_session(&record).await;
        inserted.map_err(|error| self.store_error(error))?;
        Ok(SignedIn { cookie_value, session: session_of(record, person) })
    }

    /// Ends this session.
    pub async fn sign_out(&self, session: &Session) -> Result<(), LoginError> {
        let deleted = self.store.delete_session(&session.id).await;
        deleted.map_err(|error| self.store_error(error))
    }

    /// Ends a session in whose browser another one has begun. Where both are the same person's, the applications that know of it go on with the new one, and else they
    /// are told that it has ended.
    pub async fn replace_session(&self, old: &Session, new: &Session) -> Result<(), LoginError> {
        if old.person.id != new.person.id {
            return self.sign_out(old).await;
        }
        self.store.succeed_session(&old.id, &new.id).await.map_err(|error| self.store_error(error))
    }

    /// Ends all sessions of the person, this one too, and on request all grants.
    pub async fn sign_out_everywhere(&self, session: &Session, revoke_grants: bool) -> Result<(), LoginError> {
        let person = &session.person;
        if revoke_grants {
            self.revoke_all_grants(&person.identities(), &session.identity, "signed out everywhere").await?;
        }
        self.end_sessions_of_person(person, None).await.map_err(LoginError::after_a_change)
    }

    /// The person's sessions that have not ended, newest first.
    pub async fn sessions(&self, session: &Session) -> Result<Vec<SessionView>, LoginError> {
        let mut records = Vec::new();
        for identity in session.person.identities() {
            let more = self.store.sessions_of(&identity).await;
            records.extend(more.map_err(|error| self.read_error(error))?);
        }
        records.sort_by_key(|record| std::cmp::Reverse(record.created_ms));
        let now_ms = self.now_ms();
        let alive = records.into_iter().filter(|record| now_ms < self.end_of(record));
        Ok(alive
            .map(|record| SessionView {
                current: record.id_hash == session.id,
                created_ms: record.created_ms,
                last_seen_ms: record.last_seen_ms,
                expires_ms: self.end_of(&record),
                id: record.id_hash,
                identity: record.identity,
                method: record.method,
                user_agent: record.user_agent,
                address: record.address,
            })
            .collect())
    }

    /// Ends one session of the same person. Not found: it has ended, or is somebody else's.
    pub async fn end_session(&self, session: &Session, id: &str) -> Result<(), LoginError> {
        let mine = self.sessions(session).await?;
        if !mine.iter().any(|view| view.id == id) {
            return Err(LoginError::NotFound("This session has ended already.".to_owned()));
        }
        let deleted = self.store.delete_session(id).await;
        deleted.map_err(|error| self.store_error(error))
    }

    pub(crate) async fn end_sessions(&self, identity: &str, except: Option<&str>) -> Result<(), LoginError> {
        let deleted = self.store.delete_sessions_of(identity, except).await;
        deleted.map(|_| ()).map_err(|error| self.store_error(error))
    }

    /// The same for all identities of a person.
    pub(crate) async fn end_sessions_of_person(&self, person: &Person, except: Option<&str>) -> Result<(), LoginError> {
        for identity in person.identities() {
            self.end_sessions(&identity, except).await?;
        }
        Ok(())
    }

    pub(crate) fn end_of(&self, record: &SessionRecord) -> i64 {
        let idle_end_ms = record.last_seen_ms.saturating_add(self.settings.session_idle_ms);
        record.expires_ms.min(idle_end_ms)
    }
}

fn session_of(record: SessionRecord, person: Person) -> Session {
    Session {
        id: record.id_hash,
        person,
        identity: record.identity,
        method: record.method,
        factors: record.factors,
        csrf: record.csrf,
        created_ms: record.created_ms,
        proved_ms: record.proved_ms,
        last_seen_ms: record.last_seen_ms,
        expires_ms: record.expires_ms,
        user_agent: record.user_agent,
        address: record.address,
    }
}

/// How many things of different kinds somebody proved: one who has the link, or knows the password.
fn factors(method: SignInMethod) -> u32 {
    match method {
        // How many a provider asked for is not known.
        SignInMethod::Password | SignInMethod::SetupLink | SignInMethod::Provider | SignInMethod::RecoveryCode => 1,
        // Who has the authenticator, and its PIN, finger or face.
        SignInMethod::Passkey => 2,
    }
}

/// A browser can call itself anything; 200 characters of it are enough to know it again.
fn printable(user_agent: &str) -> String {
    user_agent.chars().filter(|c| !c.is_control()).take(200).collect()
}
