//! The files of a data directory besides the database and the keys, and how private they are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use falconer_auth::Random as _;
use zeroize::Zeroizing;

use super::first_start::is_unfinished;
use super::keys::key_file;
use super::storage::{Storage, is_file};
use crate::config::Config;
use crate::output::shell_word;
use crate::system::SystemRandom;

/// Where the first root credentials are written.
pub fn root_credentials_file(data_dir: &Path) -> PathBuf {
    data_dir.join("root-credentials.json")
}

/// Where the server that ran here last was reached, for links that other commands print.
fn root_url_file(data_dir: &Path) -> PathBuf {
    data_dir.join("root-url")
}

/// Notes it.
pub fn note_root_url(data_dir: &Path, root_url: &str) -> Result<()> {
    replace_note(&root_url_file(data_dir), &format!("{root_url}\n"))
}

/// Replaces a small file as a whole: where there is no room for the new text, the old one stays.
pub fn replace_note(file: &Path, text: &str) -> Result<()> {
    let new = file.with_added_extension("new");
    let replaced = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, file));
    if replaced.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    replaced.with_context(|| format!("can't write {}", file.display()))
}

/// What [`note_root_url`] noted last.
pub fn noted_root_url(data_dir: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root_url_file(data_dir)).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Errors where a server ran on the data directory whose database is not where the configuration says: a new one, with another root client, would
/// pass for the old one.
pub fn must_be_new(config: &Config, storage: &Storage<'_>) -> Result<()> {
    let data_dir = &config.data_dir;
    // A key file elsewhere may be there before the first start, and one here where that came no further.
    let is_unfinished = is_unfinished(data_dir);
    let mut left = Vec::new();
    for name in ["falconer.sqlite", "falconer.keys", "falconer.history", "root-url", "root-credentials.json"] {
        let file = data_dir.join(name);
        if is_file(&file)? && !(is_unfinished && name == "falconer.keys") {
            left.push(shell_word(&file.display().to_string()));
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    bail!(
        "{} belongs to a Falconer whose database is not there: {} is missing, and nothing was changed. {}. Was it lost? Then restore it from your backup. To begin \
         afresh, with new keys and a new root client, move these away: {}",
        data_dir.display(),
        storage.shown(),
        storage.other_place(),
        left.join(" ")
    )
}

/// Makes a folder, with its parents, that only its owner may enter.
pub fn private_folder(folder: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .with_context(|| format!("can't make the data directory {}; give one that this user can make with --data-dir", folder.display()))
}

/// Writes a file that only its owner may read, and that must not exist yet. Where there is no room for it, it does not exist afterwards.
pub fn write_private(file: &Path, text: &str) -> Result<()> {
    let filled = fill(new_private(file)?, file, text);
    if filled.is_err() {
        let _ = std::fs::remove_file(file);
    }
    filled
}

/// Makes a private file as a whole: it appears with all of its text. Answers whether this process has made it; `false`: it was there.
pub fn create_private(file: &Path, text: &str) -> Result<bool> {
    let mut random = [0; 8];
    SystemRandom.fill(&mut random);
    let new = file.with_added_extension(format!("new-{:016x}", u64::from_be_bytes(random)));
    write_private(&new, text)?;
    let linked = std::fs::hard_link(&new, file);
    let _ = std::fs::remove_file(&new);
    match linked {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        // Some file systems have no links. There the file appears empty first.
        Err(_) => write_private(file, text).map(|()| true),
    }
}

/// Replaces a private file as a whole: readers see the old text or the new one, and it is on the disk when this returns. `change` makes the new text, and is called
/// where no other process can change the file, so it reads the old one then. The owner stays, whoever runs this.
pub fn change_private(file: &Path, change: impl FnOnce() -> Result<Zeroizing<String>>) -> Result<()> {
    // Where the file is a link to elsewhere, it stays one.
    let file = std::fs::canonicalize(file).with_context(|| format!("can't find {}", file.display()))?;
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { bail!("{} is no file", file.display()) };
    let mut new_name = name.to_owned();
    new_name.push(".new");
    let new = folder.join(new_name);
    let opened = new_private(&new).map_err(|error| match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
        Some(std::io::ErrorKind::AlreadyExists) => {
            error.context("another command is changing this file, or was stopped in the middle; in that case remove it")
        }
        _ => error.context("is this run as the server's user?"),
    })?;
    let replaced = change().and_then(|text| fill(opened, &new, &text)).and_then(|()| {
        keep_owner(&file, &new)?;
        std::fs::rename(&new, &file).with_context(|| format!("can't replace {}", file.display()))
    });
    if replaced.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    replaced?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("can't sync {}", folder.display()))
}

fn new_private(file: &Path) -> Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).with_context(|| format!("can't make {}", file.display()))
}

fn fill(mut opened: std::fs::File, file: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()).with_context(|| format!("can't write {}", file.display()))
}

/// A file of root's in the place of the server's would keep the server out.
#[cfg(unix)]
fn keep_owner(old: &Path, new: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let (before, now) = (std::fs::metadata(old)?, std::fs::metadata(new)?);
    if (before.uid(), before.gid()) == (now.uid(), now.gid()) {
        return Ok(());
    }
    std::os::unix::fs::chown(new, Some(before.uid()), Some(before.gid()))
        .with_context(|| format!("{} belongs to another user: run this as the server's user", old.display()))
}

#[cfg(not(unix))]
fn keep_owner(_old: &Path, _new: &Path) -> Result<()> {
    Ok(())
}

/// Warnings about files that other users of this machine can read though they must not: the keys, the database, the first credentials, the folder.
#[cfg(unix)]
pub fn readable_by_others(config: &Config) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let data_dir = &config.data_dir;
    let mut warnings = Vec::new();
    for (path, what, wanted) in [
        (data_dir.clone(), "the data directory", "700"),
        (key_file(config), "the key file, which opens every secret,", "600"),
        (data_dir.join("falconer.sqlite"), "the database", "600"),
        (root_credentials_file(data_dir), "the file with the root credentials", "600"),
    ] {
        let Ok(found) = std::fs::metadata(&path) else { continue };
        let mode = found.permissions().mode() & 0o777;
        if mode & 0o007 != 0 {
            let path = shell_word(&path.display().to_string());
            warnings.push(format!("{what} is open to everybody on this machine (mode {mode:o}): `chmod {wanted} {path}`"));
        }
    }
    warnings
}

/// Elsewhere modes say nothing.
#[cfg(not(unix))]
pub fn readable_by_others(_config: &Config) -> Vec<String> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Result<Zeroizing<String>> {
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Two commands at once read the same keys, and the second one wrote over the key of the first, which had sealed with it by then.
    #[test]
    fn only_one_at_a_time_reads_and_changes_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.keys");
        write_private(&file, "one").unwrap();
        let mut refused = String::new();
        change_private(&file, || {
            refused = format!("{:#}", change_private(&file, || text("lost")).unwrap_err());
            text(&format!("{} two", std::fs::read_to_string(&file)?))
        })
        .unwrap();
        assert!(refused.contains("another command is changing this file"), "{refused}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one two");
    }

    #[test]
    fn a_change_that_fails_leaves_the_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.keys");
        write_private(&file, "one").unwrap();
        assert!(change_private(&file, || bail!("no")).is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "one");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        change_private(&file, || text("two")).unwrap();
    }

    /// A key file that root had changed was root's, and the server could not read it any more.
    #[cfg(unix)]
    #[test]
    fn a_changed_file_keeps_its_owner() {
        use std::os::unix::fs::{MetadataExt as _, chown};
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.keys");
        write_private(&file, "one").unwrap();
        // Only root can give a file away; for all others the owner is the one that it was.
        let _ = chown(&file, Some(12345), Some(12345));
        let before = std::fs::metadata(&file).unwrap();
        change_private(&file, || text("two")).unwrap();
        let after = std::fs::metadata(&file).unwrap();
        assert_eq!((after.uid(), after.gid(), after.mode() & 0o777), (before.uid(), before.gid(), 0o600));
    }
}
