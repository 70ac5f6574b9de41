//! Instants on the wire.
//!
//! Input: `YYYY-MM-DD`, then `T`, `t` or a space, `HH:MM:SS` with an optional fraction, and a zone `Z`, `z`, `±HH:MM`, `±HHMM`, or none (UTC). Output:
//! `YYYY-MM-DDTHH:MM:SS.mmmZ`. Calendar arithmetic is done here, in integers, because the range is years 0 to 9999 to the last microsecond.
//!
//! Refused although the reference's schema lets them through (it then answers 500): leap seconds and zones of the form `±HH`.

const MICROS: i64 = 1_000_000;

/// First representable instant, `0000-01-01T00:00:00Z`, in microseconds since the epoch.
const FIRST_US: i64 = -62_167_219_200 * MICROS;
/// Last one, `9999-12-31T23:59:59.999999Z`.
const LAST_US: i64 = 253_402_300_800 * MICROS - 1;

/// Microseconds since the epoch of an input date-time, or `None` where it is none. A finer fraction is cut.
pub fn parse_us(text: &str) -> Option<i64> {
    let b = text.as_bytes();
    let year = digits(b.get(0..4)?)?;
    let month = digits(b.get(5..7)?)?;
    let day = digits(b.get(8..10)?)?;
    let hour = digits(b.get(11..13)?)?;
    let minute = digits(b.get(14..16)?)?;
    let second = digits(b.get(17..19)?)?;
    let separators = [*b.get(4)?, *b.get(7)?, *b.get(13)?, *b.get(16)?];
    if separators != *b"--::" || !matches!(b.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction_us, zone) = fraction(b.get(19..)?)?;
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset_seconds(zone)?;
    let us = seconds * MICROS + fraction_us;
    (FIRST_US..=LAST_US).contains(&us).then_some(us)
}

/// Milliseconds since the epoch of an input date-time; microseconds are cut.
pub fn parse_ms(text: &str) -> Option<i64> {
    parse_us(text).map(|us| us.div_euclid(1000))
}

/// `YYYY-MM-DDTHH:MM:SS.mmmZ`. Instants outside the years 0 to 9999 are shown as the nearest end.
pub fn format_ms(ms: i64) -> String {
    let mut text = String::with_capacity(MILLIS_LENGTH + 1);
    push(&mut text, &written(ms.saturating_mul(1000)), MILLIS_LENGTH);
    text
}

/// Adds `YYYY-MM-DDTHH:MM:SS.mmmuuuZ`, with the same ends.
pub fn push_us(text: &mut String, us: i64) {
    push(text, &written(us), MICROS_LENGTH);
}

/// How long an instant is to the millisecond and to the microsecond, without the `Z`.
const MILLIS_LENGTH: usize = 23;
const MICROS_LENGTH: usize = 26;

fn push(text: &mut String, written: &[u8; MICROS_LENGTH], length: usize) {
    text.push_str(written.get(..length).and_then(|written| std::str::from_utf8(written).ok()).unwrap_or_default());
    text.push('Z');
}

/// Every answer has such an instant, and every line of the log: two digits at a time take a small part of what formatting does.
fn written(us: i64) -> [u8; MICROS_LENGTH] {
    let us = us.clamp(FIRST_US, LAST_US);
    let (seconds, micros) = (us.div_euclid(MICROS), us.rem_euclid(MICROS) as u32);
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    let in_day = seconds.rem_euclid(86_400) as u32;
    let two = |number: u32| [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
    let ([y1, y2], [y3, y4]) = (two(year as u32 / 100), two(year as u32 % 100));
    let ([n1, n2], [d1, d2]) = (two(month as u32), two(day as u32));
    let ([h1, h2], [m1, m2], [s1, s2]) = (two(in_day / 3600), two(in_day / 60 % 60), two(in_day % 60));
    let ([f1, f2], [f3, f4], [f5, f6]) = (two(micros / 10_000), two(micros / 100 % 100), two(micros % 100));
    [y1, y2, y3, y4, b'-', n1, n2, b'-', d1, d2, b'T', h1, h2, b':', m1, m2, b':', s1, s2, b'.', f1, f2, f3, f4, f5, f6]
}

fn digits(b: &[u8]) -> Option<i64> {
    b.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

/// Microseconds of an optional `.digits`, and what follows.
fn fraction(rest: &[u8]) -> Option<(i64, &[u8])> {
    let Some(after) = rest.strip_prefix(b".") else {
        return Some((0, rest));
    };
    let length = after.iter().take_while(|b| b.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let micros = after.iter().take(length).chain(std::iter::repeat(&b'0')).take(6).fold(0, |n, b| n * 10 + i64::from(b - b'0'));
    Some((micros, after.get(length..)?))
}

fn offset_seconds(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = match zone {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest {
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// The two civil conversions are Howard Hinnant's, "chrono-Compatible Low-Level Date Algorithms": days since 1970-01-01 in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(text: &str) -> Option<String> {
        parse_ms(text).map(format_ms)
    }

    #[test]
    fn accepted_forms() {
        for (text, shown) in [
            ("2030-01-02T03:04:05.678Z", "2030-01-02T03:04:05.678Z"),
            ("2030-01-02T03:04:05+02:00", "2030-01-02T01:04:05.000Z"),
            ("2030-01-02T03:04:05-0230", "2030-01-02T05:34:05.000Z"),
            ("2030-01-02T03:04:05.123456Z", "2030-01-02T03:04:05.123Z"),
            ("2030-01-02T03:04:05.1Z", "2030-01-02T03:04:05.100Z"),
            ("2030-01-02T03:04:05", "2030-01-02T03:04:05.000Z"),
            ("2030-01-02 03:04:05z", "2030-01-02T03:04:05.000Z"),
            ("2030-01-02t03:04:05z", "2030-01-02T03:04:05.000Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000Z"),
            ("9999-12-31T23:59:59.999999999999Z", "9999-12-31T23:59:59.999Z"),
            ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(round(text).as_deref(), Some(shown), "{text}");
        }
        assert_eq!(parse_us("1970-01-01T00:00:00.0000019Z"), Some(1));
    }

    #[test]
    fn refused_forms() {
        for text in [
            "",
            "2030-01-02",
            "2030-01-02T24:00:00Z",
            "2030-01-02T23:59:60Z",
            "2030-12-31T23:59:60Z",
            "2030-01-02T03:04:05+02",
            "2030-01-02T03:04:05.Z",
            "2030-02-29T00:00:00Z",
            "2030-13-01T00:00:00Z",
            "2030-00-01T00:00:00Z",
            "2030-01-00T00:00:00Z",
            "2030-01-02T03:04Z",
            "2030-01-02T03:04:05ZZ",
            "2030-01-02T03:04:05+24:00",
            "2030-01-02T03:04:05+02:60",
            " 2030-01-02T03:04:05Z",
            "+2030-01-02T03:04:05Z",
            "12030-01-02T03:04:05Z",
            "2030-01-02X03:04:05Z",
            "2030-01-0\u{e9}T03:04:05Z",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00+00:01",
        ] {
            assert_eq!(parse_us(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_goes_there_and_back() {
        for day in (FIRST_US / MICROS / 86_400)..=(LAST_US / MICROS / 86_400) {
            let (y, m, d) = civil_from_days(day);
            assert_eq!(days_from_civil(y, m, d), day);
        }
    }
}
