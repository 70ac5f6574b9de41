//! Where the records are: the one place that names concrete stores.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use falconer_auth::Random;
use falconer_store::{KeyRing, ProviderPeople, Randomness, Store, StoreError};
use falconer_store_postgres::PostgresStore;
use falconer_store_sqlite::SqliteStore;

use super::Access;
use crate::config::Config;
use crate::output::shell_word;
use crate::system::SystemRandom;

/// A file in the data directory, or a database elsewhere.
pub enum Storage<'c> {
    File { data_dir: &'c Path },
    Postgres { url: &'c str, notify_url: Option<&'c str> },
}

impl<'c> Storage<'c> {
    /// What the configuration says.
    pub fn of(config: &'c Config) -> Storage<'c> {
        match &config.database_url {
            Some(url) => {
                Storage::Postgres { url: url.expose(), notify_url: config.notify_url.as_ref().map(crate::config::SecretText::expose) }
            }
            None => Storage::File { data_dir: &config.data_dir },
        }
    }

    /// For people; never with a password.
    pub fn shown(&self) -> String {
        match self {
            Storage::File { data_dir } => database(data_dir).display().to_string(),
            Storage::Postgres { url, .. } => match PostgresStore::place(url) {
                Ok(place) => format!("the PostgreSQL database {place}"),
                Err(_) => "the PostgreSQL database of database_url".to_owned(),
            },
        }
    }

    /// What the records may be in instead, for a data directory whose records are not here.
    pub fn other_place(&self) -> &'static str {
        match self {
            Storage::File { .. } => "Are the records in PostgreSQL? Then set database_url, as the server had it",
            Storage::Postgres { .. } => {
                "Is database_url the one that the server had? Without database_url the records are in the data directory"
            }
        }
    }

    /// Whether a Falconer was made there.
    pub async fn is_there(&self) -> Result<bool> {
        match self {
            Storage::File { data_dir } => is_file(&database(data_dir)),
            Storage::Postgres { url, notify_url } => {
                PostgresStore::is_there(url, *notify_url).await.map_err(|error| self.explain(error.into(), None))
            }
        }
    }

    /// Errors where nothing is there and nothing is to be made.
    pub async fn must_be_there(&self) -> Result<()> {
        if self.is_there().await? {
            return Ok(());
        }
        match self {
            Storage::File { data_dir } => {
                let folder = shell_word(&data_dir.display().to_string());
                bail!(
                    "{folder} holds no Falconer: name the server's data directory with --data-dir, or make one with `falconer init --data-dir {folder}`"
                )
            }
            Storage::Postgres { .. } => {
                bail!("{} holds no Falconer: `falconer init` or a first `falconer serve` makes one there", self.shown())
            }
        }
    }

    /// Opens it, and makes it where it is not there.
    pub async fn open(&self, access: Access, keys: KeyRing) -> Result<Arc<dyn Store>, StoreError> {
        let random: Randomness = Arc::new(|bytes: &mut [u8]| SystemRandom.fill(bytes));
        Ok(match (self, access) {
            (Storage::File { data_dir }, Access::Alone) => Arc::new(SqliteStore::open(&database(data_dir), keys, random)?),
            (Storage::File { data_dir }, Access::Beside) => Arc::new(SqliteStore::open_beside(&database(data_dir), keys, random)?),
            (Storage::Postgres { url, notify_url }, Access::Alone) => Arc::new(PostgresStore::open(url, *notify_url, keys, random).await?),
            (Storage::Postgres { url, notify_url }, Access::Beside) => {
                Arc::new(PostgresStore::open_beside(url, *notify_url, keys, random).await?)
            }
        })
    }

    /// How many people each provider has, and by what they are known; nothing where no Falconer is there. Nothing is changed.
    pub async fn people_of_providers(&self) -> Result<Vec<ProviderPeople>> {
        if !self.is_there().await? {
            return Ok(Vec::new());
        }
        let people = match self {
            Storage::File { data_dir } => SqliteStore::people_of_providers(&database(data_dir)),
            Storage::Postgres { url, notify_url } => PostgresStore::people_of_providers(url, *notify_url).await,
        };
        people.map_err(|error| self.explain(error.into(), None))
    }

    /// A store that ends with the process.
    pub fn rehearsal() -> Result<Arc<dyn Store>> {
        let mut key = [0_u8; 32];
        SystemRandom.fill(&mut key);
        let random: Randomness = Arc::new(|bytes: &mut [u8]| SystemRandom.fill(bytes));
        Ok(Arc::new(SqliteStore::in_memory(KeyRing::from_bytes("k1", key)?, random)?))
    }

    /// What the operator can do about a store that does not open.
    pub fn explain(&self, error: anyhow::Error, key_file: Option<&Path>) -> anyhow::Error {
        let store = error.chain().find_map(|cause| cause.downcast_ref::<StoreError>());
        let keys = key_file.map_or_else(String::new, |file| format!(", with the key file ({}) that it was made with", file.display()));
        let step = match (store, self) {
            // It says itself what to do.
            (Some(StoreError::InTheWay(_)), _) => self.shown(),
            (Some(StoreError::InUse(_)), Storage::File { .. }) => {
                "another server runs on this data directory: stop it, or give another --data-dir".to_owned()
            }
            (Some(StoreError::InUse(_)), Storage::Postgres { .. }) => format!("{} is in use: stop what uses it", self.shown()),
            (Some(StoreError::Newer(_)), _) => format!("{} was changed by a newer version of Falconer", self.shown()),
            (Some(StoreError::Unavailable(_)), Storage::Postgres { .. }) => {
                format!("can't reach {}: is the server running, and database_url right?", self.shown())
            }
            (Some(StoreError::Full(_)), Storage::File { data_dir }) => {
                format!("the disk of {} is full: make room there and run this again; nothing was changed", data_dir.display())
            }
            (Some(StoreError::Full(_)), Storage::Postgres { .. }) => {
                format!("the disk of {} is full: make room there and run this again; nothing was changed", self.shown())
            }
            (Some(StoreError::Denied(_)), Storage::File { data_dir }) => {
                format!("{} may not be used by this user: run this as the server's user", data_dir.display())
            }
            (Some(StoreError::Denied(_)), Storage::Postgres { .. }) => {
                format!("{} may not be used by the user of database_url: use the server's", self.shown())
            }
            (Some(StoreError::Corrupt(_)), Storage::File { .. }) => {
                format!("can't open {}: is this Falconer's data directory{keys}? Else restore both from your backup", self.shown())
            }
            (Some(StoreError::Corrupt(_)), Storage::Postgres { .. }) => {
                format!("can't open {}: is this Falconer's database{keys}? Else restore both from your backup", self.shown())
            }
            _ => return error,
        };
        error.context(step)
    }
}

/// Whether a file is there. Where that can't be told it is not said to be missing: what follows would advise to make it anew.
pub fn is_file(path: &Path) -> Result<bool> {
    path.try_exists().with_context(|| match path.parent() {
        Some(folder) if folder.is_file() => format!("{} is a file: a data directory is a folder", folder.display()),
        _ => format!("can't look for {}: is this run as the server's user?", path.display()),
    })
}

/// The file in a data directory that holds the records, where they are not in PostgreSQL.
pub fn database(data_dir: &Path) -> PathBuf {
    data_dir.join("falconer.sqlite")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(error: StoreError) -> String {
        let data_dir = Path::new("/var/lib/falconer");
        format!("{:#}", Storage::File { data_dir }.explain(error.into(), None))
    }

    /// A start on a full disk said `disk I/O error`, and nothing of where.
    #[test]
    fn a_full_disk_is_named() {
        let full = "the disk of /var/lib/falconer is full: make room there";
        assert!(explained(StoreError::Full("disk I/O error".to_owned())).starts_with(full));
    }

    /// The advice followed words of the error's text: a folder of such a name was enough to get another one's.
    #[test]
    fn the_kind_of_an_error_decides_and_not_its_words() {
        let words = "in use by another process, disk is full, Permission denied, newer than this program";
        let unavailable = explained(StoreError::Unavailable(words.to_owned()));
        assert!(unavailable.starts_with("the store is unavailable: "), "{unavailable}");
        assert!(explained(StoreError::InUse("x".to_owned())).starts_with("another server runs on this data directory"));
        let newer = explained(StoreError::Newer("9999_later".to_owned()));
        assert!(newer.contains("newer version of Falconer") && newer.contains("9999_later"), "{newer}");
    }

    /// Another user's folder was said to hold no Falconer, with the advice to make one.
    #[test]
    fn what_another_user_may_not_use_is_not_said_to_be_missing() {
        let denied = StoreError::Denied("falconer.sqlite.lock: Permission denied (os error 13)".to_owned());
        assert!(explained(denied).contains("run this as the server's user"));
        // Below a file nothing can be looked for, whoever asks.
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = is_file(&file.path().join("data/falconer.sqlite")).unwrap_err().to_string();
        assert!(error.contains("is this run as the server's user?"), "{error}");
        let error = is_file(&file.path().join("falconer.sqlite")).unwrap_err().to_string();
        assert!(error.ends_with("is a file: a data directory is a folder"), "{error}");
    }
}
