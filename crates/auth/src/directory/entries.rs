//! What the directory holds of grants, people and internal issuers: the record, what was made from it once, and uses that are not in the store yet.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use falconer_credentials::{AccessToken, BearerKey};
use falconer_scopes::ScopeSet;
use falconer_store::{GrantRecord, IdentityRecord, IssuerRecord, PersonRecord};

use crate::reserved::GRANT_ISSUERS;
use crate::signing::key::SigningKey;

/// Falconer's own signer of grants, in memory.
pub struct InternalIssuer {
    /// As stored.
    pub record: IssuerRecord,
    pub(crate) token: AccessToken,
    /// Of access tokens, derived from it once.
    pub(crate) bearer: BearerKey,
    /// Of those that sign for others, read when it is first used.
    signing: OnceLock<Option<Arc<SigningKey>>>,
}

/// A grant in memory.
pub struct Grant {
    /// As stored; the last use may be further on.
    pub record: GrantRecord,
    /// The record's scopes as a set.
    pub scopes: ScopeSet,
    pub(crate) usage: Arc<Usage>,
    /// What was last worked out of it.
    pub(crate) present: ArcSwapOption<PresentScopes>,
}

/// What a grant gives while the person has just these scopes.
pub(crate) struct PresentScopes {
    pub(crate) of_person: ScopeSet,
    pub(crate) of_grant: ScopeSet,
}

/// An identity in memory.
pub struct Identity {
    /// As stored.
    pub record: IdentityRecord,
}

/// A person in memory. Which identities are theirs says [`Snapshot::linked`](crate::Snapshot::linked).
pub struct Person {
    /// As stored.
    pub record: PersonRecord,
}

/// Uses that are not in the store yet. It outlives the record that it belongs to, so that an update loses none.
#[derive(Default)]
pub(crate) struct Usage {
    /// Milliseconds since the epoch; 0: never.
    pub(crate) last_ms: AtomicI64,
    /// Uses since the last flush.
    pub(crate) count: AtomicI64,
    /// Waiting to be flushed.
    pub(crate) noted: AtomicBool,
}

impl Grant {
    /// The last use, also one that is not stored yet; milliseconds since 1970.
    pub fn last_used_ms(&self) -> Option<i64> {
        Some(self.usage.last_ms.load(Ordering::Relaxed)).filter(|at_ms| *at_ms > 0)
    }

    pub(crate) fn new(record: GrantRecord, before: Option<&Grant>) -> Grant {
        let usage = before.map(|b| Arc::clone(&b.usage)).unwrap_or_default();
        usage.last_ms.fetch_max(record.last_used_ms.unwrap_or(0), Ordering::Relaxed);
        Grant { scopes: ScopeSet::new(record.scopes.iter()), record, usage, present: ArcSwapOption::empty() }
    }
}

impl InternalIssuer {
    /// The name of the issuer with this number.
    pub(crate) fn name_of(number: usize) -> String {
        format!("{GRANT_ISSUERS}{number}")
    }

    /// The number in such a name.
    pub(crate) fn number_of(name: &str) -> Option<u32> {
        name.strip_prefix(GRANT_ISSUERS)?.parse().ok()
    }

    pub(crate) fn new(record: IssuerRecord) -> InternalIssuer {
        let token = AccessToken::new(record.token.expose().to_owned());
        let bearer = BearerKey::new(&token);
        InternalIssuer { record, token, bearer, signing: OnceLock::new() }
    }

    /// What it signs with for others. `None`: it is none that does, or does not open any more.
    pub(crate) fn signing_key(&self) -> Option<Arc<SigningKey>> {
        self.signing.get_or_init(|| SigningKey::read(&self.record).map(Arc::new)).clone()
    }
}
