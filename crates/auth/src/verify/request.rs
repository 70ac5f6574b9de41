//! Verification: MAC first, then everything else (`judge`).

use falconer_credentials::{Authentic, Failure, RequestParts};
use falconer_store::Key;

use crate::auth::{Auth, Inner};
use crate::directory::snapshot::{KeyOwner, Snapshot};
use crate::error::ApiError;
use crate::time::MINUTE_MS;
use crate::verify::caller::{Authentication, Caller, DisclosedIdentity, Success, Verdict, Who};
use crate::verify::judge::Used;
use crate::verify::worth::{DependsOn, Refused};

/// How long an answer for nobody counts (`hawk.md` section 1).
const NO_AUTH_MS: i64 = 15 * MINUTE_MS;
/// The node can't tell what has expired: it says so, before anything about anybody.
const CLOCK_BEHIND: &str = "The clock of this server is behind what it has stored; it authenticates nobody until that is corrected";

impl Auth {
    /// Judges the credentials of a request to any service (authenticateHawk).
    pub async fn verify(&self, parts: &RequestParts<'_>) -> Verdict {
        match self.judge_request(parts).await {
            Ok(None) => {
                let snapshot = self.inner.directory.load();
                Verdict::NoAuth { expires_ms: self.now_ms().saturating_add(NO_AUTH_MS), scopes: snapshot.anonymous().clone() }
            }
            Ok(Some((_, caller, disclosed))) => Verdict::Success(Success {
                client_id: caller.client_id.unwrap_or_default(),
                scopes: caller.scopes,
                expires_ms: caller.expires_ms,
                hash: caller.hash,
                identity: disclosed,
                grant: caller.grant,
            }),
            Err(Denied { message, .. }) => Verdict::Failed { message },
        }
    }

    /// Judges the credentials of a request to Falconer's own API: they count only when host and port are the public origin's or one of
    /// `hawk_origins`. A call that was signed for another host answers `Unauthorized: Bad mac`, as if the MAC did not cover it.
    pub async fn authenticate(&self, parts: &RequestParts<'_>) -> Authentication {
        let refused = |error| Authentication { who: Who::Refused, outcome: Err(error) };
        if !self.inner.settings.is_ours(parts.host, parts.port) {
            return match falconer_credentials::read(parts) {
                Ok(None) => self.nobody(),
                Ok(Some(_)) => {
                    tracing::debug!(host = parts.host, port = parts.port, "signed for a host that is neither ours nor in hawk_origins");
                    refused(ApiError::AuthenticationFailed("Unauthorized: Bad mac".to_owned()))
                }
                Err(failure) => refused(ApiError::AuthenticationFailed(failure.to_string())),
            };
        }
        match self.judge_request(parts).await {
            Ok(None) => self.nobody(),
            Ok(Some((authentic, caller, _))) => Authentication { who: Who::Signed(Box::new(authentic.into_owned())), outcome: Ok(caller) },
            Err(Denied { message, clock: true }) => refused(ApiError::Unavailable(message)),
            Err(Denied { message, clock: false }) => refused(ApiError::AuthenticationFailed(message)),
        }
    }

    /// A request without credentials.
    pub fn nobody(&self) -> Authentication {
        let snapshot = self.inner.directory.load();
        Authentication { who: Who::Nobody, outcome: Ok(nobody(&snapshot, self.now_ms())) }
    }

    async fn judge_request<'a>(&self, parts: &RequestParts<'a>) -> Result<Option<Judged<'a>>, Denied> {
        let Some(signed) = falconer_credentials::read(parts)? else {
            return Ok(None);
        };
        let now_ms = self.now_ms();
        let (authentic, judged) = {
            let snapshot = self.inner.directory.load();
            if self.inner.clock_is_behind(&snapshot, now_ms) {
                return Err(Denied { message: CLOCK_BEHIND.to_owned(), clock: true });
            }
            // Checks the MAC, and nothing else, under the key owner's token.
            let owner = snapshot.key_owner(signed.key_owner());
            let authentic = signed.check_mac(owner.as_ref().map(KeyOwner::token))?;
            let judged = self.inner.judge_and_note(&snapshot, owner, &authentic, now_ms);
            (authentic, judged)
        };
        let (caller, disclosed) = match judged {
            Err(refused) if refused.look_again && self.catch_up().await.unwrap_or(false) => {
                let snapshot = self.inner.directory.load();
                self.inner.judge_and_note(&snapshot, snapshot.key_owner(authentic.key_owner()), &authentic, now_ms)
            }
            other => other,
        }?;
        Ok(Some((authentic, caller, disclosed)))
    }
}

/// A request with the proof of its MAC, who it is, and what may be told about the person.
type Judged<'a> = (Authentic<'a>, Caller, Option<DisclosedIdentity>);

/// Why a request has no standing.
struct Denied {
    message: String,
    clock: bool,
}

impl From<Failure> for Denied {
    fn from(failure: Failure) -> Self {
        Denied { message: failure.to_string(), clock: false }
    }
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        Denied { message: refused.message, clock: false }
    }
}

fn nobody(snapshot: &Snapshot, now_ms: i64) -> Caller {
    Caller {
        client_id: None,
        scopes: snapshot.anonymous().clone(),
        expires_ms: now_ms.saturating_add(NO_AUTH_MS),
        hash: None,
        grant: None,
        identity: None,
    }
}

impl Inner {
    fn judge_and_note(
        &self,
        snapshot: &Snapshot,
        owner: Option<KeyOwner<'_>>,
        authentic: &Authentic<'_>,
        now_ms: i64,
    ) -> Result<(Caller, Option<DisclosedIdentity>), Refused> {
        let judgement = self.judge(snapshot, owner, authentic, now_ms, &mut DependsOn::nobody_asks())?;
        match judgement.used {
            Used::Client(client) => self.note_client_use(client, now_ms),
            Used::Grant(grant) => self.note_grant_use(grant, now_ms),
        }
        Ok((judgement.caller, judgement.disclosed))
    }

    /// Who asks, at this snapshot, and the rows that make it so.
    pub(crate) fn stand(&self, snapshot: &Snapshot, authentication: &Authentication, now_ms: i64) -> Result<(Caller, Vec<Key>), ApiError> {
        let behind = || self.clock_is_behind(snapshot, now_ms);
        match &authentication.who {
            Who::Nobody => Ok((nobody(snapshot, now_ms), vec![Key::Role])),
            Who::Refused => authentication.caller().cloned().map(|caller| (caller, Vec::new())),
            Who::Signed(_) | Who::Person(_) if behind() => Err(ApiError::Unavailable(CLOCK_BEHIND.to_owned())),
            Who::Signed(authentic) => {
                let (owner, mut depends_on) = (snapshot.key_owner(authentic.key_owner()), DependsOn::noted());
                match self.judge(snapshot, owner, authentic, now_ms, &mut depends_on) {
                    Ok(judgement) => Ok((judgement.caller, depends_on.keys())),
                    Err(refused) => Err(ApiError::AuthenticationFailed(refused.message)),
                }
            }
            Who::Person(identity) => self.person(snapshot, identity, now_ms),
        }
    }

    fn person(&self, snapshot: &Snapshot, identity: &str, now_ms: i64) -> Result<(Caller, Vec<Key>), ApiError> {
        let present = snapshot
            .person(identity)
            .and_then(|person| self.present_scopes(snapshot, person, now_ms))
            .ok_or_else(|| ApiError::AuthenticationFailed(format!("The account {identity} is not active")))?;
        let caller = Caller {
            client_id: Some(identity.to_owned()),
            scopes: present.union(snapshot.anonymous()),
            expires_ms: i64::MAX,
            hash: None,
            grant: None,
            identity: Some(identity.to_owned()),
        };
        Ok((caller, vec![Key::Role, Key::Identity(identity.to_owned())]))
    }
}
