//! The key file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use falconer_auth::Random;
use falconer_store::KeyRing;

use super::data_dir::create_private;
use super::storage::{Storage, is_file};
use crate::config::Config;
use crate::system::SystemRandom;
use crate::text_file;

/// Where the keys are.
pub fn key_file(config: &Config) -> PathBuf {
    config.key_file.clone().unwrap_or_else(|| config.data_dir.join("falconer.keys"))
}

/// The key file where there is one. Errors: there is a database without its key file. New keys would open nothing in it.
pub async fn existing_key_file(config: &Config, storage: &Storage<'_>) -> Result<Option<PathBuf>> {
    let file = key_file(config);
    if is_file(&file)? {
        return Ok(Some(file));
    }
    // A server that is started at the same time makes the keys first, and then the database.
    if storage.is_there().await? && !is_file(&file)? {
        bail!(
            "the key file {} is missing, and without it the secrets in {} can't be opened; restore it from your backup, or set key_file to where it is",
            file.display(),
            storage.shown()
        );
    }
    Ok(is_file(&file)?.then_some(file))
}

/// The keys of a file.
pub fn read_keys(file: &Path) -> Result<KeyRing> {
    let text =
        text_file::read(file, "the key file").map_err(|error| match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(std::io::ErrorKind::PermissionDenied) => error.context("is this run as the server's user?"),
            Some(std::io::ErrorKind::NotFound) => anyhow!(
                "there is no key file {}: name the server's data directory with --data-dir, or set key_file to where it is",
                file.display()
            ),
            _ => error,
        })?;
    KeyRing::parse(&text).with_context(|| format!("{} is no key file; restore it from your backup", file.display()))
}

/// The keys that seal secrets at rest. They are made only together with the database.
pub async fn keys(config: &Config, storage: &Storage<'_>) -> Result<KeyRing> {
    match existing_key_file(config, storage).await? {
        Some(file) => read_keys(&file),
        None => new_keys(&key_file(config)),
    }
}

/// New keys in a new file. Where another server, which shares the file, was first, its keys are read.
fn new_keys(file: &Path) -> Result<KeyRing> {
    let mut key = [0_u8; 32];
    SystemRandom.fill(&mut key);
    let keys = KeyRing::from_bytes("k1", key)?;
    if create_private(file, &keys.to_key_file())? { Ok(keys) } else { read_keys(file) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two servers were started at once with one key file that was not there yet. The second one gave up because it could not make the file.
    #[test]
    fn of_two_servers_the_second_reads_the_keys_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.keys");
        let (first, second) = (new_keys(&file).unwrap(), new_keys(&file).unwrap());
        assert_eq!(*first.to_key_file(), *second.to_key_file());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
