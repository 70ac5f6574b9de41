//! The edge: the system's clock and randomness, which everything below gets as arguments.

use std::time::{SystemTime, UNIX_EPOCH};

use falconer_auth::{Clock, Random};

/// The system's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// The system's randomness.
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // Without randomness no secret may be made: nothing that follows would be safe.
            eprintln!("falconer: the system gives no randomness: {error}");
            std::process::abort();
        }
    }
}
