//! The rows of the feed that were read last: read once, whoever follows.
//!
//! Followers stand close together: what one of them asks for, the others ask for next. One at a time reads the store, and the rows stay for the
//! others, up to a bound. So the store has as much to do for two hundred followers as for one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use falconer_store::{Change, Epoch, Revision, Store, StoreError};
use tokio::sync::{Mutex, Semaphore};

use crate::audit::event::Position;

/// About how many rows of the feed are read, and handed out, at once.
const ROWS: usize = 256;

/// How many rows stay. Who is further behind has missed something.
const MOST_ROWS: usize = 16_384;

/// So many revisions are read for a follower who is ahead of the rows at hand; to one who is further ahead they are of no use.
const NEAR: i64 = 1024;

/// How many rows of one batch go out together: their text is about 13 KiB.
const PIECE: usize = 128;

/// So many followers have a turn to send between two looks of a thread at what else there is to do.
const TURNS: usize = 8;

/// Rows that were read at once, of whole revisions and in order, and what is made of them for all followers. Never empty.
pub(crate) struct Batch {
    rows: Vec<Change>,
    pieces: Vec<OnceLock<Piece>>,
}

/// What is made of up to [`PIECE`] rows that follow each other.
#[derive(Clone)]
pub(crate) struct Piece {
    pub(crate) text: Arc<[u8]>,
    /// Where whoever has it stands; None where it tells of nothing.
    pub(crate) position: Option<Position>,
    /// The revision of its last row, and how many rows of that came until there.
    pub(crate) last: Option<(Revision, usize)>,
}

impl Batch {
    fn of(rows: Vec<Change>) -> Option<Arc<Batch>> {
        let pieces = rows.chunks(PIECE).map(|_| OnceLock::new()).collect();
        (!rows.is_empty()).then(|| Arc::new(Batch { rows, pieces }))
    }

    pub(crate) fn rows(&self) -> &[Change] {
        &self.rows
    }

    /// How many rows are of this revision or before.
    pub(crate) fn until(&self, revision: Revision) -> usize {
        self.rows.partition_point(|row| row.revision <= revision)
    }

    /// Where the piece ends that the row of this index is in.
    pub(crate) fn end_of_piece(&self, at: usize) -> usize {
        at.saturating_sub(at % PIECE).saturating_add(PIECE).min(self.rows.len())
    }

    /// The piece that begins with the row of this index; `make` makes it if nobody has. None: none begins there.
    pub(crate) fn piece(&self, at: usize, make: impl FnOnce() -> Piece) -> Option<&Piece> {
        at.is_multiple_of(PIECE).then(|| self.pieces.get(at / PIECE)).flatten().map(|piece| piece.get_or_init(make))
    }

    fn first(&self) -> Option<Revision> {
        self.rows.first().map(|row| row.revision)
    }

    fn last(&self) -> Option<Revision> {
        self.rows.last().map(|row| row.revision)
    }
}

/// What rows of the feed are at hand.
pub(crate) struct RecentRows {
    rows: Mutex<Rows>,
    /// How often the store was asked.
    pub(crate) reads: AtomicU64,
    /// Of those who follow: whoever waits comes in the order of coming.
    pub(crate) turns: Arc<Semaphore>,
}

impl Default for RecentRows {
    fn default() -> RecentRows {
        RecentRows { rows: Mutex::default(), reads: AtomicU64::default(), turns: Arc::new(Semaphore::new(TURNS)) }
    }
}

#[derive(Default)]
struct Rows {
    /// The history that they belong to.
    epoch: Epoch,
    /// Whole revisions, in order: all rows after `after` up to `to`.
    batches: VecDeque<Arc<Batch>>,
    /// How many rows these are.
    count: usize,
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
    ) -> Result<Vec<Arc<Batch>>, StoreError> {
        let mut rows = self.rows.lock().await;
        if rows.epoch != epoch {
            *rows = Rows { epoch, after: since.0, to: since.0, ..Rows::default() };
        }
        if is_live && since.0 < rows.dropped_to {
            return Err(StoreError::Stale);
        }
        // Ahead of what is at hand: read on if it is near.
        let near = if rows.batches.is_empty() { 0 } else { NEAR };
        if since.0 > rows.to.saturating_add(near) {
            rows.begin_at(since);
        }
        // Someone who catches up from long ago.
        if since.0 < rows.after {
            return Ok(self.read_to(store, since, shown).await?.into_iter().collect());
        }
        while rows.to < shown.0 && rows.batches.back().is_none_or(|batch| batch.last() <= Some(since)) {
            let next = match self.read_to(store, Revision(rows.to), shown).await {
                // What came right after the rows at hand is forgotten, and this follower does not need it.
                Err(StoreError::Stale) if rows.to < since.0 => {
                    rows.begin_at(since);
                    continue;
                }
                next => next?,
            };
            rows.to = next.as_ref().and_then(|batch| batch.last()).map_or(shown.0, |last| last.0);
            rows.count = rows.count.saturating_add(next.as_ref().map_or(0, |batch| batch.rows.len()));
            rows.batches.extend(next);
            rows.make_room();
        }
        // Within a history a node only moves on: whoever saw it earlier gets the rows up to there, and the others keep theirs.
        Ok(rows.next_after(since, shown))
    }

    async fn read_to(&self, store: &dyn Store, since: Revision, shown: Revision) -> Result<Option<Arc<Batch>>, StoreError> {
        let mut rows = self.read(store, since).await?;
        rows.retain(|row| row.revision <= shown);
        Ok(Batch::of(rows))
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

    /// Batches that hold rows after `since` and up to `shown`, among others, until there are enough of them.
    fn next_after(&self, since: Revision, shown: Revision) -> Vec<Arc<Batch>> {
        let first = self.batches.partition_point(|batch| batch.last() <= Some(since));
        let (mut next, mut count) = (Vec::new(), 0_usize);
        for batch in self.batches.range(first..).take_while(|batch| batch.first() <= Some(shown)) {
            if count >= ROWS {
                break;
            }
            count = count.saturating_add(batch.rows.len());
            next.push(Arc::clone(batch));
        }
        next
    }

    /// Lets what was read first go, each read as a whole.
    fn make_room(&mut self) {
        while self.count > MOST_ROWS
            && self.batches.len() > 1
            && let Some(oldest) = self.batches.pop_front()
        {
            self.count = self.count.saturating_sub(oldest.rows.len());
            if let Some(last) = oldest.last() {
                (self.after, self.dropped_to) = (last.0, last.0);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
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
            let (since, shown) = (Revision(since), Revision(shown));
            let batches = recent.after(&store, epoch, since, shown, true).await.unwrap();
            let rows = batches.iter().flat_map(|batch| &batch.rows[batch.until(since)..batch.until(shown)]);
            rows.map(|row| row.key.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(0, 3).await, ["a", "b", "c"]);
        let reads = recent.reads.load(Ordering::Relaxed);
        assert_eq!(ids(0, 2).await, ["a", "b"], "nothing that the node did not show when it looked");
        assert_eq!(ids(2, 2).await, [""; 0]);
        assert_eq!(ids(1, 3).await, ["b", "c"]);
        assert_eq!(recent.reads.load(Ordering::Relaxed), reads, "all of it was at hand");
    }
}
