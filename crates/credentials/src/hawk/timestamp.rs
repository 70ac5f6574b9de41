//! The two ways in which the protocol writes a time: `ts` of a header and `exp` of a bewit, in seconds, as text.

use crate::key::mac::Key;

/// How far a header's `ts` may be from the server's clock, in milliseconds, in both directions.
pub const SKEW_MS: i64 = 900_000;

/// The `tsm` primitive of Hawk: HMAC-SHA256 over the server's time in seconds, in base64. Nothing on the wire carries it (the reference drops
/// it), it is here for completeness and its vectors.
pub fn mac(ts_seconds: i64, key: &str) -> String {
    let mac = Key::new(key.as_bytes()).mac(|text| {
        text.push("hawk.1.ts\n");
        text.push_number(ts_seconds);
        text.push("\n");
    });
    mac.text()
}

/// Whether a header's `ts` is within 15 minutes of the clock. The text is a decimal number as JavaScript reads it (`" 12 "`, `1.5`, `1e9`);
/// anything else, and whatever is not finite, is stale.
pub(crate) fn is_fresh(ts: &str, now_ms: i64) -> bool {
    // Doubles, as the reference computes: the same texts are fresh at the same millisecond. NaN compares false and is stale.
    decimal(ts).is_some_and(|ts| (ts * 1000.0 - now_ms as f64).abs() <= SKEW_MS as f64)
}

/// Whether a bewit's `exp` lies after the clock. Only the leading integer counts (`parseInt`); without one it is over.
pub(crate) fn is_before(now_ms: i64, exp: &str) -> bool {
    // Exact where JavaScript rounds, beyond 2^53 ms: nothing that is over is accepted at any clock.
    leading_integer(exp).is_some_and(|exp| exp.saturating_mul(1000) > i128::from(now_ms))
}

fn decimal(text: &str) -> Option<f64> {
    let text = text.trim_matches(' ');
    // Rust also reads words (`inf`, `nan`); everything else that it accepts, JavaScript accepts too. Infinity by size (`1e999`) is refused.
    let plain = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if plain { text.parse().ok().filter(|number: &f64| number.is_finite()) } else { None }
}

/// The integer that the text begins with; beyond the type's range the type's largest.
fn leading_integer(text: &str) -> Option<i128> {
    let text = text.trim_start_matches(crate::hawk::header::is_space);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut number: Option<i128> = None;
    for byte in digits.bytes().take_while(u8::is_ascii_digit) {
        number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(i128::from(byte - b'0')));
    }
    number.map(|number| sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_decimal_numbers_are_fresh() {
        for text in ["100", " 100 ", "1e2", "100.", "0100", "+100", "1000e-1"] {
            assert!(is_fresh(text, 100_000), "{text}");
        }
        for text in ["NaN", "nan", "inf", "Infinity", "0x64", "1e999", "-1e999", "", " ", "e", "1e", "100 0", "1_00", "٣"] {
            assert!(!is_fresh(text, 100_000), "{text}");
        }
    }

    #[test]
    fn only_a_leading_integer_is_an_expiry() {
        for text in ["101", " \n101", "+101", "101x", "101.9", "9e0 is nine"] {
            assert_eq!(is_before(100_000, text), text != "9e0 is nine", "{text}");
        }
        for text in ["", "x", "NaN", "Infinity", "-101", "+-101", "- 101", "0x65", "100", "99"] {
            assert!(!is_before(100_000, text), "{text}");
        }
    }
}
