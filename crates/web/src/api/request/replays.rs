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
    /// Whether this Authorization header, whose MAC is right, comes for the first time.
    pub(crate) fn first_use(&self, header: &str, now_ms: i64) -> bool {
        self.first_of(header, now_ms, MOST)
    }

    fn first_of(&self, header: &str, now_ms: i64, most: usize) -> bool {
        let key = key(header);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.younger.len() >= most || now_ms.saturating_sub(seen.since_ms) >= LIFETIME_MS {
            seen.older = mem::take(&mut seen.younger);
            seen.since_ms = now_ms;
        }
        !seen.older.contains(&key) && seen.younger.insert(key)
    }
}

/// What a signature is called where all servers remember it together.
pub(crate) fn name(header: &str) -> String {
    format!("replay/{}", STANDARD_NO_PAD.encode(key(header)))
}

/// What the MAC covers and makes a request different from others. The header was read before, so that each stands there once, and no value has a
/// quote in it; written in another order it is the same signature.
fn key(header: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    for name in ["id=\"", "ts=\"", "nonce=\"", "mac=\""] {
        let value = header.split_once(name).and_then(|(_, after)| after.split_once('"')).map_or("", |(value, _)| value);
        digest.update(value.as_bytes());
        digest.update([0]);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_signature_is_known_however_it_is_written() {
        let replays = Replays::default();
        assert!(replays.first_use(r#"Hawk id="a", ts="1", nonce="n", mac="m""#, 0));
        assert!(!replays.first_use(r#"Hawk mac="m",nonce="n"  , ts="1",id="a","#, 1));
        for other in
            [r#"id="b", ts="1", nonce="n", mac="m""#, r#"id="a", ts="1", nonce="o", mac="m""#, r#"id="a", ts="1", nonce="n", mac="k""#]
        {
            assert!(replays.first_use(other, 2), "{other}");
        }
    }

    #[test]
    fn what_is_kept_ends_with_the_signature_and_is_bounded() {
        let replays = Replays::default();
        assert!(replays.first_of("nonce=\"1\"", LIFETIME_MS, 2));
        assert!(!replays.first_of("nonce=\"1\"", 2 * LIFETIME_MS - 1, 2));
        assert!(!replays.first_of("nonce=\"1\"", 2 * LIFETIME_MS, 2), "the older half is still known");
        assert!(replays.first_of("nonce=\"1\"", 3 * LIFETIME_MS, 2));
        for number in 2..10 {
            assert!(replays.first_of(&format!("nonce=\"{number}\""), 3 * LIFETIME_MS, 2));
        }
        let seen = replays.0.lock().unwrap();
        assert!(seen.younger.len() <= 2 && seen.older.len() <= 2);
    }
}
