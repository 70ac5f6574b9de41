//! Verification: MAC first, then everything else (`evaluate`).

use falconer_credentials::{Authentic, Failure, RequestParts};
use falconer_store::Key;

use crate::directory::snapshot::{KeyOwner, Snapshot};
use crate::error::ApiError;
use crate::node::{Auth, Node};
use crate::time::MINUTE_MS;
use crate::verify::caller::{Authentication, Caller, DisclosedIdentity, Success, Verdict, Who};
use crate::verify::effective_scopes::{DependsOn, Refused};
use crate::verify::evaluate::UsedBy;

/// How long an answer for nobody counts (`hawk.md` section 1).
const NO_AUTH_MS: i64 = 15 * MINUTE_MS;
/// The node can't tell what has expired: it says so, before anything about anybody.
const CLOCK_BEHIND: &str = "The clock of this server is behind what it has stored; it authenticates nobody until that is corrected";

impl Auth {
    /// Checks the credentials of a request to any service (authenticateHawk).
    pub async fn verify(&self, parts: &RequestParts<'_>) -> Verdict {
        match self.check_request(parts).await {
            Ok(None) => {
                let snapshot = self.node.directory.load();
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

    /// Checks the credentials of a request to Falconer's own API: they count only when host and port are the public origin's or one of
    /// `hawk_origins`. A call that was signed for another host answers `Unauthorized: Bad mac`, as if the MAC did not cover it.
    pub async fn authenticate(&self, parts: &RequestParts<'_>) -> Authentication {
        let refused = |error| Authentication { who: Who::Refused, outcome: Err(error) };
        if !self.node.settings.is_ours(parts.host, parts.port) {
            return match falconer_credentials::read(parts) {
                Ok(None) => self.nobody(),
                Ok(Some(_)) => {
                    tracing::debug!(host = parts.host, port = parts.port, "signed for a host that is neither ours nor in hawk_origins");
                    refused(ApiError::AuthenticationFailed("Unauthorized: Bad mac".to_owned()))
                }
                Err(failure) => refused(ApiError::AuthenticationFailed(failure.to_string())),
            };
        }
        match self.check_request(parts).await {
            Ok(None) => self.nobody(),
            Ok(Some((authentic, caller, _))) => Authentication { who: Who::Signed(Box::new(authentic.into_owned())), outcome: Ok(caller) },
            Err(Denied { message, clock: true }) => refused(ApiError::Unavailable(message)),
            Err(Denied { message, clock: false }) => refused(ApiError::AuthenticationFailed(message)),
        }
    }

    /// A request without credentials.
    pub fn nobody(&self) -> Authentication {
        let snapshot = self.node.directory.load();
        Authentication { who: Who::Nobody, outcome: Ok(nobody(&snapshot, self.now_ms())) }
    }

    async fn check_request<'a>(&self, parts: &RequestParts<'a>) -> Result<Option<Checked<'a>>, Denied> {
        let Some(signed) = falconer_credentials::read(parts)? else {
            return Ok(None);
        };
        let now_ms = self.now_ms();
        let (authentic, evaluated) = {
            let snapshot = self.node.directory.load();
            if self.node.clock_is_behind(&snapshot, now_ms) {
                return Err(Denied { message: CLOCK_BEHIND.to_owned(), clock: true });
            }
            // Checks the MAC, and nothing else, under the key owner's token.
            let owner = snapshot.key_owner(signed.key_owner());
            let authentic = signed.check_mac(owner.as_ref().map(KeyOwner::token))?;
            let evaluated = self.node.evaluate_and_note(&snapshot, owner, &authentic, now_ms);
            (authentic, evaluated)
        };
        let (caller, disclosed) = match evaluated {
            Err(refused) if refused.retry_after_catch_up && self.catch_up().await.unwrap_or(false) => {
                let snapshot = self.node.directory.load();
                self.node.evaluate_and_note(&snapshot, snapshot.key_owner(authentic.key_owner()), &authentic, now_ms)
            }
            other => other,
        }?;
        Ok(Some((authentic, caller, disclosed)))
    }
}

/// A request with the proof of its MAC, who it is, and what may be told about the person.
type Checked<'a> = (Authentic<'a>, Caller, Option<DisclosedIdentity>);

/// Why credentials do not hold.
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

impl Node {
    fn evaluate_and_note(
        &self,
        snapshot: &Snapshot,
        owner: Option<KeyOwner<'_>>,
        authentic: &Authentic<'_>,
        now_ms: i64,
    ) -> Result<(Caller, Option<DisclosedIdentity>), Refused> {
        let evaluated = self.evaluate_at(snapshot, owner, authentic, now_ms, &mut DependsOn::not_noted())?;
        match evaluated.used {
            UsedBy::Client(client) => self.last_uses.note_client(client, now_ms),
            UsedBy::Grant(grant) => self.last_uses.note_grant(grant, now_ms),
        }
        Ok((evaluated.caller, evaluated.disclosed))
    }

    /// Who asks, at this snapshot, and the rows that make it so.
    pub(crate) fn caller_at(
        &self,
        snapshot: &Snapshot,
        authentication: &Authentication,
        now_ms: i64,
    ) -> Result<(Caller, Vec<Key>), ApiError> {
        let behind = || self.clock_is_behind(snapshot, now_ms);
        match &authentication.who {
            Who::Nobody => Ok((nobody(snapshot, now_ms), vec![Key::Role])),
            Who::Refused => authentication.caller().cloned().map(|caller| (caller, Vec::new())),
            Who::Signed(_) | Who::Person(_) if behind() => Err(ApiError::Unavailable(CLOCK_BEHIND.to_owned())),
            Who::Signed(authentic) => {
                let (owner, mut depends_on) = (snapshot.key_owner(authentic.key_owner()), DependsOn::noted());
                match self.evaluate_at(snapshot, owner, authentic, now_ms, &mut depends_on) {
                    Ok(evaluated) => Ok((evaluated.caller, depends_on.keys())),
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
