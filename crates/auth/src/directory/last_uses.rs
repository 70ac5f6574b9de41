//! Last uses of clients and grants that the store does not know yet: noted without a lock that all requests share.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crate::directory::clients::client::Client;
use crate::directory::entries::Grant;
use crate::time::HOUR_MS;

/// A client's last use is refreshed when it is older than this.
const CLIENT_INTERVAL_MS: i64 = 6 * HOUR_MS;

/// Whose last use is to be written.
#[derive(Default)]
pub(crate) struct LastUses(Mutex<Waiting>);

/// What the next flush has to write.
#[derive(Default)]
pub(crate) struct Waiting {
    pub(crate) clients: Vec<Arc<Client>>,
    pub(crate) grants: Vec<Arc<Grant>>,
}

impl Waiting {
    /// The same in parts of at most so many clients and as many grants.
    pub(crate) fn in_parts(mut self, most: usize) -> Vec<Waiting> {
        let mut parts = Vec::new();
        while !(self.clients.is_empty() && self.grants.is_empty()) {
            let clients = self.clients.split_off(self.clients.len().saturating_sub(most));
            parts.push(Waiting { clients, grants: self.grants.split_off(self.grants.len().saturating_sub(most)) });
        }
        parts
    }

    /// It is being written: whoever is used from now on waits for the next time.
    pub(crate) fn begin(&self) {
        self.clients.iter().for_each(|client| client.usage().noted.store(false, Ordering::Release));
        self.grants.iter().for_each(|grant| grant.usage.noted.store(false, Ordering::Release));
    }
}

impl LastUses {
    pub(crate) fn note_client(&self, client: &Arc<Client>, now_ms: i64) {
        if now_ms.saturating_sub(client.usage().last_ms.load(Ordering::Relaxed)) <= CLIENT_INTERVAL_MS {
            return;
        }
        client.usage().last_ms.fetch_max(now_ms, Ordering::Relaxed);
        if !client.usage().noted.swap(true, Ordering::AcqRel) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).clients.push(Arc::clone(client));
        }
    }

    pub(crate) fn note_grant(&self, grant: &Arc<Grant>, now_ms: i64) {
        grant.usage.last_ms.fetch_max(now_ms, Ordering::Relaxed);
        grant.usage.count.fetch_add(1, Ordering::Relaxed);
        if !grant.usage.noted.swap(true, Ordering::AcqRel) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).grants.push(Arc::clone(grant));
        }
    }

    /// Takes what waits.
    pub(crate) fn take(&self) -> Waiting {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts back what could not be written.
    pub(crate) fn put_back(&self, unwritten: Waiting) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for client in unwritten.clients {
            if !client.usage().noted.swap(true, Ordering::AcqRel) {
                waiting.clients.push(client);
            }
        }
        for grant in unwritten.grants {
            if !grant.usage.noted.swap(true, Ordering::AcqRel) {
                waiting.grants.push(grant);
            }
        }
    }
}
