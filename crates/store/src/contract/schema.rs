//! Which numbered files a database has seen. Both backends ask this before they bring a schema up to this program's.

use sha2::{Digest as _, Sha256};

use crate::{Result, StoreError};

/// One numbered file.
pub struct Migration {
    /// Such as `0001_records`.
    pub name: &'static str,
    /// What it says, in the words of its backend.
    pub text: &'static str,
}

impl Migration {
    /// SHA-256 of the text in hexadecimal digits. It is kept in the database, so a file that was released is never edited.
    pub fn checksum(&self) -> String {
        Sha256::digest(self.text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A file that a database has seen: version, name, checksum.
pub type AppliedMigration = (i64, String, String);

/// Those of `known` that the database has not seen, with their versions, which count from 1. [`Corrupt`](StoreError::Corrupt) where it has seen more, or others.
pub fn missing_migrations<'m>(applied: &[AppliedMigration], known: &'m [Migration]) -> Result<Vec<(i64, &'m Migration)>> {
    if applied.len() > known.len() {
        let newest = applied.last().map(|(_, name, _)| name.as_str()).unwrap_or_default();
        return Err(StoreError::Corrupt(format!("the schema ({newest}) is newer than this program: run the newer version")));
    }
    let mut missing = Vec::new();
    for (version, migration) in (1i64..).zip(known) {
        match applied.iter().find(|(done, _, _)| *done == version) {
            Some((_, _, theirs)) if *theirs == migration.checksum() => {}
            Some((_, name, _)) => {
                return Err(StoreError::Corrupt(format!("the schema was made by another {name} than this program's {}", migration.name)));
            }
            None => missing.push((version, migration)),
        }
    }
    Ok(missing)
}
