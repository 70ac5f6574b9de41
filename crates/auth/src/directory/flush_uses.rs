//! Now and then last uses are written, and grants that have ended are forgotten.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use falconer_store::{StoreError, UsesLeft};

use crate::directory::clients::client::Client;
use crate::directory::entries::Grant;
use crate::directory::last_uses::Waiting;
use crate::directory::snapshot::Snapshot;
use crate::node::Auth;
use crate::time::MINUTE_MS;

/// Servers whose clocks differ a little agree that a grant has ended before one of them forgets it.
const STILL_THERE_MS: i64 = 5 * MINUTE_MS;
/// So many uses are written at once: whoever changes what was used waits for no more.
const USES_AT_ONCE: usize = 1000;
/// So many are forgotten in one turn.
const AT_ONCE: usize = 1000;

impl Auth {
    /// Writes the uses that were noted since the last call, a part at a time, and forgets grants that have ended. The binary calls it about
    /// once a minute, and at shutdown. On an error nothing is lost, nor where the caller is given up: the next call waits for the end of this one, and tries again.
    pub async fn flush_uses(&self) -> Result<(), StoreError> {
        let flushing = Auth { node: Arc::clone(&self.node) };
        let flush = async move {
            let _one = flushing.node.flushing.lock().await;
            flushing.flush().await
        };
        self.node.run_on_own_runtime(flush).await
    }

    async fn flush(&self) -> Result<(), StoreError> {
        let mut parts = self.node.last_uses.take().in_parts(USES_AT_ONCE).into_iter();
        while let Some(part) = parts.next() {
            match self.write_uses(&part).await {
                Ok(left) => {
                    self.lend_uses(&part.clients);
                    self.put_back_left(&part, &left);
                }
                Err(error) => {
                    self.node.last_uses.put_back(part);
                    for unwritten in parts {
                        unwritten.begin();
                        self.node.last_uses.put_back(unwritten);
                    }
                    return Err(error);
                }
            }
        }
        self.put_clients_away().await;
        self.forget_ended_grants().await;
        Ok(())
    }

    /// The counts of what could not be written are as before.
    async fn write_uses(&self, part: &Waiting) -> Result<UsesLeft, StoreError> {
        part.begin();
        let clients: Vec<_> =
            part.clients.iter().map(|client| (client.id().to_owned(), client.usage().last_ms.load(Ordering::Relaxed))).collect();
        let of = |grant: &Arc<Grant>| {
            let count = grant.usage.count.swap(0, Ordering::AcqRel);
            (grant.record.id.clone(), grant.usage.last_ms.load(Ordering::Relaxed), count)
        };
        let grants: Vec<_> = part.grants.iter().map(of).collect();
        let error = match self.node.store.note_uses(&clients, &grants).await {
            Ok(left) => {
                self.node.note_room(true);
                return Ok(left);
            }
            Err(error) => error,
        };
        if matches!(error, StoreError::Full(_)) {
            self.node.note_room(false);
        }
        self.node.end_if_fatal(&error);
        for (grant, (_, _, count)) in part.grants.iter().zip(&grants) {
            grant.usage.count.fetch_add(*count, Ordering::AcqRel);
        }
        Err(error)
    }

    /// What was not written beside others waits for the next call.
    fn put_back_left(&self, part: &Waiting, left: &UsesLeft) {
        let mut back = Waiting::default();
        for (id, _) in &left.clients {
            back.clients.extend(part.clients.iter().find(|client| client.id() == id).cloned());
        }
        for (id, _, count) in &left.grants {
            if let Some(grant) = part.grants.iter().find(|grant| grant.record.id == *id) {
                grant.usage.count.fetch_add(*count, Ordering::AcqRel);
                back.grants.push(Arc::clone(grant));
            }
        }
        self.node.last_uses.put_back(back);
    }

    /// A client that was used for the first time while a change was made of its neighbour may be there twice: then the one that is shown now has not been used.
    fn lend_uses(&self, used: &[Arc<Client>]) {
        let snapshot = self.directory();
        for client in used {
            if let Some(shown) = snapshot.client(client.id()).filter(|shown| !Arc::ptr_eq(shown.usage(), client.usage())) {
                shown.usage().last_ms.fetch_max(client.usage().last_ms.load(Ordering::Relaxed), Ordering::Relaxed);
            }
        }
    }

    /// Where more clients are at hand than are to be kept. All of them: those that go on being used are at hand with their next request. A part at a time, so that
    /// changes get their turn in between.
    async fn put_clients_away(&self) {
        if self.directory().clients_at_hand() <= self.node.settings.clients_at_hand {
            return;
        }
        for part in 0.. {
            let _turn = Arc::clone(&self.node.queue).lock_owned().await;
            let mut next = Snapshot::clone(&self.node.directory.load());
            if !next.put_clients_away(part) {
                return;
            }
            self.node.show(next);
        }
    }

    /// By the time of the last change. By this node's clock one that was wrong for a moment would drop grants which are in use. A few at a time, so that changes get
    /// their turn in between.
    async fn forget_ended_grants(&self) {
        let end_of = |snapshot: &Snapshot| snapshot.highest_ms().saturating_sub(STILL_THERE_MS);
        let has_ended = |snapshot: &Snapshot| snapshot.has_ended_grants(end_of(snapshot));
        while has_ended(&self.node.directory.load()) {
            let _turn = Arc::clone(&self.node.queue).lock_owned().await;
            let mut next = Snapshot::clone(&self.node.directory.load());
            next.forget_ended_grants(end_of(&next), AT_ONCE);
            self.node.show(next);
        }
    }
}
