//! Ids in indexes.

use sha2::{Digest as _, Sha256};

/// The SHA-256 of an id, as the columns that end in `_hash` hold it.
pub(crate) fn of(id: &str) -> Vec<u8> {
    Sha256::digest(id.as_bytes()).to_vec()
}
