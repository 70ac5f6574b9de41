//! The last revision that a server saw, noted in the data directory, so that a start on a restored backup is noticed.

use std::path::{Path, PathBuf};

use anyhow::Result;
use falconer_auth::{AtLeast, History, Revision};
use falconer_store::Store;

use super::data_dir::replace_note;

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("falconer.history")
}

/// Notes where the database stands: `<epoch>-<revision>`. A note that is half a second old, or none, is no mistake.
pub fn note(data_dir: &Path, history: History, revision: Revision) -> Result<()> {
    replace_note(&file(data_dir), &format!("{}-{}\n", history.epoch, revision.0))
}

fn noted(data_dir: &Path) -> Option<AtLeast> {
    std::fs::read_to_string(file(data_dir)).ok()?.trim().parse().ok()
}

/// Begins another history of the database if it is behind what was noted, or counts in another epoch: then a backup was restored, perhaps for the
/// second time. An epoch too many costs followers no more than a `reset`.
pub async fn begin_another_if_restored(data_dir: &Path, store: &dyn Store) -> Result<(), falconer_store::StoreError> {
    let Some(AtLeast { epoch: Some(epoch), revision: seen }) = noted(data_dir) else { return Ok(()) };
    let (history, found) = (store.history().await?, store.revision().await?);
    if epoch != history.epoch || seen > found {
        let begun = store.begin_history(history.epoch, found).await?;
        if let Err(error) = note(data_dir, begun, found) {
            tracing::warn!(%error, "the next start begins another history once more");
        }
        tracing::warn!(
            found = found.0,
            seen = seen.0,
            "the database is not where the last server on this data directory left it, so that a backup must have been restored: \
             revisions of before mean nothing from now on"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::storage::Storage;

    /// After a backup was restored, event ids and revisions of the lost time matched what was written later.
    #[tokio::test]
    async fn a_database_behind_the_note_begins_another_history() {
        let folder = tempfile::tempdir().unwrap();
        let store = Storage::rehearsal().unwrap();
        let first = store.history().await.unwrap();
        begin_another_if_restored(folder.path(), store.as_ref()).await.unwrap();
        note(folder.path(), first, Revision(0)).unwrap();
        begin_another_if_restored(folder.path(), store.as_ref()).await.unwrap();
        assert_eq!(store.history().await.unwrap(), first, "no note, or the same revision");
        note(folder.path(), first, Revision(5)).unwrap();
        begin_another_if_restored(folder.path(), store.as_ref()).await.unwrap();
        let second = store.history().await.unwrap();
        assert_ne!(second.epoch, first.epoch);
        begin_another_if_restored(folder.path(), store.as_ref()).await.unwrap();
        assert_eq!(store.history().await.unwrap(), second, "the note speaks of this history");
        // The same backup once more: it counts in the epoch of before, and may have more revisions by now than were noted.
        note(folder.path(), first, Revision(0)).unwrap();
        begin_another_if_restored(folder.path(), store.as_ref()).await.unwrap();
        let third = store.history().await.unwrap();
        assert!(third.epoch != second.epoch && third.epoch != first.epoch);
    }
}
