//! Sealing and opening of secret columns, for backends.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroize as _;

use crate::{Damaged, KeyRing, OpenError, Place, Result, SealedKind, Secret, StoreError};

/// Fills a buffer with random bytes fit for cryptography.
pub type Randomness = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Reads the key file again; nothing where that fails.
pub type KeySource = Arc<dyn Fn() -> Option<KeyRing> + Send + Sync>;

/// The keys of the moment and the source of nonces.
pub struct Sealer {
    keys: RwLock<Arc<KeyRing>>,
    random: Randomness,
    source: OnceLock<KeySource>,
}

impl Sealer {
    /// These keys, with nonces of this source.
    pub fn new(keys: KeyRing, random: Randomness) -> Sealer {
        Sealer { keys: RwLock::new(Arc::new(keys)), random, source: OnceLock::new() }
    }

    /// The keys of the moment.
    pub fn keys(&self) -> Arc<KeyRing> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on these keys. What is sealed stays as it is.
    pub fn use_keys(&self, keys: KeyRing) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// Where the keys can be read again. Only the first source counts.
    pub fn read_keys_with(&self, source: KeySource) {
        let _ = self.source.set(source);
    }

    /// Reads the keys again; answers the id of the key that seals from now on, where that is another one.
    pub fn refresh_keys(&self) -> Option<String> {
        let fresh = self.source.get()?()?;
        let before = self.keys();
        let is_new = fresh.current_key_id() != before.current_key_id();
        let current = is_new.then(|| fresh.current_key_id().to_owned());
        if is_new || !fresh.key_ids().eq(before.key_ids()) {
            self.use_keys(fresh);
        }
        current
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

    /// Opens the value of a row, or says which row it is and why it does not open. `keys` are the ones at hand, for those who open many.
    pub fn open_row(&self, keys: &KeyRing, kind: SealedKind, id: &str, sealed: &[u8]) -> std::result::Result<String, Damaged> {
        let opened = keys.open(&kind.place(id), sealed).or_else(|error| {
            // The key may have come into the file after this ring was read.
            let OpenError::UnknownKey(_) = error else { return Err(error) };
            self.refresh_keys();
            self.keys().open(&kind.place(id), sealed)
        });
        let opened = opened.map_err(|error| error.to_string());
        let text = opened.and_then(|mut plain| {
            String::from_utf8(std::mem::take(&mut *plain)).map_err(|error| {
                error.into_bytes().zeroize();
                "the secret is not text".to_owned()
            })
        });
        text.map_err(|why| Damaged { kind, id: id.to_owned(), why })
    }

    /// A token in the place of one that does not open: nobody knows it, so nothing that is signed for the record is accepted.
    pub fn token_of_nobody(&self) -> Secret {
        let mut bytes: [u8; 33] = self.draw();
        let token = Secret::new(URL_SAFE_NO_PAD.encode(bytes));
        bytes.zeroize();
        token
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
