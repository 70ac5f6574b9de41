//! A clock that the test moves, and randomness that counts.
#![allow(dead_code, clippy::indexing_slicing)]

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use falconer_auth::{Clock, Random};

pub struct FixedClock(AtomicI64);

impl FixedClock {
    pub fn at(now_ms: i64) -> FixedClock {
        FixedClock(AtomicI64::new(now_ms))
    }

    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> i64 {
        self.now_ms()
    }
}

/// Bytes that are never the same twice, and the same in every run.
#[derive(Default)]
pub struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::SeqCst).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let n = (n ^ (n >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            chunk.copy_from_slice(&n.to_le_bytes()[..chunk.len()]);
        }
    }
}
