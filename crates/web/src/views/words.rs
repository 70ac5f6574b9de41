//! Times and numbers in words, as pages say them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;
const MANY_DAYS: i64 = 2 * YEAR;

/// A length of time exactly, as a time expression: `8 hours`, `90 minutes`.
pub fn exact_duration(ms: i64) -> String {
    let seconds = ms.div_euclid(1000);
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let (length, unit) = units.into_iter().find(|(length, _)| seconds % length == 0).unwrap_or((1, "second"));
    count(usize::try_from(seconds / length).unwrap_or_default(), unit)
}

/// How long to wait: as [`duration`], but rounded up. Whoever comes back after "1 minute" while 119 seconds are left is refused once more.
pub fn wait(seconds: u64) -> String {
    let unit = largest_unit(seconds);
    duration(seconds.div_ceil(unit).saturating_mul(unit))
}

/// `45 seconds`, `2 minutes`, `1 hour`, `3 days`, `12 years`; rounded down, at least `1 second`.
fn duration(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX).max(1);
    let (count, unit) = match seconds {
        ..MINUTE => (seconds, "second"),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        // Two years in days can still be imagined.
        DAY..MANY_DAYS => (seconds / DAY, "day"),
        _ => (seconds / YEAR, "year"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// `in 5 hours`, `in 2 minutes`, to the nearest: a day that was granted just now would else read as 23 hours. `ended` when it is over.
pub fn until(at_ms: i64, now_ms: i64) -> String {
    let left = match u64::try_from(at_ms.saturating_sub(now_ms)) {
        Ok(left) if left > 0 => left.div_ceil(1000),
        _ => return "ended".to_owned(),
    };
    let unit = largest_unit(left);
    format!("in {}", duration(left.saturating_add(unit / 2) / unit * unit))
}

/// Of days, hours, minutes and seconds the longest that is in it once.
fn largest_unit(seconds: u64) -> u64 {
    let units = [DAY, HOUR, MINUTE, 1].map(i64::unsigned_abs);
    units.into_iter().find(|unit| seconds >= *unit).unwrap_or(1)
}

/// `just now`, `4 minutes ago`, `2 days ago`.
pub fn since(at_ms: i64, now_ms: i64) -> String {
    let seconds = now_ms.saturating_sub(at_ms).max(0) / 1000;
    if seconds < MINUTE {
        return "just now".to_owned();
    }
    format!("{} ago", duration(seconds.unsigned_abs()))
}

/// `5 March 2026, 17:05 UTC`: pages know no time zone but this.
pub fn date_time(at_ms: i64) -> String {
    let Ok(at) = Timestamp::from_millisecond(at_ms) else {
        return "far in the future".to_owned();
    };
    at.to_zoned_datetime(TimeZone::UTC).strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// For `<time datetime>`: `2026-03-05T17:05:00Z`.
pub fn machine_time(at_ms: i64) -> String {
    Timestamp::from_millisecond(at_ms - at_ms.rem_euclid(1000)).map(|at| at.to_string()).unwrap_or_default()
}

/// `1 scope`, `12 scopes`.
pub fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        assert_eq!([5_400_000, 28_800_000, 2_678_400_000, 1000].map(exact_duration), ["90 minutes", "8 hours", "31 days", "1 second"]);
        assert_eq!(duration(0), "1 second");
        assert_eq!(duration(59), "59 seconds");
        assert_eq!(duration(60), "1 minute");
        assert_eq!(duration(7199), "1 hour");
        assert_eq!(duration(86_400), "1 day");
        assert_eq!(duration(729 * 86_400), "729 days");
        assert_eq!(duration(730 * 86_400), "2 years");
        assert_eq!(duration(u64::MAX), "292471208677 years");
        // Said as "1 minute" they were over before the wait was.
        assert_eq!(
            [0, 59, 61, 119, 120, 3541, 3601].map(wait),
            ["1 second", "59 seconds", "2 minutes", "2 minutes", "2 minutes", "1 hour", "2 hours"]
        );
        assert_eq!(wait(u64::MAX), "292471208677 years");
        assert_eq!(until(10_000, 0), "in 10 seconds");
        assert_eq!(until(86_400_000, 1), "in 1 day");
        assert_eq!(until(86_400_000, 1_801_000), "in 23 hours");
        assert_eq!(until(3_600_000, 1), "in 1 hour");
        assert_eq!(until(151_200_000, 0), "in 2 days");
        assert_eq!(until(1, 0), "in 1 second");
        assert_eq!(until(i64::MAX, 0), "in 292471208 years");
        assert_eq!(until(0, 0), "ended");
        assert_eq!(until(i64::MIN, 5), "ended");
        assert_eq!(since(0, 59_999), "just now");
        assert_eq!(since(0, 3_600_000), "1 hour ago");
        assert_eq!(since(10, 0), "just now");
        assert_eq!(date_time(1_772_730_300_000), "5 March 2026, 17:05 UTC");
        assert_eq!(date_time(i64::MAX), "far in the future");
        assert_eq!(machine_time(1_772_730_300_123), "2026-03-05T17:05:00Z");
        assert_eq!(count(1, "scope"), "1 scope");
        assert_eq!(count(0, "scope"), "0 scopes");
    }
}
