//! Catching up with the store: what others have written comes into the directory, by the rows of the change feed.
//!
//! The store is read beside the queue of changes and beside the old snapshot, which answers meanwhile. What was read is shown when it is this
//! node's turn. Everything is loaded anew only where the feed does not reach back, or where the store is in another history.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use falconer_store::{Changed, ChangedRecords, History, Loaded, Revision, StoreError};

use crate::directory::clients::Clients;
use crate::directory::snapshot::Snapshot;
use crate::node::{Auth, Newest, Node};

/// About how many rows of the feed are read at once.
const ROWS: u32 = 1000;
/// Of more records than this everything is loaded instead.
const MOST_RECORDS: usize = 100_000;

/// What the store has.
enum StoreChanges {
    /// These records have changed up to this revision, as they were read: one that is in several parts is as the last of them has it.
    Changed { history: History, revision: Revision, highest_ms: i64, parts: Vec<ChangedRecords> },
    /// All of it, as it was asked for where this history was shown.
    Everything { asked_in: History, loaded: Box<Loaded>, clients: Clients },
}

impl Auth {
    /// Takes in what other processes have written to the store since. Answers whether there was anything. A failure for good ends the process.
    ///
    /// Whoever asks while another catches up waits, and shares the next catch-up with all others who wait.
    pub async fn catch_up(&self) -> Result<bool, StoreError> {
        let seen = self.node.directory.load_full();
        self.catch_up_from(&seen).await
    }

    /// The same; answers whether the directory has moved on from what the caller has seen.
    pub(crate) async fn catch_up_from(&self, seen: &Snapshot) -> Result<bool, StoreError> {
        let caught_up = self.node.catch_up().await;
        caught_up.inspect_err(|error| self.node.end_if_fatal(error))?;
        let now = self.node.directory.load();
        Ok((now.history(), now.revision()) != (seen.history(), seen.revision()))
    }

    /// Reads everything again: what did not open when it was read may open now. It is read beside the old directory, which answers meanwhile.
    pub async fn read_everything_again(&self) -> Result<(), StoreError> {
        let node = Arc::clone(&self.node);
        let read = self.node.runtime.spawn(async move { node.read_everything_again().await });
        read.await.unwrap_or_else(|error| Err(StoreError::Unavailable(format!("not everything was read again: {error}"))))
    }

    /// Waits for more than `count` notifications of other nodes, and reads what has changed. The new count.
    pub async fn follow_notifications(&self, count: u64) -> (u64, Result<(), StoreError>) {
        let (count, notified) = self.node.store.wait_for_notification(count).await;
        self.node.contact.note_notifications(count);
        if let Some(revision) = notified {
            self.node.following.note_notified(revision);
        }
        // Somebody else may have looked by now.
        let is_known = notified.is_some_and(|revision| self.revision() >= revision);
        (count, if is_known { Ok(()) } else { self.catch_up().await.map(drop) })
    }

    /// Whether this node answers from `wanted` or later, after a look at the store if need be.
    pub async fn is_at_least(&self, wanted: Revision) -> Result<bool, StoreError> {
        if self.revision() < wanted {
            self.catch_up().await?;
        }
        Ok(self.revision() >= wanted)
    }
}

impl Node {
    /// Catches up with the store. A catch-up that begins after this was called serves the caller as well as its own would.
    ///
    /// It runs where the node was opened, and ends whether the caller goes on or not. A thread that serves connections may be so busy that it comes back to a catch-up after
    /// seconds, and all others wait for that one.
    async fn catch_up(self: &Arc<Self>) -> Result<(), StoreError> {
        let (node, before) = (Arc::clone(self), self.catch_ups.begun.load(Ordering::SeqCst));
        self.run_on_own_runtime(async move { node.catch_up_once(before).await }).await
    }

    /// As a task of the runtime on which the node was opened.
    pub(crate) async fn run_on_own_runtime<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.runtime.spawn(falconer_traces::carry(work)).await {
            Ok(outcome) => outcome,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(StoreError::Unavailable("this node ends".to_owned())),
            },
        }
    }

    /// The same, for whoever asked when so many catch-ups had begun.
    async fn catch_up_once(&self, before: u64) -> Result<(), StoreError> {
        let mut last = self.catch_ups.last.lock().await;
        let (number, error) = &*last;
        if *number > before {
            return error.clone().map_or(Ok(()), Err);
        }
        let number = self.catch_ups.begun.fetch_add(1, Ordering::SeqCst).saturating_add(1);
        let began_ms = self.clock.steady_ms();
        let outcome = async {
            let shown = self.directory.load_full();
            let changes = self.read_store_changes(&shown).await?;
            if changes.is_new_to(&shown) {
                let _turn = Arc::clone(&self.queue).lock_owned().await;
                self.show_store_changes(changes);
            }
            self.contact.note(began_ms);
            Ok(())
        }
        .await;
        *last = (number, outcome.as_ref().err().cloned());
        outcome
    }

    /// The same for whoever has the turn, or is the only one.
    pub(crate) async fn catch_up_in_turn(&self) -> Result<(), StoreError> {
        let began_ms = self.clock.steady_ms();
        let changes = self.read_store_changes(&self.directory.load_full()).await?;
        self.show_store_changes(changes);
        self.contact.note(began_ms);
        Ok(())
    }

    /// Everything, for a node that has nothing yet: what has changed since then would be read in vain. As a task, because whatever else waits for it is a thread that
    /// must be woken for each part that arrives.
    pub(crate) async fn load_first(self: &Arc<Self>) -> Result<(), StoreError> {
        let node = Arc::clone(self);
        let load = async move {
            let began_ms = node.clock.steady_ms();
            let everything = node.load(&node.directory.load_full(), false).await?;
            node.show_store_changes(everything);
            node.contact.note(began_ms);
            Ok(())
        };
        self.run_on_own_runtime(load).await
    }

    async fn read_everything_again(self: &Arc<Self>) -> Result<(), StoreError> {
        let began_ms = self.clock.steady_ms();
        let shown = self.directory.load_full();
        let StoreChanges::Everything { loaded, clients, .. } = self.load(&shown, false).await? else { return Ok(()) };
        let mut next = Snapshot::from_loaded(*loaded, clients, &shown);
        // Nobody decides meanwhile on what is shown now: what that comes to would be shown instead, at a later revision.
        let Some(_turn) = self.wait_for_turn(true).await else { return Err(StoreError::Unavailable("this node ends".to_owned())) };
        match self.read_store_changes(&next).await? {
            StoreChanges::Changed { history, revision, highest_ms, parts } => {
                parts.into_iter().for_each(|records| next.put_changed(records));
                self.show(next.at_stored(history, revision, highest_ms));
            }
            everything @ StoreChanges::Everything { .. } => self.show_store_changes(everything),
        }
        self.contact.note(began_ms);
        Ok(())
    }

    async fn read_store_changes(&self, shown: &Snapshot) -> Result<StoreChanges, StoreError> {
        let (mut up_to, mut parts, mut count) = (shown.revision(), Vec::new(), 0_usize);
        loop {
            let changed = match self.store.changed_records(up_to, ROWS).await {
                Ok(changed) if changed.history == shown.history() => changed,
                Ok(_) | Err(StoreError::Stale) => return self.load(shown, false).await,
                Err(error) => return Err(error),
            };
            if self.is_another_past(&changed).await? {
                return self.load(shown, true).await;
            }
            self.following.note_newest(changed.present);
            count = count.saturating_add(changed.records.len());
            parts.push(changed.records);
            // A record that changes between two reads is in the later one again, so that in the end all are as they are at one revision.
            if changed.up_to >= changed.present {
                return Ok(StoreChanges::Changed {
                    history: changed.history,
                    revision: changed.present,
                    highest_ms: changed.highest_ms,
                    parts,
                });
            }
            if count > MOST_RECORDS {
                return self.load(shown, false).await;
            }
            up_to = changed.up_to;
        }
    }

    /// Whether the newest revision that the last look saw is another one now: a backup was restored, and others have written to it until it had as many
    /// revisions. Notes the newest one that there is.
    async fn is_another_past(&self, changed: &Changed) -> Result<bool, StoreError> {
        let newest = Newest { epoch: changed.history.epoch, revision: changed.present, rows: changed.newest.clone() };
        let noted = || self.catch_ups.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let before = noted().clone().filter(|before| before.epoch == newest.epoch && !before.rows.is_empty());
        let is_another = match before {
            // Where there are none, they were pruned.
            Some(before) if before.revision == newest.revision => !newest.rows.is_empty() && before.rows != newest.rows,
            Some(before) => match self.store.changes_since(Revision(before.revision.0.saturating_sub(1)), 1).await {
                Ok(rows) => !rows.starts_with(&before.rows),
                // The feed does not reach back to it any more.
                Err(StoreError::Stale) => false,
                Err(error) => return Err(error),
            },
            None => false,
        };
        *noted() = (!is_another).then_some(newest);
        Ok(is_another)
    }

    /// Reads everything. A store that is behind what this node has seen, or has another past, had a backup restored into it: another history begins.
    async fn load(&self, shown: &Snapshot, is_another_past: bool) -> Result<StoreChanges, StoreError> {
        // Made as they come, so that a million clients are never in memory in two forms at once.
        let clients = Arc::new(Mutex::new(Clients::after(shown.client_set())));
        let found = Arc::clone(&clients);
        let each = move |client| found.lock().unwrap_or_else(PoisonError::into_inner).put(client);
        let mut loaded = self.store.load_each(Box::new(each)).await?;
        self.note_damaged(&loaded.damaged);
        let clients = std::mem::take(&mut *clients.lock().unwrap_or_else(PoisonError::into_inner));
        if loaded.history == shown.history() && loaded.revision < shown.revision() {
            loaded.history = self.store.begin_history(loaded.history.epoch, loaded.revision).await?;
            tracing::warn!(
                found = loaded.revision.0,
                seen = shown.revision().0,
                "the database is at an earlier revision than this server has seen, so that a backup must have been restored: all is loaded \
                 anew, and revisions of before mean nothing from now on"
            );
        }
        // Where the two pasts part is not known. The backup is of this epoch, so they are the same up to where that began.
        if loaded.history == shown.history() && is_another_past {
            loaded.history = self.store.begin_history(loaded.history.epoch, loaded.history.start).await?;
            tracing::warn!(
                revision = loaded.revision.0,
                "the last revision that this server has seen is another one in the database now, so that a backup must have been restored and written \
                 to: all is loaded anew, and revisions of before mean nothing from now on"
            );
        }
        Ok(StoreChanges::Everything { asked_in: shown.history(), loaded: Box::new(loaded), clients })
    }

    /// Answers from what the store has from now on, unless the directory is there already. The caller has the turn.
    fn show_store_changes(&self, changes: StoreChanges) {
        let shown = self.directory.load_full();
        if !changes.is_new_to(&shown) {
            return;
        }
        match changes {
            StoreChanges::Changed { history, revision, highest_ms, parts } => {
                self.following.note_records(parts.iter().map(ChangedRecords::len).sum());
                let mut next = Snapshot::clone(&shown);
                // What is shown may be newer than what was asked from: every record that differs since is among these.
                parts.into_iter().for_each(|records| next.put_changed(records));
                self.show(next.at_stored(history, revision, highest_ms));
            }
            StoreChanges::Everything { loaded, clients, .. } => {
                self.following.note_full_load(loaded.revision);
                let next = Snapshot::from_loaded(*loaded, clients, &shown);
                // The first change of a role asks whether all others are valid together. That is found out beside the first answers, not in them.
                let roles = next.roles().clone();
                tokio::task::spawn_blocking(move || roles.is_valid());
                self.show(next);
            }
        }
    }
}

impl StoreChanges {
    fn is_new_to(&self, shown: &Snapshot) -> bool {
        match self {
            StoreChanges::Changed { history, revision, highest_ms, .. } => {
                let is_later = *revision > shown.revision();
                *history == shown.history() && (is_later || (*revision == shown.revision() && *highest_ms != shown.highest_ms()))
            }
            StoreChanges::Everything { loaded, .. } if loaded.history == shown.history() => loaded.revision > shown.revision(),
            // A load takes a while. Where another history is shown by now, that one began later than what was loaded.
            StoreChanges::Everything { asked_in, .. } => *asked_in == shown.history(),
        }
    }
}

#[cfg(test)]
mod tests {
    use falconer_store::Epoch;

    use super::*;

    /// A load that had begun in one history was shown over another one that had begun meanwhile, and the node answered from the past before the restore.
    #[test]
    fn what_was_loaded_in_an_older_history_replaces_no_newer_one() {
        let history = |number: u8| History { epoch: Epoch::from_random([number; 8]), start: Revision(i64::from(number)) };
        let shown = |in_history: History| Snapshot::empty(1 << 20, 1).at_stored(in_history, Revision(5), 1);
        let loaded = |asked_in: History, history: History, revision: i64| StoreChanges::Everything {
            asked_in,
            loaded: Box::new(Loaded { history, revision: Revision(revision), ..Loaded::default() }),
            clients: Clients::default(),
        };
        let (first, second) = (history(1), history(2));
        assert!(!loaded(first, first, 9).is_new_to(&shown(second)));
        assert!(loaded(first, second, 3).is_new_to(&shown(first)), "the restored one, which is behind");
        assert!(loaded(second, first, 3).is_new_to(&shown(second)), "and once more");
        assert!(loaded(first, first, 6).is_new_to(&shown(first)) && !loaded(first, first, 5).is_new_to(&shown(first)));
    }
}
