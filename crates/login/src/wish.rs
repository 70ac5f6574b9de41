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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn every_vector_holds() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/time-expressions.json");
        let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let ms = |text: &Value| text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
        for case in &cases {
            let (input, expected) = (&case["input"], &case["expected"]);
            let result = parse_ms(input["expression"].as_str().unwrap());
            match expected.get("result") {
                // Beyond what a date can be: a wish that long is cut to the maximum like any other.
                Some(end) if end == "Invalid Date" => {
                    assert!(result.is_none_or(|ms| ms > 8_000_000_000_000_000), "{}", case["name"]);
                }
                Some(end) => assert_eq!(result, Some(ms(end) - ms(&input["reference"])), "{}", case["name"]),
                None => assert_eq!(result, None, "{}", case["name"]),
            }
        }
        assert_eq!(cases.len(), 54);
    }

    #[test]
    fn nothing_overflows() {
        for expression in ["9223372036854775807 s", "9223372036854776 s", "99999999999999999999 d", "9007199254740993 years"] {
            assert_eq!(parse_ms(expression), None, "{expression}");
        }
    }
}
