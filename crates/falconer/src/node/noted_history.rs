//! The last revision that a server saw, noted in the data directory, so that a start on a restored backup is noticed.

use std::path::{Path, PathBuf};

use anyhow::Result;
use falconer_auth::{AtLeast, History, Revision};
use falconer_store::{Epoch, Store};

use super::data_dir::replace_note;

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("falconer.history")
}

/// How many epochs of before are noted. Each is one restored backup.
const MOST_BEFORE: usize = 100;

/// What the file says: `<epoch>-<revision>` in its first line, then an epoch of before in each line, the last one first.
struct Note {
    epoch: Epoch,
    revision: Revision,
    before: Vec<Epoch>,
}

impl Note {
    fn read(data_dir: &Path) -> Option<Note> {
        let text = std::fs::read_to_string(file(data_dir)).ok()?;
        let mut lines = text.lines();
        let AtLeast { epoch: Some(epoch), revision } = lines.next()?.trim().parse().ok()? else { return None };
        Some(Note { epoch, revision, before: lines.filter_map(|line| line.trim().parse().ok()).collect() })
    }

    /// Whether a database that stands there has lost what was noted. An epoch that nobody here knows is one that another server, or `falconer restored`, has begun: if each
    /// server that starts began another one, every start would be one more for all the others.
    fn is_lost_in(&self, history: History, revision: Revision) -> bool {
        if self.epoch == history.epoch { self.revision > revision } else { self.before.contains(&history.epoch) }
    }
}

/// Notes where the database stands. A note that is half a second old, or none, is no mistake.
pub fn note(data_dir: &Path, history: History, revision: Revision) -> Result<()> {
    let mut before = Vec::new();
    if let Some(noted) = Note::read(data_dir) {
        before.push(noted.epoch);
        before.extend(noted.before);
    }
    before.retain(|epoch| *epoch != history.epoch);
    before.truncate(MOST_BEFORE);
    let lines: String = before.iter().map(|epoch| format!("{epoch}\n")).collect();
    replace_note(&file(data_dir), &format!("{}-{}\n{lines}", history.epoch, revision.0))
}

/// Begins another history of the database if it is behind what was noted, or in an epoch of before: then a backup was restored, perhaps for the second time. Of several
/// servers that notice it one begins it, and the others take over what that one has begun.
pub async fn begin_another_if_restored(data_dir: &Path, store: &dyn Store) -> Result<(), falconer_store::StoreError> {
    let Some(noted) = Note::read(data_dir) else { return Ok(()) };
    let (history, found) = (store.history().await?, store.revision().await?);
    if noted.is_lost_in(history, found) {
        let begun = store.begin_history(history.epoch, found).await?;
        if let Err(error) = note(data_dir, begun, found) {
            tracing::warn!(%error, "the next start compares with what was noted before");
        }
        tracing::warn!(
            found = found.0,
            seen = noted.revision.0,
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
        let other = History { epoch: Epoch::from_random([7; 8]), start: Revision(0) };
        note(folder.path(), other, Revision(0)).unwrap();
        begin_another_if_restored(folder.path(), store.as_ref()).await.unwrap();
        let third = store.history().await.unwrap();
        assert!(third.epoch != second.epoch && third.epoch != first.epoch);
    }

    /// Each server that started found another epoch than its note had, and began one more.
    #[tokio::test]
    async fn of_several_servers_one_begins_another_history() {
        let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let store = Storage::rehearsal().unwrap();
        let first = store.history().await.unwrap();
        for (folder, revision) in folders.iter().zip([5, 4, 0]) {
            note(folder.path(), first, Revision(revision)).unwrap();
        }
        let start = async |folder: &tempfile::TempDir| {
            begin_another_if_restored(folder.path(), store.as_ref()).await.unwrap();
            let now = store.history().await.unwrap();
            note(folder.path(), now, Revision(0)).unwrap();
            now
        };
        let [a, b, c] = &folders;
        let second = start(a).await;
        assert_ne!(second.epoch, first.epoch);
        assert_eq!((start(b).await, start(c).await, start(a).await), (second, second, second));
        // The same backup once more, below servers that have seen what came of it.
        let text = std::fs::read_to_string(file(b.path())).unwrap();
        assert_eq!(text, format!("{}-0\n{}\n", second.epoch, first.epoch));
        let third = store.begin_history(second.epoch, Revision(0)).await.unwrap();
        for folder in [b, c] {
            note(folder.path(), third, Revision(0)).unwrap();
        }
        let noted = Note::read(c.path()).unwrap();
        assert!([first, second].iter().all(|before| noted.is_lost_in(*before, Revision(9))), "whatever has become of it meanwhile");
        assert!(!noted.is_lost_in(third, Revision(0)));
        // One server did not see the third one, and finds it.
        assert_eq!(start(a).await, third);
    }

    #[test]
    fn the_note_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let epoch = |number: u64| History { epoch: Epoch::from_random(number.to_be_bytes()), start: Revision(0) };
        for number in 0..150 {
            note(folder.path(), epoch(number), Revision(1)).unwrap();
            note(folder.path(), epoch(number), Revision(2)).unwrap();
        }
        let noted = Note::read(folder.path()).unwrap();
        assert_eq!((noted.epoch, noted.revision, noted.before.len()), (epoch(149).epoch, Revision(2), MOST_BEFORE));
        assert_eq!(noted.before.first().copied(), Some(epoch(148).epoch));
    }
}
