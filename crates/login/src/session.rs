//! Sessions of browsers.
//!
//! A session's id is the cookie's value, 256 random bits; the store has only its hash. A session ends a week after sign-in, or after a day
//! without a visit, both checked at each use, and at once when the person is disabled or gone.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_auth::{DAY_MS, MINUTE_MS, Secret};
use falconer_store::SessionRecord;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::error::LoginError;
use crate::login::{Login, hash_of, is_token};
use crate::person::Person;

/// A session ends this long after sign-in.
const LONGEST_MS: i64 = 7 * DAY_MS;
/// A session ends this long after its last visit.
const IDLE_MS: i64 = DAY_MS;
/// A visit is written down at most this often.
const TOUCH_MS: i64 = MINUTE_MS;
const LONGEST_USER_AGENT: usize = 200;

/// A signed-in browser, as found for one request.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// Who is signed in, at present.
    pub person: Person,
    /// What each form of the session carries; check it with [`Session::check_csrf`].
    pub csrf: String,
    /// The session's public name, for the list of sessions: 22 characters of base64url. It opens nothing.
    pub handle: String,
    /// When the person signed in, milliseconds since the epoch.
    pub created_ms: i64,
    /// The end at the latest, milliseconds since the epoch; a day without a visit ends it sooner.
    pub expires_ms: i64,
    pub(crate) id_hash: String,
}

impl Session {
    /// Whether a form's token is this session's, in constant time.
    pub fn check_csrf(&self, field: &str) -> bool {
        !self.csrf.is_empty() && bool::from(self.csrf.as_bytes().ct_eq(field.as_bytes()))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Session { person, handle, created_ms, expires_ms, .. } = self;
        f.debug_struct("Session")
            .field("person", &person.identity)
            .field("handle", handle)
            .field("created_ms", created_ms)
            .field("expires_ms", expires_ms)
            .finish_non_exhaustive()
    }
}

/// A session that has just begun.
#[derive(Clone)]
pub struct SignedIn {
    /// What the browser is to keep; it is nowhere else.
    pub cookie_value: Secret,
    /// The session.
    pub session: Session,
}

/// A line in the person's list of sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSummary {
    /// For [`Login::end_session`].
    pub handle: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What the browser called itself, without control characters, at most 200 characters.
    pub user_agent: String,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
    /// To the minute, milliseconds since the epoch.
    pub last_seen_ms: i64,
    /// The end at the latest, milliseconds since the epoch.
    pub expires_ms: i64,
}

impl Login {
    /// Whose cookie this is. `None`: nobody's, ended, or the person is disabled or gone. Errors: [`LoginError::Unavailable`],
    /// [`LoginError::Internal`].
    pub async fn session(&self, cookie_value: &str) -> Result<Option<Session>, LoginError> {
        if !is_token(cookie_value) {
            return Ok(None);
        }
        let found = self.store.session(&hash_of(cookie_value)).await.map_err(|error| self.store_error(error))?;
        self.check_clock()?;
        let now_ms = self.now_ms();
        let Some(record) = found.filter(|record| is_live(record, now_ms)) else { return Ok(None) };
        let Some(person) = self.active_person(&record.identity).await? else { return Ok(None) };
        if record.last_seen_ms.saturating_add(TOUCH_MS) <= now_ms {
            if let Err(error) = self.store.touch_session(&record.id_hash, now_ms).await {
                // The visit goes on: at worst the session ends sooner than it had to.
                tracing::warn!(error = %self.store_error(error), "a visit could not be written down");
            }
        }
        Ok(Some(session_of(record, person)))
    }

    /// Ends this session.
    pub async fn sign_out(&self, session: &Session) -> Result<(), LoginError> {
        self.store.delete_session(&session.id_hash).await.map_err(|error| self.store_error(error))
    }

    /// Ends all sessions of the person, this one too, and if so wished all grants; how many sessions there were.
    pub async fn sign_out_everywhere(&self, session: &Session, revoke_grants: bool) -> Result<u64, LoginError> {
        let identity = &session.person.identity;
        let ended = self.end_sessions_of(identity, None).await?;
        if revoke_grants {
            self.revoke_all_grants(identity, identity, "Signed out everywhere").await?;
        }
        Ok(ended)
    }

    /// The person's sessions that have not ended, newest first.
    pub async fn sessions(&self, session: &Session) -> Result<Vec<SessionSummary>, LoginError> {
        let records = self.sessions_of(session).await?;
        let summary = |record: SessionRecord| SessionSummary {
            handle: handle_of(&record.id_hash),
            current: record.id_hash == session.id_hash,
            user_agent: record.user_agent,
            created_ms: record.created_ms,
            last_seen_ms: record.last_seen_ms,
            expires_ms: record.expires_ms,
        };
        Ok(records.into_iter().map(summary).collect())
    }

    /// Ends one of the person's sessions. 404 when the person has none of this name.
    pub async fn end_session(&self, session: &Session, handle: &str) -> Result<(), LoginError> {
        let records = self.sessions_of(session).await?;
        let record = records
            .iter()
            .find(|record| handle_of(&record.id_hash) == handle)
            .ok_or_else(|| LoginError::NotFound("This session has ended already".to_owned()))?;
        self.store.delete_session(&record.id_hash).await.map_err(|error| self.store_error(error))
    }

    /// A new session with a new id. The caller has checked who it is, and keeps the turn of accounts.
    pub(crate) async fn begin_session(&self, identity: &str, user_agent: &str) -> Result<SignedIn, LoginError> {
        let person = self
            .active_person(identity)
            .await?
            .ok_or_else(|| LoginError::Internal(format!("{identity} is not active, or not known to this node")))?;
        let cookie_value = self.new_token();
        let now_ms = self.now_ms();
        let record = SessionRecord {
            id_hash: hash_of(&cookie_value),
            identity: identity.to_owned(),
            csrf: self.new_token().to_string(),
            created_ms: now_ms,
            last_seen_ms: now_ms,
            expires_ms: now_ms.saturating_add(LONGEST_MS),
            user_agent: user_agent.chars().filter(|c| !c.is_control()).take(LONGEST_USER_AGENT).collect(),
        };
        self.store.insert_session(&record).await.map_err(|error| self.store_error(error))?;
        Ok(SignedIn { cookie_value: Secret::new(cookie_value.to_string()), session: session_of(record, person) })
    }

    pub(crate) async fn end_sessions_of(&self, identity: &str, except: Option<&str>) -> Result<u64, LoginError> {
        self.store.delete_sessions_of(identity, except).await.map_err(|error| self.store_error(error))
    }

    /// Ends every grant of a person that has not ended yet.
    pub(crate) async fn revoke_all_grants(&self, identity: &str, by: &str, reason: &str) -> Result<(), LoginError> {
        let now_ms = self.now_ms();
        let grants = self.store.grants_of(identity).await.map_err(|error| self.store_error(error))?;
        let ids: Vec<String> =
            grants.into_iter().filter(|g| g.revoked_ms.is_none() && g.expires_ms > now_ms).map(|g| g.id).collect();
        if !ids.is_empty() {
            self.auth.revoke_grants(identity, by, &ids, reason).await?;
        }
        Ok(())
    }

    /// A person who may act. One whom this node does not know may have been made by another process: the store is asked once.
    async fn active_person(&self, identity: &str) -> Result<Option<Person>, LoginError> {
        let here = || self.auth.directory().person(identity).map(|person| person.record.clone());
        let mut record = here();
        if record.is_none() && self.auth.catch_up().await.map_err(|error| self.store_error(error))? {
            record = here();
        }
        Ok(record.filter(|record| !record.disabled).map(|record| Person::from(&record)))
    }

    async fn sessions_of(&self, session: &Session) -> Result<Vec<SessionRecord>, LoginError> {
        let now_ms = self.now_ms();
        let records = self.store.sessions_of(&session.person.identity).await.map_err(|error| self.store_error(error))?;
        Ok(records.into_iter().filter(|record| is_live(record, now_ms)).collect())
    }
}

fn is_live(record: &SessionRecord, now_ms: i64) -> bool {
    now_ms < record.expires_ms && now_ms < record.last_seen_ms.saturating_add(IDLE_MS)
}

fn session_of(record: SessionRecord, person: Person) -> Session {
    Session {
        person,
        csrf: record.csrf,
        handle: handle_of(&record.id_hash),
        created_ms: record.created_ms,
        expires_ms: record.expires_ms,
        id_hash: record.id_hash,
    }
}

/// 128 bits of a hash of the hash: shown in pages, so that not even what the store has is told.
fn handle_of(id_hash: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"falconer session handle\0");
    hash.update(id_hash.as_bytes());
    let mut handle = URL_SAFE_NO_PAD.encode(hash.finalize());
    handle.truncate(22);
    handle
}
