//! Signed requests that have changed something, for as long as their signatures hold: the protocol accepts the same one again for 15 minutes.

use std::collections::HashSet;
use std::mem;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A signature may be 15 minutes ahead, and then holds for 30.
pub(crate) const LIFETIME_MS: i64 = 30 * 60 * 1000;

/// Of this many, and as many older ones, is known that they were used. About 20 MB at most.
const MOST: usize = 200_000;

/// Remembers signatures. The older half is forgotten when the younger one is full or old enough.
#[derive(Default)]
pub(crate) struct Replays(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    younger: HashSet<[u8; 32]>,
    older: HashSet<[u8; 32]>,
    since_ms: i64,
}

impl Replays {
    /// Whether a signature with this MAC, which is right, comes for the first time.
    pub(crate) fn first_use(&self, mac: &[u8; 32], now_ms: i64) -> bool {
        self.first_of(mac, now_ms, MOST)
    }

    fn first_of(&self, mac: &[u8; 32], now_ms: i64, most: usize) -> bool {
        let key = key(mac);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.younger.len() >= most || now_ms.saturating_sub(seen.since_ms) >= LIFETIME_MS {
            seen.older = mem::take(&mut seen.younger);
            seen.since_ms = now_ms;
        }
        !seen.older.contains(&key) && seen.younger.insert(key)
    }
}

/// What a signature is called where all servers remember it together.
pub(crate) fn name(mac: &[u8; 32]) -> String {
    format!("replay/{}", STANDARD_NO_PAD.encode(key(mac)))
}

/// Not the MAC itself, so that nothing that signs a request is in memory or in the database. It is the MAC as it was verified, since a header can be written in
/// many ways, and a look at its text finds other things than its reader.
fn key(mac: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(mac).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_ends_with_the_signature_and_is_bounded() {
        let replays = Replays::default();
        assert!(replays.first_of(&[1; 32], LIFETIME_MS, 2));
        assert!(!replays.first_of(&[1; 32], 2 * LIFETIME_MS - 1, 2));
        assert!(!replays.first_of(&[1; 32], 2 * LIFETIME_MS, 2), "the older half is still known");
        assert!(replays.first_of(&[1; 32], 3 * LIFETIME_MS, 2));
        for number in 2..10 {
            assert!(replays.first_of(&[number; 32], 3 * LIFETIME_MS, 2));
        }
        let seen = replays.0.lock().unwrap();
        assert!(seen.younger.len() <= 2 && seen.older.len() <= 2);
    }
}
