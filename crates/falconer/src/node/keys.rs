//! The key file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use falconer_auth::Random;
use falconer_store::KeyRing;

use super::data_dir::write_private;
use super::storage::{Storage, is_file};
use crate::config::Config;
use crate::system::SystemRandom;
use crate::text_file;

/// Where the keys are.
pub fn key_file(config: &Config) -> PathBuf {
    config.key_file.clone().unwrap_or_else(|| config.data_dir.join("falconer.keys"))
}

/// The key file where there is one. Keys made anew would open nothing, so a database without its keys is an error.
pub async fn existing_key_file(config: &Config, storage: &Storage<'_>) -> Result<Option<PathBuf>> {
    let file = key_file(config);
    if is_file(&file)? {
        return Ok(Some(file));
    }
    if storage.is_there().await? {
        bail!(
            "the key file {} is missing, and without it the secrets in {} can't be opened; restore it from your backup, or set key_file to where it is",
            file.display(),
            storage.shown()
        );
    }
    Ok(None)
}

/// The keys of a file.
pub fn read_keys(file: &Path) -> Result<KeyRing> {
    let text =
        text_file::read(file, "the key file").map_err(|error| match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
            Some(std::io::ErrorKind::PermissionDenied) => error.context("is this run as the server's user?"),
            _ => error,
        })?;
    KeyRing::parse(&text).with_context(|| format!("{} is no key file; restore it from your backup", file.display()))
}

/// The keys that seal secrets at rest. They are made only together with the database.
pub async fn keys(config: &Config, storage: &Storage<'_>) -> Result<KeyRing> {
    if let Some(file) = existing_key_file(config, storage).await? {
        return read_keys(&file);
    }
    let mut key = [0_u8; 32];
    SystemRandom.fill(&mut key);
    let keys = KeyRing::from_bytes("k1", key)?;
    write_private(&key_file(config), &keys.to_key_file())?;
    Ok(keys)
}
