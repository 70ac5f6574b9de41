//! Sealing and opening of secret columns, for backends.

use std::sync::{Arc, PoisonError, RwLock};

use zeroize::Zeroize as _;

use crate::{KeyRing, Place, Result, StoreError};

/// Fills a buffer with random bytes fit for cryptography.
pub type Randomness = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The keys of the moment and the source of nonces.
pub struct Sealer {
    keys: RwLock<Arc<KeyRing>>,
    random: Randomness,
}

impl Sealer {
    /// These keys, with nonces of this source.
    pub fn new(keys: KeyRing, random: Randomness) -> Sealer {
        Sealer { keys: RwLock::new(Arc::new(keys)), random }
    }

    /// The keys of the moment.
    pub fn keys(&self) -> Arc<KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on these keys. What is sealed stays as it is.
    pub fn use_keys(&self, keys: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Random bytes of the source of nonces.
    pub fn draw<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    /// Seals a text for its place.
    pub fn seal(&self, place: &Place<'_>, plain: &str) -> Result<Vec<u8>> {
        self.keys().seal(place, plain.as_bytes(), self.draw()).map_err(|error| corrupt(place, &error.to_string()))
    }

    /// Opens what was sealed for this place. Errors: [`StoreError::Corrupt`].
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<String> {
        open_with(&self.keys(), place, sealed)
    }
}

/// Opens with a ring that is at hand, for those who open many.
pub fn open_with(keys: &KeyRing, place: &Place<'_>, sealed: &[u8]) -> Result<String> {
    let mut plain = keys.open(place, sealed).map_err(|error| corrupt(place, &error.to_string()))?;
    String::from_utf8(std::mem::take(&mut *plain)).map_err(|error| {
        error.into_bytes().zeroize();
        corrupt(place, "the secret is not text")
    })
}

fn corrupt(place: &Place<'_>, why: &str) -> StoreError {
    StoreError::Corrupt(format!("{}.{} of {:?}: {why}", place.table, place.column, place.row))
}
