//! Now and then last uses are written, and grants that ended long ago are forgotten.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use falconer_store::StoreError;

use crate::directory::snapshot::Snapshot;
use crate::node::Auth;
use crate::time::DAY_MS;

impl Auth {
    /// Writes the uses that were noted since the last call, and forgets grants that ended more than 31 days ago. The binary calls it about
    /// once a minute, and at shutdown. On an error nothing is lost: the next call tries again.
    pub async fn flush_uses(&self) -> Result<(), StoreError> {
        let waiting = self.node.last_uses.take();
        let mut clients = Vec::with_capacity(waiting.clients.len());
        for client in &waiting.clients {
            client.usage().noted.store(false, Ordering::Release);
            clients.push((client.id().to_owned(), client.usage().last_ms.load(Ordering::Relaxed)));
        }
        let mut grants = Vec::with_capacity(waiting.grants.len());
        for grant in &waiting.grants {
            grant.usage.noted.store(false, Ordering::Release);
            let count = grant.usage.count.swap(0, Ordering::AcqRel);
            grants.push((grant.record.id.clone(), grant.usage.last_ms.load(Ordering::Relaxed), count));
        }
        if !(clients.is_empty() && grants.is_empty())
            && let Err(error) = self.node.store.note_uses(&clients, &grants).await.inspect(|()| self.node.note_room(true))
        {
            if matches!(error, StoreError::Full(_)) {
                self.node.note_room(false);
            }
            self.node.end_if_fatal(&error);
            for (grant, (_, _, count)) in waiting.grants.iter().zip(&grants) {
                grant.usage.count.fetch_add(*count, Ordering::AcqRel);
            }
            self.node.last_uses.put_back(waiting);
            return Err(error);
        }
        self.forget_old_grants().await;
        Ok(())
    }

    /// By the time of the last change, as the store loads them. By this node's clock one that was wrong for a moment would drop grants which
    /// are in use.
    async fn forget_old_grants(&self) {
        let end_of = |snapshot: &Snapshot| snapshot.highest_ms().saturating_sub(31 * DAY_MS);
        let is_old = |snapshot: &Snapshot| snapshot.grants().any(|grant| grant.record.expires_ms < end_of(snapshot));
        if !is_old(&self.node.directory.load()) {
            return;
        }
        let _turn = Arc::clone(&self.node.queue).lock_owned().await;
        let mut next = Snapshot::clone(&self.node.directory.load());
        let end_ms = end_of(&next);
        if next.forget_grants_before(end_ms) {
            self.node.show(next);
        }
    }
}
