//! Sealing and opening of secret columns.

use std::sync::{Arc, PoisonError, RwLock};

use falconer_store::{KeyRing, Place, Result, StoreError};
use zeroize::Zeroize as _;

/// Fills a buffer with random bytes fit for cryptography.
pub type Randomness = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The keys of the moment and the source of nonces.
pub(crate) struct Sealer {
    keys: RwLock<Arc<KeyRing>>,
    random: Randomness,
}

impl Sealer {
    pub(crate) fn new(keys: KeyRing, random: Randomness) -> Sealer {
        Sealer { keys: RwLock::new(Arc::new(keys)), random }
    }

    pub(crate) fn keys(&self) -> Arc<KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn use_keys(&self, keys: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    pub(crate) fn seal(&self, place: &Place<'_>, plain: &str) -> Result<Vec<u8>> {
        let mut nonce = [0; 24];
        (self.random)(&mut nonce);
        self.keys().seal(place, plain.as_bytes(), nonce).map_err(|error| corrupt(place, &error.to_string()))
    }

    pub(crate) fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<String> {
        open_with(&self.keys(), place, sealed)
    }
}

/// Opens with a ring that is at hand, for those who open many.
pub(crate) fn open_with(keys: &KeyRing, place: &Place<'_>, sealed: &[u8]) -> Result<String> {
    let mut plain = keys.open(place, sealed).map_err(|error| corrupt(place, &error.to_string()))?;
    String::from_utf8(std::mem::take(&mut *plain)).map_err(|error| {
        error.into_bytes().zeroize();
        corrupt(place, "the secret is not text")
    })
}

fn corrupt(place: &Place<'_>, why: &str) -> StoreError {
    StoreError::Corrupt(format!("{}.{} of {:?}: {why}", place.table, place.column, place.row))
}
