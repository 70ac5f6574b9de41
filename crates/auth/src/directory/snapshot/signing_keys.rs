//! The keys that sign for applications and services, as they are kept at a moment.

use std::sync::Arc;

use falconer_store::IssuerRecord;

use crate::directory::entries::InternalIssuer;
use crate::directory::snapshot::{Snapshot, is_signing_key};
use crate::signing::key::SigningKey;
use crate::time::DAY_MS;

/// A signing key that was replaced is published so long afterwards.
const PUBLISHED_AFTER_MS: i64 = DAY_MS;
/// And is known here for so long: applications have sessions that last, and send the ID token of their beginning at the end.
const KNOWN_AFTER_MS: i64 = 90 * DAY_MS;

impl Snapshot {
    /// The keys that sign statements about people.
    pub(crate) fn signing_keys(&self) -> impl Iterator<Item = &IssuerRecord> {
        self.issuers.values().map(|issuer| &issuer.record).filter(|record| is_signing_key(&record.name))
    }

    /// Of those, the ones that verify at this time, oldest first.
    pub(crate) fn published_keys(&self, now_ms: i64) -> Vec<Arc<SigningKey>> {
        self.keys_retired_since(now_ms.saturating_sub(PUBLISHED_AFTER_MS))
    }

    /// Of those, the ones that say whether this installation has signed a statement that may be old, oldest first.
    pub(crate) fn known_keys(&self, now_ms: i64) -> Vec<Arc<SigningKey>> {
        self.keys_retired_since(now_ms.saturating_sub(KNOWN_AFTER_MS))
    }

    /// With those that nothing has replaced.
    fn keys_retired_since(&self, since_ms: i64) -> Vec<Arc<SigningKey>> {
        let is_meant = |record: &IssuerRecord| record.retired_ms.is_none_or(|retired_ms| retired_ms > since_ms);
        let all = self.issuers.values().filter(|issuer| is_signing_key(&issuer.record.name) && is_meant(&issuer.record));
        let mut all: Vec<&Arc<InternalIssuer>> = all.collect();
        all.sort_by_key(|issuer| (issuer.record.created_ms, issuer.record.name.len(), &issuer.record.name));
        all.into_iter().filter_map(|issuer| issuer.signing_key()).collect()
    }
}
