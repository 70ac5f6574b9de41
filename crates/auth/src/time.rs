//! Time and randomness as arguments.
//!
//! Nothing in Falconer below the binary reads a clock or draws random bytes by itself: tests bring their own.

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_ms(&self) -> i64;
    /// Milliseconds since some moment of before, by a clock that nobody sets: for lengths of time.
    fn steady_ms(&self) -> i64;
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
/// A thousand years of 365 days: how long static clients live, counted from when they were made.
pub const MILLENNIUM_MS: i64 = 1_000 * 365 * DAY_MS;

/// A length of time for a person: the largest unit that it has, and the next one.
pub(crate) fn in_words(ms: i64) -> String {
    let units = [(DAY_MS, "day"), (HOUR_MS, "hour"), (MINUTE_MS, "minute"), (SECOND_MS, "second")];
    let words = |(unit_ms, name): (i64, &str), ms: i64| match ms / unit_ms {
        0 => None,
        1 => Some(format!("1 {name}")),
        count => Some(format!("{count} {name}s")),
    };
    let Some(first) = units.iter().position(|(unit_ms, _)| ms >= *unit_ms) else { return "less than a second".to_owned() };
    let mut rest = ms;
    let mut said = Vec::new();
    for unit in units.iter().skip(first).take(2) {
        said.extend(words(*unit, rest));
        rest %= unit.0;
    }
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_told_in_two_units() {
        for (ms, expected) in [
            (0, "less than a second"),
            (SECOND_MS, "1 second"),
            (MINUTE_MS + 999, "1 minute"),
            (HOUR_MS + 2 * MINUTE_MS + SECOND_MS, "1 hour 2 minutes"),
            (400 * DAY_MS + SECOND_MS, "400 days"),
        ] {
            assert_eq!(in_words(ms), expected);
        }
    }
}
