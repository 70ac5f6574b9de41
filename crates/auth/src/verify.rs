//! Verification: MAC first, then everything else (`hawk.md`, `grants.md` "Use").

use std::sync::Arc;

use falconer_credentials::{
    Authentic, Failure, Issuer, RequestParts, Signed, evaluate, evaluate_internal,
};
use falconer_scopes::ScopeSet;
use falconer_store::Key;

use crate::auth::{Auth, Inner};
use crate::caller::{Authentication, Caller, DisclosedIdentity, Success, Verdict, Who};
use crate::directory::{Client, Grant, InternalIssuer, Snapshot};
use crate::error::ApiError;
use crate::reserved::GRANT_SCOPE;
use crate::settings::Origin;
use crate::time::MINUTE_MS;
use crate::worth::{Refused, Standing};

/// How long an answer for nobody counts (`hawk.md` section 1).
const NO_AUTH_MS: i64 = 15 * MINUTE_MS;
/// The node can't tell what has expired: it says so, before anything about anybody.
const CLOCK_BEHIND: &str = "The clock of this server is behind what it has stored; it authenticates nobody until that is corrected";
const BAD_MAC: &str = "Unauthorized: Bad mac";

/// Credentials that hold, with everything that follows from them at one revision.
struct Judgement {
    caller: Caller,
    disclosed: Option<DisclosedIdentity>,
    used: Used,
    depends_on: Vec<Key>,
}

enum Used {
    Client(Arc<Client>),
    Grant(Arc<Grant>),
}

impl Auth {
    /// Judges the credentials of a request to any service (authenticateHawk).
    pub async fn verify(&self, parts: &RequestParts<'_>) -> Verdict {
        match self.judge_request(parts).await {
            Ok(None) => {
                let snapshot = self.inner.directory.load();
                Verdict::NoAuth {
                    expires_ms: self.now_ms().saturating_add(NO_AUTH_MS),
                    scopes: snapshot.anonymous().clone(),
                }
            }
            Ok(Some((
                _,
                Judgement {
                    caller, disclosed, ..
                },
            ))) => Verdict::Success(Success {
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
        let refused = |error| Authentication {
            who: Who::Refused,
            outcome: Err(error),
        };
        if !self.inner.settings.is_ours(parts.host, parts.port) {
            return match falconer_credentials::read(parts) {
                Ok(None) => self.nobody(),
                Ok(Some(_)) => {
                    tracing::debug!(
                        host = parts.host,
                        port = parts.port,
                        "signed for a host that is neither ours nor in hawk_origins"
                    );
                    refused(ApiError::AuthenticationFailed(BAD_MAC.to_owned()))
                }
                Err(failure) => refused(ApiError::AuthenticationFailed(failure.to_string())),
            };
        }
        match self.judge_request(parts).await {
            Ok(None) => self.nobody(),
            Ok(Some((authentic, judgement))) => Authentication {
                who: Who::Signed(Box::new(authentic)),
                outcome: Ok(judgement.caller),
            },
            Err(Denied {
                message,
                clock: true,
            }) => refused(ApiError::Unavailable(message)),
            Err(Denied {
                message,
                clock: false,
            }) => refused(ApiError::AuthenticationFailed(message)),
        }
    }

    /// A request without credentials.
    pub fn nobody(&self) -> Authentication {
        let snapshot = self.inner.directory.load();
        Authentication {
            who: Who::Nobody,
            outcome: Ok(nobody(&snapshot, self.now_ms())),
        }
    }

    async fn judge_request(
        &self,
        parts: &RequestParts<'_>,
    ) -> Result<Option<(Authentic, Judgement)>, Denied> {
        let Some(signed) = falconer_credentials::read(parts)? else {
            return Ok(None);
        };
        let now_ms = self.now_ms();
        let (authentic, judged) = {
            let snapshot = self.inner.directory.load();
            if self.inner.clock_is_behind(&snapshot, now_ms) {
                return Err(Denied {
                    message: CLOCK_BEHIND.to_owned(),
                    clock: true,
                });
            }
            let authentic = prove(&snapshot, signed)?;
            let judged = self.inner.judge(&snapshot, &authentic, now_ms);
            (authentic, judged)
        };
        let judgement = match judged {
            Err(refused) if refused.look_again && self.catch_up().await.unwrap_or(false) => self
                .inner
                .judge(&self.inner.directory.load(), &authentic, now_ms),
            other => other,
        }?;
        match &judgement.used {
            Used::Client(client) => self.inner.note_client_use(client, now_ms),
            Used::Grant(grant) => self.inner.note_grant_use(grant, now_ms),
        }
        Ok(Some((authentic, judgement)))
    }
}

/// Why a request has no standing.
struct Denied {
    message: String,
    clock: bool,
}

impl From<Failure> for Denied {
    fn from(failure: Failure) -> Self {
        Denied {
            message: failure.to_string(),
            clock: false,
        }
    }
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        Denied {
            message: refused.message,
            clock: false,
        }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Refused::because(failure.to_string())
    }
}

/// Checks the MAC, and nothing else, under the key owner's token.
fn prove(snapshot: &Snapshot, signed: Signed) -> Result<Authentic, Failure> {
    let owner = signed.key_owner();
    let token = snapshot
        .issuer(owner)
        .map(|i| &i.token)
        .or_else(|| snapshot.client(owner).map(|c| &c.token));
    signed.check_mac(token)
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
    /// Who asks, at this snapshot, and the rows that make it so.
    pub(crate) fn stand(
        &self,
        snapshot: &Snapshot,
        authentication: &Authentication,
        now_ms: i64,
    ) -> Result<(Caller, Vec<Key>), ApiError> {
        let behind = || self.clock_is_behind(snapshot, now_ms);
        match &authentication.who {
            Who::Nobody => Ok((nobody(snapshot, now_ms), vec![Key::Role])),
            Who::Refused => authentication
                .caller()
                .cloned()
                .map(|caller| (caller, Vec::new())),
            Who::Signed(_) | Who::Person(_) if behind() => {
                Err(ApiError::Unavailable(CLOCK_BEHIND.to_owned()))
            }
            Who::Signed(authentic) => match self.judge(snapshot, authentic, now_ms) {
                Ok(judgement) => Ok((judgement.caller, judgement.depends_on)),
                Err(refused) => Err(ApiError::AuthenticationFailed(refused.message)),
            },
            Who::Person(identity) => self.person(snapshot, identity, now_ms),
        }
    }

    fn person(
        &self,
        snapshot: &Snapshot,
        identity: &str,
        now_ms: i64,
    ) -> Result<(Caller, Vec<Key>), ApiError> {
        let present = snapshot
            .person(identity)
            .and_then(|person| self.present_scopes(snapshot, person, now_ms))
            .ok_or_else(|| {
                ApiError::AuthenticationFailed(format!("The account {identity} is not active"))
            })?;
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

    /// Everything after the MAC.
    fn judge(
        &self,
        snapshot: &Snapshot,
        authentic: &Authentic,
        now_ms: i64,
    ) -> Result<Judgement, Refused> {
        match snapshot.issuer(authentic.key_owner()) {
            Some(issuer) => self.judge_grant(snapshot, issuer, authentic, now_ms),
            None => self.judge_client(snapshot, authentic, now_ms),
        }
    }

    fn judge_client(
        &self,
        snapshot: &Snapshot,
        authentic: &Authentic,
        now_ms: i64,
    ) -> Result<Judgement, Refused> {
        let owner = authentic.key_owner();
        // The client may have gone since the MAC was checked; that its token is another by now is for `evaluate` to find.
        let client = snapshot
            .client(owner)
            .ok_or_else(|| Refused::because(format!("Client with clientId '{owner}' not found")))?;
        let bounds = self.bounds(snapshot, &client.record, now_ms)?;
        let expansion = snapshot.expansion_of(client);
        let is_plain = bounds.within.is_empty()
            && !authentic.has_certificate()
            && !authentic.has_authorized_scopes();
        // Nearly every request is plain: then the remembered set with anonymous is the answer, and nothing is to be expanded.
        let own = if is_plain {
            expansion.1.full.clone()
        } else {
            bounds.apply(expansion.1.own.clone())
        };
        let issuer = Issuer {
            client_id: owner,
            token: &client.token,
            expires_ms: client.record.expires_us.div_euclid(1000),
            disabled: client.record.disabled,
            scopes: &own,
        };
        let verified = if is_plain {
            evaluate(authentic, &issuer, now_ms, &|_: &[&str]| {
                ScopeSet::default()
            })?
        } else {
            evaluate(authentic, &issuer, now_ms, &|scopes: &[&str]| {
                snapshot.expand(scopes)
            })?
        };
        if authentic.issuer().is_some() {
            self.check_name(snapshot, authentic.id())?;
        }
        // Expansion must not lead out of the bounds again: a role may have grown since the grant was made.
        let scopes = if bounds.within.is_empty() {
            verified.scopes
        } else {
            bounds.apply(verified.scopes).union(snapshot.anonymous())
        };
        let mut depends_on = vec![Key::Role, Key::Client(owner.to_owned())];
        depends_on.extend(bounds.keys);
        Ok(Judgement {
            caller: Caller {
                client_id: Some(verified.client_id),
                scopes,
                expires_ms: bounds.ends_ms.map_or(verified.expires_ms, |ends_ms| {
                    ends_ms.min(verified.expires_ms)
                }),
                hash: verified.hash,
                grant: client.record.grant.clone(),
                identity: None,
            },
            disclosed: None,
            used: Used::Client(Arc::clone(client)),
            depends_on,
        })
    }

    /// Names that nobody's certificate may use: those of grants, and of the internal issuers.
    fn check_name(&self, snapshot: &Snapshot, name: &str) -> Result<(), Refused> {
        if snapshot.issuer(name).is_some() || snapshot.grant_named(name).is_some() {
            return Err(Refused::because(format!("The clientId {name} is reserved")));
        }
        Ok(())
    }

    fn judge_grant(
        &self,
        snapshot: &Snapshot,
        issuer: &InternalIssuer,
        authentic: &Authentic,
        now_ms: i64,
    ) -> Result<Judgement, Refused> {
        let name = issuer.record.name.as_str();
        let claim = evaluate_internal(authentic, name, &issuer.token, now_ms)?;
        let not_a_client = || Refused::because(format!("Client with clientId '{name}' not found"));
        let id = match claim.scopes.as_slice() {
            [only] if claim.named => only.strip_prefix(GRANT_SCOPE).ok_or_else(not_a_client)?,
            _ => return Err(not_a_client()),
        };
        let Standing {
            grant,
            person,
            held,
        } = self.grant_standing(snapshot, id, now_ms)?;
        if grant.record.client_id != claim.client_id || grant.record.issuer != name {
            return Err(not_a_client());
        }
        let restricted = claim.authorized_scopes.is_some();
        let held = match &claim.authorized_scopes {
            None => held,
            Some(authorized) => restrict(snapshot, held, authorized)?,
        };
        let may_know = !restricted && !authentic.is_bewit() && !self.is_too_old(&person, now_ms);
        let knows = may_know && is_for(&grant, authentic.host(), authentic.port());
        Ok(Judgement {
            caller: Caller {
                client_id: Some(claim.client_id),
                scopes: held.union(snapshot.anonymous()),
                expires_ms: claim.expires_ms.min(grant.record.expires_ms),
                hash: claim.hash,
                grant: Some(grant.record.id.clone()),
                identity: Some(grant.record.identity.clone()),
            },
            disclosed: knows.then(|| DisclosedIdentity {
                id: person.record.identity.clone(),
                provider: person.record.provider.clone(),
                subject: person.record.subject.clone(),
                display_name: person.record.display_name.clone(),
                email: person.record.email.clone(),
                email_verified: person.record.email_verified,
                target: grant.record.target_origin.clone(),
            }),
            depends_on: vec![
                Key::Role,
                Key::Grant(grant.record.id.clone()),
                Key::Identity(grant.record.identity.clone()),
            ],
            used: Used::Grant(grant),
        })
    }
}

/// Authorized scopes of a grant: they must be satisfied, and leave what they come to within what is held.
fn restrict(
    snapshot: &Snapshot,
    held: ScopeSet,
    authorized: &[String],
) -> Result<ScopeSet, Refused> {
    let with_anonymous = held.union(snapshot.anonymous());
    if !with_anonymous.satisfies_all(authorized.iter().map(String::as_str)) {
        return Err(
            falconer_credentials::authorized_scopes_failure(&with_anonymous, authorized).into(),
        );
    }
    Ok(snapshot.expand(authorized).intersection(&held))
}

/// Whether the request was meant for a site that may know who the person is.
fn is_for(grant: &Grant, host: &str, port: u16) -> bool {
    grant
        .record
        .identity_for
        .iter()
        .filter_map(|origin| Origin::parse(origin))
        .any(|origin| origin.is_at(host, port))
}
