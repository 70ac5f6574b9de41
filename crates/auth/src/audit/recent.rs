//! The rows of the feed that were read last: read once, whoever follows.
//!
//! Followers stand close together: what one of them asks for, the others ask for next. One at a time reads the store, and the rows stay for the
//! others, up to a bound. So the store has as much to do for two hundred followers as for one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use falconer_store::{Change, Epoch, Revision, Store, StoreError};
use tokio::sync::Mutex;

/// About how many rows of the feed are read, and handed out, at once.
const ROWS: usize = 256;

/// How many rows stay. Who is further behind has missed something.
const MOST_ROWS: usize = 16_384;

/// So many revisions are read for a follower who is ahead of the rows at hand; to one who is further ahead they are of no use.
const NEAR: i64 = 1024;

/// A row, and the text that is made of it for all followers.
pub(crate) struct Row {
    pub(crate) change: Change,
    pub(crate) text: SharedText,
}

/// The text of a change, made by whoever needs it first. Clones share it.
#[derive(Clone, Default)]
pub struct SharedText(Arc<OnceLock<Arc<[u8]>>>);

impl SharedText {
    /// The text; `make` makes it if nobody has.
    pub fn get_or_make(&self, make: impl FnOnce() -> Vec<u8>) -> Arc<[u8]> {
        Arc::clone(self.0.get_or_init(|| make().into()))
    }
}

impl std::fmt::Debug for SharedText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedText")
    }
}

/// What rows of the feed are at hand.
#[derive(Default)]
pub(crate) struct RecentRows {
    rows: Mutex<Rows>,
    /// How often the store was asked.
    pub(crate) reads: AtomicU64,
}

#[derive(Default)]
struct Rows {
    /// The history that they belong to.
    epoch: Epoch,
    /// Whole revisions, in order: all rows after `after` up to `to`.
    rows: VecDeque<Arc<Row>>,
    after: i64,
    to: i64,
    /// Of this revision and before, rows went to make room.
    dropped_to: i64,
}

impl RecentRows {
    /// The next rows after `since`, of whole revisions, up to `shown`, the revision that the node answers from, which is not before `since`. None: there are no more.
    ///
    /// `is_live`: the follower has come along with the others. If it is so slow that rows went before it asked for them, the answer is `Stale`.
    /// Errors: those of the store; `Stale` also where the store no longer knows what came after `since`.
    pub(crate) async fn after(
        &self,
        store: &dyn Store,
        epoch: Epoch,
        since: Revision,
        shown: Revision,
        is_live: bool,
    ) -> Result<Vec<Arc<Row>>, StoreError> {
        let mut rows = self.rows.lock().await;
        if rows.epoch != epoch {
            *rows = Rows { epoch, after: since.0, to: since.0, ..Rows::default() };
        }
        if is_live && since.0 < rows.dropped_to {
            return Err(StoreError::Stale);
        }
        // Ahead of what is at hand: read on if it is near.
        let near = if rows.rows.is_empty() { 0 } else { NEAR };
        if since.0 > rows.to.saturating_add(near) {
            rows.begin_at(since);
        }
        // Someone who catches up from long ago.
        if since.0 < rows.after {
            return self.read_to(store, since, shown).await;
        }
        while rows.to < shown.0 && rows.rows.back().is_none_or(|row| row.change.revision <= since) {
            let next = match self.read_to(store, Revision(rows.to), shown).await {
                // What came right after the rows at hand is forgotten, and this follower does not need it.
                Err(StoreError::Stale) if rows.to < since.0 => {
                    rows.begin_at(since);
                    continue;
                }
                next => next?,
            };
            rows.to = next.last().map_or(shown.0, |row| row.change.revision.0);
            rows.rows.extend(next);
            rows.make_room();
        }
        // Within a history a node only moves on: whoever saw it earlier gets the rows up to there, and the others keep theirs.
        Ok(rows.next_after(since, shown))
    }

    async fn read_to(&self, store: &dyn Store, since: Revision, shown: Revision) -> Result<Vec<Arc<Row>>, StoreError> {
        let rows = self.read(store, since).await?.into_iter().filter(|row| row.revision <= shown);
        Ok(rows.map(|change| Arc::new(Row { change, text: SharedText::default() })).collect())
    }

    /// The next rows in the store. Errors: `Stale` where it does not know what came after `since`, or knows of no such revision.
    pub(crate) async fn read(&self, store: &dyn Store, since: Revision) -> Result<Vec<Change>, StoreError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        store.changes_since(since, u32::try_from(ROWS).unwrap_or(u32::MAX)).await
    }
}

impl Rows {
    /// Nothing is at hand but what comes after this revision.
    fn begin_at(&mut self, since: Revision) {
        *self = Rows { epoch: self.epoch, after: since.0, to: since.0, dropped_to: self.dropped_to.min(since.0), ..Rows::default() };
    }

    fn next_after(&self, since: Revision, shown: Revision) -> Vec<Arc<Row>> {
        let first = self.rows.partition_point(|row| row.change.revision <= since);
        let mut next: Vec<Arc<Row>> = Vec::new();
        for row in self.rows.range(first..).take_while(|row| row.change.revision <= shown) {
            if next.len() >= ROWS && next.last().is_some_and(|last| last.change.revision != row.change.revision) {
                break;
            }
            next.push(Arc::clone(row));
        }
        next
    }

    /// Lets the oldest revisions go, each as a whole.
    fn make_room(&mut self) {
        while self.rows.len() > MOST_ROWS {
            let Some(oldest) = self.rows.front().map(|row| row.change.revision) else { return };
            while self.rows.front().is_some_and(|row| row.change.revision == oldest) {
                self.rows.pop_front();
            }
            (self.after, self.dropped_to) = (oldest.0, oldest.0);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use falconer_store::{KeyRing, RoleRecord, Step, Write};
    use falconer_store_sqlite::SqliteStore;

    use super::*;

    fn role(id: &str) -> Write {
        let (role_id, description) = (id.to_owned(), String::new());
        Write::InsertRoles(vec![RoleRecord { role_id, scopes: vec![], description, created_ms: 1, last_modified_ms: 1 }])
    }

    /// A follower that had seen the node a moment earlier threw away what the others had read since, and all of it was read again.
    #[tokio::test]
    async fn a_follower_that_saw_an_earlier_revision_leaves_the_rows_to_the_others() {
        let keys = KeyRing::from_bytes("k1", [7; 32]).unwrap();
        let store = SqliteStore::in_memory(keys, Arc::new(|bytes: &mut [u8]| bytes.fill(1))).unwrap();
        for id in ["a", "b", "c"] {
            let decided_at = store.revision().await.unwrap();
            let (depends_on, actor, action) = (Vec::new(), "test".to_owned(), "created".to_owned());
            store
                .take(
                    &Step {
                        decided_at,
                        depends_on,
                        at_ms: 1,
                        actor,
                        grant: None,
                        action,
                        detail: None,
                        details: falconer_store::Details::default(),
                    },
                    role(id),
                )
                .await
                .unwrap();
        }
        let (recent, epoch) = (RecentRows::default(), store.history().await.unwrap().epoch);
        let ids = async |since: i64, shown: i64| {
            let rows = recent.after(&store, epoch, Revision(since), Revision(shown), true).await.unwrap();
            rows.iter().map(|row| row.change.key.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(0, 3).await, ["a", "b", "c"]);
        let reads = recent.reads.load(Ordering::Relaxed);
        assert_eq!(ids(0, 2).await, ["a", "b"], "nothing that the node did not show when it looked");
        assert_eq!(ids(2, 2).await, [""; 0]);
        assert_eq!(ids(1, 3).await, ["b", "c"]);
        assert_eq!(recent.reads.load(Ordering::Relaxed), reads, "all of it was at hand");
    }
}
