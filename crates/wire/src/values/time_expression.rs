//! Time expressions such as `1 day 2 hours`, `-15 min`, `3mo` (all cases of `vectors/time-expressions.json`).
//!
//! ```text
//! [+|-] [n years] [n months] [n weeks] [n days] [n hours] [n minutes] [n seconds]
//! ```
//! White space is free, letter case does not matter, each unit comes at most once and in this order. A year is 365 days, a month 30 days.

/// Why an expression has no instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeExpressionError {
    /// Not of the form above.
    #[error("String: '{0}' isn't a time expression")]
    Malformed(String),
    /// Beyond the instants that a date can have (100 million days around the epoch).
    #[error("Invalid Date")]
    OutOfRange,
}

/// The widest instant that JavaScript dates have, in milliseconds on both sides of the epoch.
const WIDEST_MS: i64 = 8_640_000_000_000_000;

/// Units in their order: names, and seconds.
const UNITS: &[(&[&str], i64)] = &[
    (&["y", "yr", "year", "years"], 365 * 86_400),
    (&["mo", "month", "months"], 30 * 86_400),
    (&["w", "wk", "week", "weeks"], 7 * 86_400),
    (&["d", "day", "days"], 86_400),
    (&["h", "hr", "hour", "hours"], 3600),
    (&["m", "min", "minute", "minutes"], 60),
    (&["s", "sec", "second", "seconds"], 1),
];

/// Milliseconds that an expression means, negative with a leading `-`.
pub fn parse_ms(expression: &str) -> Result<i64, TimeExpressionError> {
    let malformed = || TimeExpressionError::Malformed(expression.to_owned());
    let text = expression.trim();
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut units = UNITS.iter();
    let mut seconds: i64 = 0;
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            return seconds.checked_mul(1000 * sign).ok_or(TimeExpressionError::OutOfRange);
        }
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (word, after) = split(after.trim_start(), |c| c.is_ascii_alphabetic());
        if number.is_empty() {
            return Err(malformed());
        }
        let word = word.to_ascii_lowercase();
        let (_, length) = units.find(|(names, _)| names.contains(&word.as_str())).ok_or_else(malformed)?;
        let number: i64 = number.parse().map_err(|_| TimeExpressionError::OutOfRange)?;
        seconds = number.checked_mul(*length).and_then(|n| seconds.checked_add(n)).ok_or(TimeExpressionError::OutOfRange)?;
        rest = after;
    }
}

/// The instant that lies that far from `reference_ms`; both in milliseconds since the epoch.
pub fn from_ms(expression: &str, reference_ms: i64) -> Result<i64, TimeExpressionError> {
    let ms = reference_ms.checked_add(parse_ms(expression)?).ok_or(TimeExpressionError::OutOfRange)?;
    if (-WIDEST_MS..=WIDEST_MS).contains(&ms) { Ok(ms) } else { Err(TimeExpressionError::OutOfRange) }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_overflows() {
        for expression in
            ["9223372036854775807 s", "9223372036854776 s", "99999999999999999999 d", "9007199254740993 years", "-9223372036854776 s"]
        {
            assert_eq!(parse_ms(expression), Err(TimeExpressionError::OutOfRange), "{expression}");
        }
    }
}
