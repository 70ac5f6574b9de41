//! What the directory holds of each record: the record, what was made from it once, and uses that are not in the store yet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use arc_swap::ArcSwapOption;
use falconer_credentials::AccessToken;
use falconer_scopes::ScopeSet;
use falconer_store::{ClientRecord, GrantRecord, IdentityRecord, IssuerRecord};

/// A client in memory, with what is remembered of its expansion.
pub struct Client {
    /// As stored; the last use may be further on, see [`Client::last_date_used_ms`].
    pub record: ClientRecord,
    pub(crate) token: AccessToken,
    pub(crate) usage: Arc<Usage>,
    pub(crate) expansion: Memo<Expansion>,
}

/// What a client's scopes come to under one generation of roles.
pub(crate) struct Expansion {
    /// Without anonymous.
    pub(crate) own: ScopeSet,
    /// With anonymous.
    pub(crate) full: ScopeSet,
}

/// Falconer's own signer of grants, in memory.
pub struct InternalIssuer {
    /// As stored.
    pub record: IssuerRecord,
    pub(crate) token: AccessToken,
}

/// A grant in memory.
pub struct Grant {
    /// As stored; the last use may be further on.
    pub record: GrantRecord,
    /// The record's scopes as a set.
    pub scopes: ScopeSet,
    pub(crate) usage: Arc<Usage>,
    pub(crate) held: ArcSwapOption<Held>,
}

/// What a grant is worth, for one generation of roles and one state of the person.
pub(crate) struct Held {
    pub(crate) generation: u64,
    pub(crate) person: Arc<Person>,
    pub(crate) scopes: ScopeSet,
}

/// A person in memory, with what is remembered of their expansion.
pub struct Person {
    /// As stored.
    pub record: IdentityRecord,
    pub(crate) expansion: Memo<ScopeSet>,
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

/// One remembered value for one generation of roles.
pub(crate) struct Memo<T>(ArcSwapOption<(u64, T)>);

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Memo(ArcSwapOption::empty())
    }
}

impl<T> Memo<T> {
    pub(crate) fn get(&self, generation: u64, make: impl FnOnce() -> T) -> Arc<(u64, T)> {
        if let Some(known) = self.0.load_full().filter(|known| known.0 == generation) {
            return known;
        }
        let made = Arc::new((generation, make()));
        self.0.store(Some(Arc::clone(&made)));
        made
    }
}

impl Client {
    /// A client outside of a directory, to be looked at.
    pub(crate) fn alone(record: ClientRecord) -> Client {
        Client::new(record, None)
    }

    pub(crate) fn new(record: ClientRecord, before: Option<&Client>) -> Client {
        let usage = before.map(|b| Arc::clone(&b.usage)).unwrap_or_default();
        usage.last_ms.fetch_max(record.last_date_used_ms, Ordering::Relaxed);
        Client { token: AccessToken::new(record.access_token.expose().to_owned()), record, usage, expansion: Memo::default() }
    }

    /// Milliseconds since the epoch.
    pub fn last_date_used_ms(&self) -> i64 {
        self.usage.last_ms.load(Ordering::Relaxed)
    }
}

impl Grant {
    pub(crate) fn new(record: GrantRecord, before: Option<&Grant>) -> Grant {
        let usage = before.map(|b| Arc::clone(&b.usage)).unwrap_or_default();
        usage.last_ms.fetch_max(record.last_used_ms.unwrap_or(0), Ordering::Relaxed);
        Grant { scopes: ScopeSet::new(record.scopes.iter()), record, usage, held: ArcSwapOption::empty() }
    }
}

impl InternalIssuer {
    pub(crate) fn new(record: IssuerRecord) -> InternalIssuer {
        let token = AccessToken::new(record.token.expose().to_owned());
        InternalIssuer { record, token }
    }
}

impl Person {
    pub(crate) fn new(record: IdentityRecord) -> Person {
        Person { record, expansion: Memo::default() }
    }
}
