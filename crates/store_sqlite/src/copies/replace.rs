//! Putting a copy in the place of the database. Until the last step the old one is there and whole; from then on the new one is.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use falconer_store::{History, KeyRing, Randomness, Result, Revision, Store as _, StoreError};

use crate::SqliteStore;
use crate::connection::fault::{Fault, Res};
use crate::connection::file::{self, private, sync_folder, unavailable};
use crate::connection::lock::FileLock;

/// Bytes that are copied before the progress is told again.
const PART: usize = 4 * 1024 * 1024;
/// What lies beside a database, and would be taken for part of another one in its place.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The place of a database, with the lock that keeps every server out.
pub struct Locked {
    path: PathBuf,
    _lock: FileLock,
}

/// A copy that lies beside the place of the database.
pub struct Staged {
    path: PathBuf,
}

impl Locked {
    /// Of the file `path`, in a folder that exists. Errors: [`StoreError::InUse`] where a server runs on it.
    pub fn take(path: &Path) -> Result<Locked> {
        Ok(Locked { path: path.to_owned(), _lock: FileLock::take(path)? })
    }

    /// Copies a file beside the database, private and synchronised. What an earlier one has left there goes.
    pub fn stage(&self, from: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Staged> {
        let staged = Staged { path: named(&self.path, ".restoring") };
        staged.remove()?;
        let mut source = File::open(from).map_err(|error| unavailable(from, &error))?;
        let total = source.metadata().map_err(|error| unavailable(from, &error))?.len();
        let failed = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::StorageFull => StoreError::Full(error.to_string()),
            _ => unavailable(&staged.path, &error),
        };
        let mut copy = private(OpenOptions::new().write(true).create_new(true)).open(&staged.path).map_err(failed)?;
        let (mut part, mut done) = (vec![0; PART], 0_u64);
        loop {
            let read = source.read(&mut part).map_err(|error| unavailable(from, &error))?;
            let Some(bytes) = part.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
            copy.write_all(bytes).map_err(failed)?;
            done = done.saturating_add(read as u64);
            progress(done, total.max(done));
        }
        copy.sync_all().map_err(failed)?;
        Ok(staged)
    }

    /// Puts the copy in the place of the database. What was there is kept under the name that is given, where there was one.
    ///
    /// Errors: [`StoreError::InUse`] where a command uses the database just now; nothing was replaced then.
    pub fn put_in_place(&self, staged: &Staged, old: &Path) -> Result<()> {
        let failed = |error: std::io::Error| unavailable(&self.path, &error);
        let mut kept_open = None;
        if self.path.exists() {
            match alone(&self.path).map_err(Fault::named) {
                Ok(connection) => kept_open = Some(connection),
                // What does not open is no database that somebody could lose more of.
                Err(StoreError::Corrupt(_)) => {}
                Err(other) => return Err(other),
            }
        }
        exchange(&self.path, &staged.path, old, |path, name| std::fs::hard_link(path, name)).map_err(failed)?;
        sync_folder(&self.path)?;
        drop(kept_open);
        Ok(())
    }
}

/// Gives the old database, where there is one, another name, and the copy its place. On an error the old one is where it was.
///
/// Where the file system has links, there is the old one or the new one at each moment.
fn exchange(path: &Path, copy: &Path, old: &Path, link: impl Fn(&Path, &Path) -> std::io::Result<()>) -> std::io::Result<()> {
    let is_linked = match path.exists().then(|| link(path, old)) {
        Some(Err(error)) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(error),
        linked => linked.is_some_and(|linked| linked.is_ok()),
    };
    let mut moved = Vec::new();
    let mut rename = |from: PathBuf, to: PathBuf| -> std::io::Result<()> {
        std::fs::rename(&from, &to)?;
        moved.push((from, to));
        Ok(())
    };
    let exchanged = (|| {
        for (beside, kept) in BESIDE.iter().map(|end| (named(path, end), named(old, end))).filter(|(beside, _)| beside.exists()) {
            rename(beside, kept)?;
        }
        if !is_linked && path.exists() {
            rename(path.to_owned(), old.to_owned())?;
        }
        std::fs::rename(copy, path)
    })();
    if exchanged.is_err() {
        for (from, to) in moved.iter().rev() {
            let _ = std::fs::rename(to, from);
        }
        if is_linked {
            let _ = std::fs::remove_file(old);
        }
    }
    exchanged
}

impl Staged {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Brings its schema up to this program's, and begins another history at its revision, so that no revision and no id of an event of what is lost means
    /// anything in it. It is one file again afterwards, and on the disk.
    pub async fn begin_history(&self, keys: KeyRing, random: Randomness) -> Result<(History, Revision)> {
        let store = SqliteStore::open_beside(&self.path, keys, random)?;
        let revision = store.revision().await?;
        let history = store.begin_history(store.history().await?.epoch, revision).await?;
        drop(store);
        drop(alone(&self.path).map_err(Fault::named)?);
        File::open(&self.path).and_then(|file| file.sync_all()).map_err(|error| unavailable(&self.path, &error))?;
        Ok((history, revision))
    }

    /// Removes it, and what lies beside it.
    pub fn remove(&self) -> Result<()> {
        let beside = BESIDE.iter().map(|end| named(&self.path, end));
        for path in beside.chain([self.path.clone()]) {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unavailable(&path, &error)),
                _ => {}
            }
        }
        Ok(())
    }
}

/// A connection that nobody else has one beside, with nothing left in a write-ahead log. Others wait as long as it lives.
pub(super) fn alone(path: &Path) -> Res<rusqlite::Connection> {
    let connection = file::connect(path)?;
    // This mode is only had where nobody else has the file open.
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "delete", |row| row.get(0))?;
    if mode != "delete" {
        return Err(StoreError::InUse(format!("{} is in use by another process", path.display())).into());
    }
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    Ok(connection)
}

/// The file of this name with something at its end.
pub(super) fn named(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(end);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A data directory on a file system without links could not be restored; and where the last step failed, there was no database any more.
    #[test]
    fn a_database_is_exchanged_with_links_and_without_them() {
        let no_links = |_: &Path, _: &Path| Err(std::io::Error::from(std::io::ErrorKind::Unsupported));
        let links = |path: &Path, name: &Path| std::fs::hard_link(path, name);
        for (has_links, is_there) in [(true, true), (false, true), (true, false), (false, false)] {
            let folder = tempfile::tempdir().unwrap();
            let [path, copy, old] = ["falconer.sqlite", "copy", "old"].map(|name| folder.path().join(name));
            let read = |path: &Path| std::fs::read_to_string(path).ok();
            let (before, wal) = (is_there.then(|| "before".to_owned()), is_there.then(|| "log".to_owned()));
            if is_there {
                std::fs::write(&path, "before").unwrap();
                std::fs::write(named(&path, "-wal"), "log").unwrap();
            }
            let exchange = || if has_links { exchange(&path, &copy, &old, links) } else { exchange(&path, &copy, &old, no_links) };
            assert!(exchange().is_err(), "there is no copy");
            assert_eq!((read(&path), read(&named(&path, "-wal")), read(&old)), (before.clone(), wal.clone(), None));
            std::fs::write(&copy, "after").unwrap();
            exchange().unwrap();
            assert_eq!((read(&path), read(&old)), (Some("after".to_owned()), before));
            assert_eq!((read(&named(&path, "-wal")), read(&named(&old, "-wal"))), (None, wal));
        }
    }
}
