//! A clock and randomness that belong to the test.
#![allow(dead_code)]

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use falconer_auth::{Clock, Random};

/// A clock that the test moves.
pub struct TestClock(pub AtomicI64);

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> i64 {
        self.now_ms()
    }
}

/// Bytes that never repeat within a test, and are the same in every run.
pub struct TestRandom(AtomicU64);

impl TestRandom {
    pub fn new() -> TestRandom {
        TestRandom::from(1)
    }

    /// Others than from any other number.
    pub fn from(seed: u64) -> TestRandom {
        TestRandom(AtomicU64::new(seed))
    }
}

impl Random for TestRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            // splitmix64
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            *byte = (z >> 56) as u8;
        }
    }
}
