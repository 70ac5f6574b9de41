//! When the write-ahead log is brought into the database.

use std::sync::{Arc, OnceLock};

use rusqlite::Connection;

use crate::connection::fault::Fault;

/// After so many writes the write-ahead log is brought into the database...
const CHECKPOINT_EVERY: u32 = 128;

/// ... or after so many rows, which a few large steps come to sooner: the log would grow beyond the database.
const CHECKPOINT_EVERY_ROWS: u64 = 10_000;

/// Checkpoints of the write-ahead log, done between calls by the writer, because SQLite itself would hide their failures.
pub(crate) fn checkpoints() -> impl FnMut(&mut Connection, &Arc<OnceLock<String>>) + Send + Clone + 'static {
    let (mut since, mut rows_before) = (0, 0);
    move |connection, failed| {
        since += 1;
        let rows = connection.total_changes();
        let due = since >= CHECKPOINT_EVERY || rows.saturating_sub(rows_before) >= CHECKPOINT_EVERY_ROWS;
        if !due || failed.get().is_some() {
            return;
        }
        (since, rows_before) = (0, rows);
        let outcome = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        match outcome.map_err(|error| Fault::from(error).named()) {
            Err(falconer_store::StoreError::Fatal(why)) => {
                tracing::error!(%why, "the store failed");
                let _ = failed.set(why);
            }
            // Nothing is lost: the log is kept and the next checkpoint does the same work.
            Err(error) => tracing::warn!(%error, "the write-ahead log could not be checkpointed"),
            Ok(()) => {}
        }
    }
}
