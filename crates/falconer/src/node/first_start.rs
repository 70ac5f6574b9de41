//! The first start on a data directory, which makes the keys and then the database: by one process at a time, and gone on with where one came no further.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What the file says once keys may have been made.
const BEGUN: &str = "A first start has begun here: falconer.keys may be there before the database.\n";

/// Held by the process that makes the keys and the database of a data directory. Others wait for it, and find both.
pub struct FirstStart {
    path: PathBuf,
    file: File,
    stays: bool,
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("falconer.first-start")
}

impl FirstStart {
    /// Waits until no other process makes a node in this folder, which exists. The system lets go when a process ends, however it ends.
    pub async fn begin(data_dir: &Path) -> Result<FirstStart> {
        let path = path(data_dir);
        let place = path.clone();
        let locked = tokio::task::spawn_blocking(move || {
            let file = File::options().write(true).create(true).truncate(false).open(&place)?;
            file.lock()?;
            Ok::<File, std::io::Error>(file)
        });
        let file = locked.await?.with_context(|| format!("can't lock {}; is this run as the server's user?", path.display()))?;
        Ok(FirstStart { stays: is_unfinished(data_dir), path, file })
    }

    /// Notes, before keys are made, that they may be there without a database: where it comes no further, the next start goes on with them.
    pub fn note(&mut self) -> Result<()> {
        if !self.stays {
            let noted = self.file.write_all(BEGUN.as_bytes()).and_then(|()| self.file.sync_all());
            noted.with_context(|| format!("can't write {}", self.path.display()))?;
            self.stays = true;
        }
        Ok(())
    }

    /// All of it is there. Whoever waits has the file open, and sees the database when it is let in. Whoever comes later sees the database at once.
    pub fn end(mut self) {
        self.stays = false;
    }
}

impl Drop for FirstStart {
    fn drop(&mut self) {
        if !self.stays {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether a first start on this folder may have made keys, and has not come to its end.
pub fn is_unfinished(data_dir: &Path) -> bool {
    std::fs::metadata(path(data_dir)).is_ok_and(|found| found.len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_first_start_leaves_says_whether_keys_may_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let unfinished = || is_unfinished(folder.path());
        drop(FirstStart::begin(folder.path()).await.unwrap());
        assert!(!unfinished() && !path(folder.path()).exists(), "nothing was made");
        let mut begun = FirstStart::begin(folder.path()).await.unwrap();
        assert!(!unfinished());
        begun.note().unwrap();
        drop(begun);
        assert!(unfinished());
        let mut again = FirstStart::begin(folder.path()).await.unwrap();
        again.note().unwrap();
        assert_eq!(std::fs::read_to_string(path(folder.path())).unwrap(), BEGUN);
        again.end();
        assert!(!unfinished() && !path(folder.path()).exists());
    }
}
