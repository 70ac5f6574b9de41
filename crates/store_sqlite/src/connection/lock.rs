//! One server at a time: the locks that it holds, and whether the file is still the one that it opened.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use falconer_store::{Result, StoreError};

use super::file::{folder_of, private, unavailable};

/// So often the file of the lock is looked for again where somebody removes it just then.
const TRIES: usize = 10;

/// Exclusive advisory locks on `<file>.lock` and on the folder of the file, held as long as this lives. The system lets go of them when the process ends,
/// however it ends.
///
/// The file of the lock can be removed, by somebody who takes it for a remainder, and made again: then two processes hold a lock of this name. So the folder
/// is locked too; whoever removes that removes the database. A lock on the database itself would be in the way of SQLite's own: closing any descriptor of that file
/// lets go of the locks that SQLite holds in this process.
pub(crate) struct FileLock {
    _file: File,
    _folder: Option<File>,
}

impl FileLock {
    pub(crate) fn take(path: &Path) -> Result<FileLock> {
        let folder = folder_of(path);
        if !folder.is_dir() {
            return Err(StoreError::Unavailable(format!("{}: there is no such folder", folder.display())));
        }
        let folder_lock = open_folder(folder).map_err(|error| unavailable(folder, &error))?;
        if let Some(folder_lock) = &folder_lock {
            lock(folder_lock, path, folder)?;
        }
        let mut name = OsString::from(path.as_os_str());
        name.push(".lock");
        let lock_path = PathBuf::from(name);
        for _ in 0..TRIES {
            let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
                .open(&lock_path)
                .map_err(|error| unavailable(&lock_path, &error))?;
            lock(&file, path, &lock_path)?;
            if Identity::of(&file).is_some_and(|held| held.is_at(&lock_path)) {
                return Ok(FileLock { _file: file, _folder: folder_lock });
            }
        }
        Err(StoreError::Unavailable(format!("{}: somebody keeps removing it", lock_path.display())))
    }
}

fn lock(file: &File, database: &Path, held: &Path) -> Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::InUse(format!("{} is in use by another process (it holds {})", database.display(), held.display())))
        }
        Err(TryLockError::Error(error)) => Err(unavailable(held, &error)),
    }
}

/// Elsewhere a folder can't be opened like a file, nor a file removed that somebody has open.
#[cfg(unix)]
fn open_folder(folder: &Path) -> std::io::Result<Option<File>> {
    File::open(folder).map(Some)
}

#[cfg(not(unix))]
fn open_folder(_folder: &Path) -> std::io::Result<Option<File>> {
    Ok(None)
}

/// Which file something is, whatever it is called: device and number.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of_metadata(metadata: &std::fs::Metadata) -> Identity {
        use std::os::unix::fs::MetadataExt as _;
        Identity(metadata.dev(), metadata.ino())
    }

    /// Elsewhere what is open keeps its name.
    #[cfg(not(unix))]
    fn of_metadata(_metadata: &std::fs::Metadata) -> Identity {
        Identity(0, 0)
    }

    fn of(file: &File) -> Option<Identity> {
        file.metadata().ok().as_ref().map(Identity::of_metadata)
    }

    fn is_at(self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|metadata| Identity::of_metadata(&metadata) == self)
    }
}

/// The database as it was opened.
#[derive(Clone)]
pub(crate) struct Opened {
    path: PathBuf,
    identity: Identity,
}

impl Opened {
    pub(crate) fn new(path: &Path) -> Result<Opened> {
        let metadata = std::fs::metadata(path).map_err(|error| unavailable(path, &error))?;
        Ok(Opened { path: path.to_owned(), identity: Identity::of_metadata(&metadata) })
    }

    /// What is written to a file that was removed or replaced is gone with this process. Errors: nothing may be written.
    pub(crate) fn check(&self) -> Result<()> {
        if self.identity.is_at(&self.path) {
            return Ok(());
        }
        Err(StoreError::Unavailable(format!(
            "{}: the file was removed or replaced while it was open, so what is written now would be lost: restart the server",
            self.path.display()
        )))
    }
}
