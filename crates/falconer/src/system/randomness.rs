//! The system's randomness.

use std::cell::RefCell;

use falconer_auth::Random;
use zeroize::Zeroize;

/// The system's randomness, fetched for many requests at once: a call of the system for each id of each request costs more than the id.
pub struct SystemRandom;

/// What one call of the system fetches.
const FETCH_BYTES: usize = 1024;

/// Randomness that was fetched and not given out yet. What is given out is wiped, so that no secret made of it can be read here later.
struct FetchedBytes {
    bytes: [u8; FETCH_BYTES],
    left: usize,
}

thread_local! {
    static FETCHED: RefCell<FetchedBytes> = const { RefCell::new(FetchedBytes { bytes: [0; FETCH_BYTES], left: 0 }) };
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > FETCH_BYTES {
            return fetch(bytes);
        }
        // A thread that is ending has nothing fetched any more.
        if FETCHED.try_with(|fetched| fetched.borrow_mut().copy_out(bytes)).is_err() {
            fetch(bytes);
        }
    }
}

impl FetchedBytes {
    fn copy_out(&mut self, wanted: &mut [u8]) {
        if self.left < wanted.len() {
            fetch(&mut self.bytes);
            self.left = FETCH_BYTES;
        }
        let start = self.left - wanted.len();
        if let Some(given) = self.bytes.get_mut(start..self.left) {
            wanted.copy_from_slice(given);
            given.zeroize();
        }
        self.left = start;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the edge")]
fn fetch(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        // Without randomness no secret may be made: nothing that follows would be safe.
        eprintln!("falconer: the system gives no randomness: {error}");
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_given_out_twice_and_nothing_given_out_stays() {
        let mut seen = std::collections::HashSet::new();
        for length in [16, 5, 32, 24, 700, 1024, 1025, 1] {
            for _ in 0..200 {
                let mut bytes = vec![0; length];
                SystemRandom.fill(&mut bytes);
                assert!(length < 16 || seen.insert(bytes), "{length} bytes came twice");
            }
        }
        FETCHED.with(|fetched| {
            let fetched = fetched.borrow();
            assert!(fetched.bytes[fetched.left..].iter().all(|byte| *byte == 0), "what was given out is still here");
        });
    }
}
