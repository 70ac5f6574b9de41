//! Time expressions such as `1 day` or `3 hours 30 min`: how long a site wishes that a grant last (`login.md` section 6; all cases of
//! `vectors/time-expressions.json`).
//!
//! `wire` has the same for the API; this crate stands below it and may not ask it.

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

/// The milliseconds that an expression means, negative with a leading `-`. `None`: it is none, or beyond what can be counted.
pub(crate) fn parse_ms(expression: &str) -> Option<i64> {
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
            return seconds.checked_mul(1000 * sign);
        }
        let (number, after) = split(rest, |c| c.is_ascii_digit());
        let (word, after) = split(after.trim_start(), |c| c.is_ascii_alphabetic());
        let word = word.to_ascii_lowercase();
        let (_, length) = units.find(|(names, _)| names.contains(&word.as_str()))?;
        let number: i64 = number.parse().ok()?;
        seconds = seconds.checked_add(number.checked_mul(*length)?)?;
        rest = after;
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !belongs(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}
