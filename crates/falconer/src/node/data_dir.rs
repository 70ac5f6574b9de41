//! The files of a data directory besides the database and the keys, and how private they are.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::keys::key_file;
use super::storage::{Storage, is_file};
use crate::config::Config;
use crate::output::shell_word;

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
    let file = root_url_file(data_dir);
    std::fs::write(&file, format!("{root_url}\n")).with_context(|| format!("can't write {}", file.display()))
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
    // A key file elsewhere may be there before the first start.
    let files =
        ["falconer.sqlite", "falconer.keys", "falconer.history", "root-url", "root-credentials.json"].map(|name| data_dir.join(name));
    let mut left = Vec::new();
    for file in files {
        if is_file(&file)? {
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
    builder.create(folder).with_context(|| format!("can't make the data directory {}", folder.display()))
}

/// Writes a file that only its owner may read, and that must not exist yet.
pub fn write_private(file: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file).with_context(|| format!("can't make {}", file.display()))?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all().with_context(|| format!("can't write {}", file.display()))
}

/// Replaces a private file as a whole: readers see the old text or the new one, and it is on the disk when this returns.
pub fn replace_private(file: &Path, text: &str) -> Result<()> {
    // Where the file is a link to elsewhere, it stays one.
    let file = std::fs::canonicalize(file).with_context(|| format!("can't find {}", file.display()))?;
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { bail!("{} is no file", file.display()) };
    let mut new_name = name.to_owned();
    new_name.push(".new");
    let new = folder.join(new_name);
    write_private(&new, text).context("another command is changing this file, or was stopped in the middle; in that case remove it")?;
    let replaced = std::fs::rename(&new, &file).and_then(|()| std::fs::File::open(folder)?.sync_all());
    replaced.with_context(|| format!("can't replace {}", file.display()))
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
