//! Sealing and opening of secret columns, for backends.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroize as _;

use crate::{Damaged, KeyRing, OpenError, Place, Result, SealedKind, Secret, StoreError};

/// Fills a buffer with random bytes fit for cryptography.
pub type Randomness = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Reads the key file again; or says why that failed, for people.
pub type KeySource = Arc<dyn Fn() -> std::result::Result<KeyRing, String> + Send + Sync>;

/// What came of reading the keys again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// The key that seals is the one of before.
    Same,
    /// The key of this id seals from now on.
    NewCurrent(String),
    /// The keys of before are kept: why, for people.
    Refused(String),
    /// Values were met that these keys have sealed, and the keys have come since: what was read before has to be read again.
    Come(Vec<String>),
    /// Values were met that these keys have sealed, and the key file does not have them.
    Missing(Vec<String>),
}

/// The keys of the moment and the source of nonces.
pub struct Sealer {
    keys: RwLock<Arc<KeyRing>>,
    random: Randomness,
    source: OnceLock<KeySource>,
    /// The ids of keys that values were sealed with and that were not there.
    met: Mutex<BTreeSet<String>>,
    /// Those of them for which the file was read since the keys were refreshed: it is not read once more for each row that such a key has sealed.
    looked_for: Mutex<BTreeSet<String>>,
}

impl Sealer {
    /// These keys, with nonces of this source.
    pub fn new(keys: KeyRing, random: Randomness) -> Sealer {
        Sealer { keys: RwLock::new(Arc::new(keys)), random, source: OnceLock::new(), met: Mutex::default(), looked_for: Mutex::default() }
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

    /// Reads the keys again. Keys without the one that seals until now are another installation's, and are not taken.
    ///
    /// That keys have come which were missing is said once, and that some are missing each time.
    pub fn refresh_keys(&self) -> Refreshed {
        self.looked_for.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let refreshed = self.read_keys_again();
        if refreshed != Refreshed::Same {
            return refreshed;
        }
        let keys = self.keys();
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let (come, missing): (BTreeSet<String>, BTreeSet<String>) =
            std::mem::take(&mut *met).into_iter().partition(|met| keys.key_ids().any(|key_id| key_id == met));
        met.clone_from(&missing);
        match (come.is_empty(), missing.is_empty()) {
            (false, _) => Refreshed::Come(come.into_iter().collect()),
            (true, false) => Refreshed::Missing(missing.into_iter().collect()),
            (true, true) => Refreshed::Same,
        }
    }

    /// Reads the file for a key that a value was sealed with, unless that was done since the keys were refreshed. Whoever opens others meanwhile waits for it.
    fn look_for(&self, key_id: &str) {
        let mut looked_for = self.looked_for.lock().unwrap_or_else(PoisonError::into_inner);
        if self.source.get().is_some() && looked_for.insert(key_id.to_owned()) {
            self.read_keys_again();
        }
    }

    fn read_keys_again(&self) -> Refreshed {
        let Some(source) = self.source.get() else { return Refreshed::Same };
        let fresh = match source() {
            Ok(fresh) => fresh,
            Err(why) => return Refreshed::Refused(why),
        };
        let before = self.keys();
        if !fresh.has_current_of(&before) {
            return Refreshed::Refused(format!("the key file does not have the key {}, which seals until now", before.current_key_id()));
        }
        let is_new = fresh.current_key_id() != before.current_key_id();
        let refreshed = if is_new { Refreshed::NewCurrent(fresh.current_key_id().to_owned()) } else { Refreshed::Same };
        if is_new || !fresh.key_ids().eq(before.key_ids()) {
            self.use_keys(fresh);
        }
        refreshed
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

    /// Seals a text for its place; `None` where it stands for one that did not open: what is stored there stays.
    pub fn seal_known(&self, place: &Place<'_>, secret: &Secret) -> Result<Option<Vec<u8>>> {
        (!secret.is_of_nobody()).then(|| self.seal(place, secret.expose())).transpose()
    }

    /// Opens the value of a row, or says which row it is and why it does not open. `keys` are the ones at hand, for those who open many.
    pub fn open_row(&self, keys: &KeyRing, kind: SealedKind, id: &str, sealed: &[u8]) -> std::result::Result<String, Damaged> {
        let opened = keys.open(&kind.place(id), sealed).or_else(|error| {
            // The key may have come into the file after this ring was read.
            let OpenError::UnknownKey(key_id) = &error else { return Err(error) };
            self.look_for(key_id);
            self.keys().open(&kind.place(id), sealed)
        });
        if let Err(OpenError::UnknownKey(key_id)) = &opened {
            self.met.lock().unwrap_or_else(PoisonError::into_inner).insert(key_id.clone());
        }
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
        let mut text = URL_SAFE_NO_PAD.encode(bytes);
        let token = Secret::of_nobody(&text);
        bytes.zeroize();
        text.zeroize();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(keys: &[(&str, u8)]) -> KeyRing {
        let mut ring = KeyRing::empty();
        keys.iter().for_each(|(id, byte)| ring.push(id, [*byte; 32]).unwrap());
        ring
    }

    fn refreshed(before: &[(&str, u8)], after: std::result::Result<&[(&str, u8)], &str>) -> (Refreshed, String) {
        let sealer = Sealer::new(ring(before), Arc::new(|_: &mut [u8]| ()));
        let fresh = after.map(ring).map_err(str::to_owned);
        sealer.read_keys_with(Arc::new(move || fresh.clone()));
        (sealer.refresh_keys(), sealer.keys().current_key_id().to_owned())
    }

    /// A running server took no new key before a restart, and must not take those of another installation.
    #[test]
    fn a_new_key_seals_where_the_one_before_still_opens() {
        let new = |key_id: &str| (Refreshed::NewCurrent(key_id.to_owned()), key_id.to_owned());
        assert_eq!(refreshed(&[("k1", 1)], Ok(&[("k1", 1), ("k2", 2)])), new("k2"));
        let same = (Refreshed::Same, "k2".to_owned());
        assert_eq!(refreshed(&[("k1", 1), ("k2", 2)], Ok(&[("k2", 2)])), same, "an older one was removed");
    }

    /// A server that could not read the key file went on with the key of before, and said nothing until it was removed and its values lost.
    #[test]
    fn keys_that_are_not_taken_are_told() {
        let refused = |after, why: &str| {
            let (refreshed, current) = refreshed(&[("k1", 1)], after);
            assert!(matches!(&refreshed, Refreshed::Refused(told) if told.contains(why)), "{refreshed:?}");
            assert_eq!(current, "k1");
        };
        refused(Ok(&[("k1", 9), ("k2", 2)]), "does not have the key k1");
        refused(Ok(&[("k2", 2)]), "does not have the key k1");
        refused(Err("permission denied"), "permission denied");
    }

    /// A record that was read while the key was missing stayed as it was when the key had come.
    #[test]
    fn that_a_missing_key_has_come_is_told_once() {
        let sealer = Sealer::new(ring(&[("k1", 1)]), Arc::new(|_: &mut [u8]| ()));
        let both = ring(&[("k2", 2), ("k1", 1)]);
        let (file, keys) = (Arc::new(Mutex::new(ring(&[("k1", 1)]))), ring(&[("k1", 1), ("k2", 2)]));
        let source = Arc::clone(&file);
        sealer.read_keys_with(Arc::new(move || Ok(source.lock().unwrap().clone())));
        assert_eq!(sealer.refresh_keys(), Refreshed::Same);
        let sealed = keys.seal(&SealedKind::Client.place("a"), b"token", [3; 24]).unwrap();
        assert!(sealer.open_row(&sealer.keys(), SealedKind::Client, "a", &sealed).is_err());
        for _ in 0..2 {
            assert_eq!(sealer.refresh_keys(), Refreshed::Missing(vec!["k2".to_owned()]));
        }
        // It opens, and the one of before goes on sealing.
        *file.lock().unwrap() = both;
        assert_eq!(sealer.refresh_keys(), Refreshed::Come(vec!["k2".to_owned()]));
        assert_eq!(sealer.refresh_keys(), Refreshed::Same);
    }

    #[test]
    fn a_token_of_nobody_is_known_as_one() {
        let sealer = Sealer::new(ring(&[("k1", 1)]), Arc::new(|bytes: &mut [u8]| bytes.fill(7)));
        assert!(sealer.token_of_nobody().is_of_nobody() && sealer.token_of_nobody().expose().len() > 40);
        assert!(!Secret::new("token").is_of_nobody());
    }

    #[test]
    fn a_value_of_a_key_that_came_later_opens_at_once() {
        let sealer = Sealer::new(ring(&[("k1", 1)]), Arc::new(|_: &mut [u8]| ()));
        let (both, before) = (ring(&[("k1", 1), ("k2", 2)]), sealer.keys());
        let sealed = both.seal(&SealedKind::Client.place("a"), b"token", [3; 24]).unwrap();
        assert!(sealer.open_row(&before, SealedKind::Client, "a", &sealed).is_err());
        sealer.read_keys_with(Arc::new(move || Ok(both.clone())));
        assert_eq!(sealer.open_row(&before, SealedKind::Client, "a", &sealed).as_deref(), Ok("token"));
    }

    /// Story: a hundred thousand rows that a missing key had sealed were as many readings of the file, in the transaction that loads everything.
    #[test]
    fn the_file_is_read_once_for_all_rows_of_a_missing_key() {
        let all = ring(&[("k1", 1), ("k2", 2), ("k3", 3)]);
        let sealed_by = |key_id: &str| {
            let mut keys = all.clone();
            keys.make_current(key_id);
            keys.seal(&SealedKind::Client.place("a"), b"token", [3; 24]).unwrap()
        };
        let sealer = Sealer::new(ring(&[("k1", 1)]), Arc::new(|_: &mut [u8]| ()));
        let (file, readings) = (Arc::new(Mutex::new(ring(&[("k1", 1)]))), Arc::new(Mutex::new(0)));
        let (source, count) = (Arc::clone(&file), Arc::clone(&readings));
        sealer.read_keys_with(Arc::new(move || {
            *count.lock().unwrap() += 1;
            Ok(source.lock().unwrap().clone())
        }));
        let open = |key_id: &str| sealer.open_row(&sealer.keys(), SealedKind::Client, "a", &sealed_by(key_id)).is_ok();
        // From several threads, as where many rows are opened.
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..500).for_each(|at| assert!(!open(if at % 2 == 0 { "k2" } else { "k3" }))));
            }
        });
        assert_eq!(*readings.lock().unwrap(), 2, "once for each key");
        assert!(matches!(sealer.refresh_keys(), Refreshed::Missing(missing) if missing == ["k2", "k3"]));
        *file.lock().unwrap() = ring(&[("k2", 2), ("k1", 1)]);
        assert!(open("k2"), "which has come, so that it opens at once");
        assert_eq!(*readings.lock().unwrap(), 4);
    }
}
