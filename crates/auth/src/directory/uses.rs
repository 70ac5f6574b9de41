//! Last uses of clients and grants: noted without a lock that all requests share, written now and then.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use falconer_store::StoreError;

use crate::auth::{Auth, Inner};
use crate::directory::entries::{Client, Grant};
use crate::directory::snapshot::Snapshot;
use crate::time::{DAY_MS, HOUR_MS};

/// A client's last use is refreshed when it is older than this (`auth-api.md` 8.1).
const CLIENT_INTERVAL_MS: i64 = 6 * HOUR_MS;

/// What the next flush has to write.
#[derive(Default)]
pub(crate) struct UseQueue {
    clients: Vec<Arc<Client>>,
    grants: Vec<Arc<Grant>>,
}

impl Inner {
    pub(crate) fn note_client_use(&self, client: &Arc<Client>, now_ms: i64) {
        if now_ms.saturating_sub(client.usage().last_ms.load(Ordering::Relaxed)) <= CLIENT_INTERVAL_MS {
            return;
        }
        client.usage().last_ms.fetch_max(now_ms, Ordering::Relaxed);
        if !client.usage().noted.swap(true, Ordering::AcqRel) {
            self.uses.lock().unwrap_or_else(PoisonError::into_inner).clients.push(Arc::clone(client));
        }
    }

    pub(crate) fn note_grant_use(&self, grant: &Arc<Grant>, now_ms: i64) {
        grant.usage.last_ms.fetch_max(now_ms, Ordering::Relaxed);
        grant.usage.count.fetch_add(1, Ordering::Relaxed);
        if !grant.usage.noted.swap(true, Ordering::AcqRel) {
            self.uses.lock().unwrap_or_else(PoisonError::into_inner).grants.push(Arc::clone(grant));
        }
    }
}

impl Auth {
    /// Writes the uses that were noted since the last call, and forgets grants that ended more than 31 days ago. The binary calls it about
    /// once a minute, and at shutdown. On an error nothing is lost: the next call tries again.
    pub async fn flush_uses(&self) -> Result<(), StoreError> {
        let queue = std::mem::take(&mut *self.inner.uses.lock().unwrap_or_else(PoisonError::into_inner));
        let mut clients = Vec::with_capacity(queue.clients.len());
        for client in &queue.clients {
            client.usage().noted.store(false, Ordering::Release);
            clients.push((client.id().to_owned(), client.usage().last_ms.load(Ordering::Relaxed)));
        }
        let mut grants = Vec::with_capacity(queue.grants.len());
        for grant in &queue.grants {
            grant.usage.noted.store(false, Ordering::Release);
            let count = grant.usage.count.swap(0, Ordering::AcqRel);
            grants.push((grant.record.id.clone(), grant.usage.last_ms.load(Ordering::Relaxed), count));
        }
        if !(clients.is_empty() && grants.is_empty())
            && let Err(error) = self.inner.store.note_uses(&clients, &grants).await
        {
            self.inner.heed(&error);
            self.keep_for_later(queue, &grants);
            return Err(error);
        }
        self.forget_old_grants().await;
        Ok(())
    }

    fn keep_for_later(&self, queue: UseQueue, grants: &[(String, i64, i64)]) {
        for (grant, (_, _, count)) in queue.grants.iter().zip(grants) {
            grant.usage.count.fetch_add(*count, Ordering::AcqRel);
        }
        let mut waiting = self.inner.uses.lock().unwrap_or_else(PoisonError::into_inner);
        for client in queue.clients {
            if !client.usage().noted.swap(true, Ordering::AcqRel) {
                waiting.clients.push(client);
            }
        }
        for grant in queue.grants {
            if !grant.usage.noted.swap(true, Ordering::AcqRel) {
                waiting.grants.push(grant);
            }
        }
    }

    async fn forget_old_grants(&self) {
        let end_ms = self.now_ms().saturating_sub(31 * DAY_MS);
        let is_old = |snapshot: &Snapshot| snapshot.grants().any(|grant| grant.record.expires_ms < end_ms);
        if !is_old(&self.inner.directory.load()) {
            return;
        }
        let _turn = Arc::clone(&self.inner.queue).lock_owned().await;
        let mut next = Snapshot::clone(&self.inner.directory.load());
        if next.forget_grants_before(end_ms) {
            self.inner.show(next);
        }
    }
}
