//! Time and randomness as arguments.
//!
//! Nothing in Falconer below the binary reads a clock or draws random bytes by itself: tests bring their own.

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_ms(&self) -> i64;
}

/// Draws random bytes that nobody can guess.
pub trait Random: Send + Sync {
    /// Fills all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// One second in milliseconds.
pub const SECOND_MS: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// One hour in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day of 24 hours in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// A thousand years of 365 days: how long static clients live, counted from when they were made (`auth-api.md` 8.3).
pub const MILLENNIUM_MS: i64 = 1_000 * 365 * DAY_MS;
