//! Verification: MAC first, then everything else (`evaluate`).

use std::sync::Arc;

use arc_swap::Guard;
use falconer_credentials::{Authentic, Failure, RequestParts};
use falconer_store::{GrantRecord, Key, StoreError};

use crate::directory::snapshot::{HeldScopes, KeyOwner, Snapshot};
use crate::error::ApiError;
use crate::node::{Auth, Node};
use crate::settings::Origin;
use crate::time::MINUTE_MS;
use crate::verify::caller::{Authentication, Caller, DisclosedIdentity, Success, Verdict, Who};
use crate::verify::effective_scopes::DependsOn;
use crate::verify::evaluate::{ScopesAs, UsedBy};
use crate::verify::reason::{GrantState, Reason, Unable};

/// How long an answer for nobody counts.
const NO_AUTH_MS: i64 = 15 * MINUTE_MS;

impl Auth {
    /// Checks the credentials of a request to any service (authenticateHawk).
    pub async fn verify(&self, parts: &RequestParts<'_>) -> Verdict {
        match self.check_request(parts, ScopesAs::Set).await {
            Ok(None) => {
                let snapshot = self.node.directory.load();
                Verdict::NoAuth { expires_ms: self.now_ms().saturating_add(NO_AUTH_MS), scopes: snapshot.anonymous().clone() }
            }
            Ok(Some((_, Found { caller, disclosed, .. }))) => Verdict::Success(Success {
                client_id: caller.client_id.unwrap_or_default(),
                scopes: caller.scopes,
                expires_ms: caller.expires_ms,
                hash: caller.hash,
                identity: disclosed.map(|who| *who),
                grant: caller.grant,
            }),
            Err(NotVerified::Failed(reason)) => Verdict::Failed(reason),
            Err(NotVerified::Unable(unable)) => Verdict::Unable(unable),
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
                    refused(Reason::OtherHost.into())
                }
                Err(failure) => refused(Reason::Credentials(failure).into()),
            };
        }
        match self.check_request(parts, ScopesAs::Set).await {
            Ok(None) => self.nobody(),
            Ok(Some((authentic, Found { caller, .. }))) => {
                Authentication { who: Who::Signed(Box::new(authentic.into_owned())), outcome: Ok(caller) }
            }
            Err(NotVerified::Failed(reason)) => refused(reason.into()),
            Err(NotVerified::Unable(unable)) => refused(unable.into()),
        }
    }

    /// Where this Falconer is reached.
    pub fn public_origin(&self) -> &Origin {
        &self.node.settings.public_origin
    }

    /// Whether signed calls to our own API may be meant for this host and port.
    pub fn is_own_site(&self, host: &str, port: u16) -> bool {
        self.node.settings.is_ours(host, port)
    }

    /// A request without credentials. A node that is cut off does not know what nobody may do: others may have changed the role `anonymous`.
    pub fn nobody(&self) -> Authentication {
        let outcome = self.node.cut_off_ms().map_or_else(|| Ok(self.nobody_at_present()), |for_ms| Err(Unable::CutOff { for_ms }.into()));
        Authentication { who: Who::Nobody, outcome }
    }

    pub(crate) fn nobody_at_present(&self) -> Caller {
        nobody(&self.node.directory.load(), self.now_ms())
    }

    /// Who signed a request, with scopes in the form that is wanted. `None`: nobody did.
    pub(crate) async fn check_request<'a>(&self, parts: &RequestParts<'a>, wanted: ScopesAs) -> Result<Option<Checked<'a>>, NotVerified> {
        let Some(signed) = falconer_credentials::read(parts)? else {
            // What everybody may do is what a role says, which others may have changed.
            return self.node.cut_off_ms().map_or(Ok(None), |for_ms| Err(NotVerified::Unable(Unable::CutOff { for_ms })));
        };
        let now_ms = self.now_ms();
        let (authentic, reason, seen) = {
            let snapshot = self.node.directory.load();
            // The node can't tell what has ended: it says so, before anything about anybody.
            if let Some(unable) = self.node.unable(&snapshot, now_ms) {
                return Err(NotVerified::Unable(unable));
            }
            // Checks the MAC, and nothing else, under the key owner's token.
            let owner = snapshot.key_owner(signed.key_owner());
            let old = || owner.as_ref().and_then(|owner| owner.old_token(now_ms));
            let authentic = signed.check_mac_or_older(owner.as_ref().map(KeyOwner::token), old)?;
            match self.node.evaluate_and_note(&snapshot, owner, &authentic, now_ms, wanted) {
                Ok(found) => return Ok(Some((authentic, found))),
                Err(reason) => (authentic, reason, Guard::into_inner(snapshot)),
            }
        };
        // On the heap: hardly a request comes by here, and every one would carry the room for it along.
        let found = Box::pin(self.look_for_grant(&seen, reason, &|snapshot| {
            let owner = snapshot.key_owner(authentic.key_owner());
            self.node.evaluate_and_note(snapshot, owner, &authentic, now_ms, ScopesAs::Set)
        }))
        .await?;
        Ok(Some((authentic, found)))
    }

    /// The same once more where a grant was unknown that the store may have; the reason where nothing is to be expected of that.
    pub(crate) async fn look_for_grant(
        &self,
        seen: &Snapshot,
        reason: Reason,
        evaluate: &(dyn Fn(&Snapshot) -> Result<Found, Reason> + Sync),
    ) -> Result<Found, NotVerified> {
        let Some(id) = reason.unknown_grant().filter(|id| !self.node.unknown_grants.has(id, self.revision())) else {
            return Err(reason.into());
        };
        let is_new = self.catch_up_from(seen).await.map_err(|error| NotVerified::Unable(Unable::Store(error)))?;
        let mut verdict = if is_new { evaluate(&self.node.directory.load()) } else { Err(reason.clone()) };
        let is_missing = matches!(&verdict, Err(Reason::Grant { state: GrantState::Unknown, .. }));
        if is_missing && self.take_in_grant(id).await.map_err(|error| NotVerified::Unable(Unable::Store(error)))? {
            verdict = evaluate(&self.node.directory.load());
        }
        if verdict.as_ref().is_err_and(|reason| reason.unknown_grant().is_some()) {
            self.node.unknown_grants.note(id, self.revision());
        }
        Ok(verdict?)
    }

    /// Looks in the store for a grant that is not in memory, and remembers how it ended. Whether there is one.
    async fn take_in_grant(&self, id: &str) -> Result<bool, StoreError> {
        let has_ended = |grant: &GrantRecord| grant.revoked_ms.is_some() || grant.expires_ms <= self.now_ms();
        let Some(grant) = self.node.store.grant(id).await? else { return Ok(false) };
        if has_ended(&grant) {
            self.node.directory.load().note_end_of_grant(&grant);
            return Ok(true);
        }
        // It was forgotten by a clock that was wrong. It is read in turn, so that what ends it from now on is seen behind it.
        let _turn = Arc::clone(&self.node.queue).lock_owned().await;
        let Some(grant) = self.node.store.grant(id).await? else { return Ok(false) };
        let mut next = Snapshot::clone(&self.node.directory.load());
        next.put_grant(grant);
        self.node.show(next);
        Ok(true)
    }
}

/// A request with the proof of its MAC, and whom it is of.
pub(crate) type Checked<'a> = (Authentic<'a>, Found);

/// Who it is.
pub(crate) struct Found {
    pub(crate) caller: Caller,
    /// What may be told about the person.
    pub(crate) disclosed: Option<Box<DisclosedIdentity>>,
    /// What the caller has, where it was not made into a set.
    pub(crate) held_scopes: Option<HeldScopes>,
}

/// Why nobody was verified, by whose fault it is.
pub(crate) enum NotVerified {
    Failed(Reason),
    Unable(Unable),
}

impl From<Failure> for NotVerified {
    fn from(failure: Failure) -> Self {
        NotVerified::Failed(Reason::Credentials(failure))
    }
}

impl From<Reason> for NotVerified {
    fn from(reason: Reason) -> Self {
        NotVerified::Failed(reason)
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
    /// Why nobody can be verified here at present, whoever it is.
    pub(crate) fn unable(&self, snapshot: &Snapshot, now_ms: i64) -> Option<Unable> {
        if let Some(behind_ms) = self.clock_behind_ms(snapshot, now_ms) {
            return Some(Unable::ClockBehind { behind_ms });
        }
        self.cut_off_ms().map(|for_ms| Unable::CutOff { for_ms })
    }

    fn evaluate_and_note(
        &self,
        snapshot: &Snapshot,
        owner: Option<KeyOwner<'_>>,
        authentic: &Authentic<'_>,
        now_ms: i64,
        wanted: ScopesAs,
    ) -> Result<Found, Reason> {
        let evaluated = self.evaluate_at(snapshot, owner, authentic, now_ms, wanted, &mut DependsOn::not_noted())?;
        match evaluated.used {
            UsedBy::Client(client) => self.last_uses.note_client(client, now_ms),
            UsedBy::Grant(grant) => self.last_uses.note_grant(grant, now_ms),
        }
        Ok(Found { caller: evaluated.caller, disclosed: evaluated.disclosed, held_scopes: evaluated.held_scopes })
    }

    /// Who asks, at this snapshot, and the rows that make it so.
    pub(crate) fn caller_at(
        &self,
        snapshot: &Snapshot,
        authentication: &Authentication,
        now_ms: i64,
    ) -> Result<(Caller, Vec<Key>), ApiError> {
        match (&authentication.who, self.unable(snapshot, now_ms)) {
            (Who::Nobody, Some(unable @ Unable::CutOff { .. })) => Err(unable.into()),
            (Who::Nobody, _) => Ok((nobody(snapshot, now_ms), vec![Key::Role])),
            (Who::Refused, _) => authentication.caller().cloned().map(|caller| (caller, Vec::new())),
            (Who::Signed(_) | Who::Person(_), Some(unable)) => Err(unable.into()),
            (Who::Signed(authentic), None) => {
                let (owner, mut depends_on) = (snapshot.key_owner(authentic.key_owner()), DependsOn::noted());
                match self.evaluate_at(snapshot, owner, authentic, now_ms, ScopesAs::Set, &mut depends_on) {
                    Ok(evaluated) => Ok((evaluated.caller, depends_on.keys())),
                    Err(reason) => Err(reason.into()),
                }
            }
            (Who::Person(identity), None) => self.person(snapshot, identity, now_ms),
        }
    }

    fn person(&self, snapshot: &Snapshot, identity: &str, now_ms: i64) -> Result<(Caller, Vec<Key>), ApiError> {
        let inactive = || Reason::PersonInactive { identity: identity.to_owned() };
        let known = snapshot.identity(identity).ok_or_else(inactive)?;
        let present = self.present_scopes(snapshot, known, now_ms).ok_or_else(inactive)?;
        let depends_on = [Key::Role].into_iter().chain(snapshot.keys_of(known)).collect();
        let caller = Caller {
            client_id: Some(identity.to_owned()),
            scopes: present.union(snapshot.anonymous()),
            expires_ms: i64::MAX,
            hash: None,
            grant: None,
            identity: Some(identity.to_owned()),
        };
        Ok((caller, depends_on))
    }
}
