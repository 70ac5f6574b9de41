//! Sealing of secrets at rest: XChaCha20-Poly1305 under one of several keys.
//!
//! A sealed value is
//!
//! ```text
//! version (1 byte, 1) | length of the key id (1 byte) | key id | nonce (24 bytes) | ciphertext and tag (16 bytes longer than the text)
//! ```
//!
//! and its associated data names version, table, column, row and key id, each with its length in front. So a value opens only in the place
//! that it was sealed for, and every byte of it counts.

use std::collections::BTreeMap;
use std::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::KeyFileError;

const VERSION: u8 = 1;
const NONCE: usize = 24;

/// Where a sealed value lives. It opens nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table's name.
    pub table: &'a str,
    /// The column's name.
    pub column: &'a str,
    /// The row's own name, such as the clientId.
    pub row: &'a str,
}

/// Why a sealed value does not open. Holds nothing of the value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Not the shape of a sealed value, or a version that is not known.
    #[error("not a sealed value")]
    Malformed,
    /// The key file has no key of this id: an operator's mistake, or tampering.
    #[error("sealed with the key {0:?}, which the key file does not have")]
    UnknownKey(String),
    /// Changed, moved from another place, or sealed with another key of the same id.
    #[error("the sealed value was changed or moved")]
    Tampered,
}

/// One symmetric key, wiped when dropped.
#[derive(Clone)]
struct SealingKey {
    bytes: [u8; 32],
    cipher: XChaCha20Poly1305,
}

impl Drop for SealingKey {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// Keys that seal: one current, which seals, and older ones, which only open. No key in `Debug`.
#[derive(Clone)]
pub struct KeyRing {
    current: String,
    keys: BTreeMap<String, SealingKey>,
}

impl KeyRing {
    /// A ring of one key.
    pub fn from_bytes(key_id: &str, key: [u8; 32]) -> Result<KeyRing, KeyFileError> {
        let mut ring = KeyRing { current: String::new(), keys: BTreeMap::new() };
        ring.push(key_id, key)?;
        Ok(ring)
    }

    /// An empty ring, for the key file's reader only: a ring that leaves the crate has a key.
    pub(crate) fn empty() -> KeyRing {
        KeyRing { current: String::new(), keys: BTreeMap::new() }
    }

    /// Adds a key and makes it the current one. A key id is 1 to 32 of `A-Z a-z 0-9 - _`, and new.
    pub fn push(&mut self, key_id: &str, mut key: [u8; 32]) -> Result<(), KeyFileError> {
        let valid = (1..=32).contains(&key_id.len()) && key_id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if !valid {
            return Err(KeyFileError::BadKeyId);
        }
        if self.keys.contains_key(key_id) {
            return Err(KeyFileError::RepeatedKeyId(key_id.to_owned()));
        }
        self.keys.insert(key_id.to_owned(), SealingKey { bytes: key, cipher: XChaCha20Poly1305::new(&key.into()) });
        key.zeroize();
        self.current = key_id.to_owned();
        Ok(())
    }

    /// Adds a key that only opens until [`KeyRing::make_current`] names it.
    pub fn add(&mut self, key_id: &str, key: [u8; 32]) -> Result<(), KeyFileError> {
        let current = self.current.clone();
        self.push(key_id, key)?;
        self.current = current;
        Ok(())
    }

    /// Lets a key seal from now on; nothing where it is not there.
    pub fn make_current(&mut self, key_id: &str) {
        if self.keys.contains_key(key_id) {
            self.current = key_id.to_owned();
        }
    }

    /// What tells these keys from others, the one that seals last: the id of each, and what nobody can work the key out of.
    pub fn prints(&self) -> Vec<String> {
        let keys = self.keys.iter().filter(|(id, _)| **id != self.current).chain(self.keys.get_key_value(&self.current));
        keys.map(|(id, key)| {
            let print: String = derived(key, "print").iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("{id} {print}")
        })
        .collect()
    }

    /// Removes a key that only opens; nothing where it is the current one, or is not there.
    pub fn remove(&mut self, key_id: &str) {
        if key_id != self.current {
            self.keys.remove(key_id);
        }
    }

    /// Whether the key that seals in `other` is here too, the very same one.
    pub(crate) fn has_current_of(&self, other: &KeyRing) -> bool {
        let (here, there) = (self.keys.get(&other.current), other.keys.get(&other.current));
        here.zip(there).is_some_and(|(here, there)| bool::from(here.bytes.ct_eq(&there.bytes)))
    }

    /// The id of the key that seals.
    pub fn current_key_id(&self) -> &str {
        &self.current
    }

    /// The ids of all keys, sorted.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// Key ids and keys with the current one last, as a key file has them.
    pub(crate) fn in_file_order(&self) -> impl Iterator<Item = (&str, &[u8; 32])> {
        let older = self.keys.iter().filter(|(id, _)| **id != self.current);
        let current = self.keys.get_key_value(&self.current);
        older.chain(current).map(|(id, key)| (id.as_str(), &key.bytes))
    }

    /// Seals a value for a place. The nonce must be 24 random bytes, new for each call.
    pub fn seal(&self, place: &Place<'_>, plain: &[u8], nonce: [u8; 24]) -> Result<Vec<u8>, OpenError> {
        let key = self.keys.get(&self.current).ok_or_else(|| OpenError::UnknownKey(self.current.clone()))?;
        let aad = associated_data(place, &self.current);
        let body = key.cipher.encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad }).map_err(|_| OpenError::Malformed)?;
        let mut sealed = Vec::with_capacity(2 + self.current.len() + NONCE + body.len());
        sealed.push(VERSION);
        sealed.push(self.current.len().try_into().map_err(|_| OpenError::Malformed)?);
        sealed.extend_from_slice(self.current.as_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what [`KeyRing::seal`] sealed for the same place.
    pub fn open(&self, place: &Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (key_id, rest) = split_key_id(sealed).ok_or(OpenError::Malformed)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE>().ok_or(OpenError::Malformed)?;
        let key = self.keys.get(key_id).ok_or_else(|| OpenError::UnknownKey(key_id.to_owned()))?;
        let aad = associated_data(place, key_id);
        let plain = key.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: &aad });
        plain.map(Zeroizing::new).map_err(|_| OpenError::Tampered)
    }

    /// A key of its own for another purpose, the same on every node that has this ring. It is another one once another key seals.
    pub fn derive(&self, purpose: &str) -> Option<Zeroizing<[u8; 32]>> {
        self.keys.get(&self.current).map(|key| derived(key, purpose))
    }

    /// The same of each key, of the current one first: what was made before another key seals counts until the one before is removed.
    pub fn derive_each(&self, purpose: &str) -> Vec<Zeroizing<[u8; 32]>> {
        let current = self.keys.get(&self.current);
        let others = self.keys.iter().filter(|(id, _)| **id != self.current).map(|(_, key)| key);
        current.into_iter().chain(others).map(|key| derived(key, purpose)).collect()
    }

    /// The id of the key that a value says it was sealed with; nothing when it is not a sealed value. Not authenticated.
    pub fn key_id_of(sealed: &[u8]) -> Option<&str> {
        split_key_id(sealed).map(|(key_id, _)| key_id)
    }

    /// What every value of the current key begins with: version, length, key id.
    pub fn current_prefix(&self) -> Vec<u8> {
        let mut prefix = vec![VERSION, self.current.len() as u8];
        prefix.extend_from_slice(self.current.as_bytes());
        prefix
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("current", &self.current).field("keys", &self.keys.len()).finish()
    }
}

fn derived(key: &SealingKey, purpose: &str) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha256::new();
    hash.update(b"falconer derived key\n");
    hash.update((purpose.len() as u64).to_le_bytes());
    hash.update(purpose.as_bytes());
    hash.update(key.bytes);
    Zeroizing::new(hash.finalize().into())
}

fn split_key_id(sealed: &[u8]) -> Option<(&str, &[u8])> {
    let (&[version, length], rest) = sealed.split_first_chunk::<2>()?;
    if version != VERSION {
        return None;
    }
    let (key_id, rest) = rest.split_at_checked(usize::from(length))?;
    Some((std::str::from_utf8(key_id).ok()?, rest))
}

fn associated_data(place: &Place<'_>, key_id: &str) -> Vec<u8> {
    let mut aad = Vec::with_capacity(64 + place.row.len());
    aad.push(VERSION);
    for part in [place.table, place.column, place.row, key_id] {
        // The length in front keeps ("ab", "c") and ("a", "bc") apart.
        aad.extend_from_slice(&(part.len() as u64).to_le_bytes());
        aad.extend_from_slice(part.as_bytes());
    }
    aad
}

#[cfg(test)]
mod tests;
