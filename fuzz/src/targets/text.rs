//! Values that travel as text: what can be read is written as it was meant.

use falconer_wire::continuation::Scheme;
use falconer_wire::{date_time, time_expression};

use super::{Outcome, magnitude, text};
use crate::site::NOW_MS;

/// Such as `1 day 2 hours`.
pub(super) fn time_expression(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let length = time_expression::parse_ms(&text);
    match time_expression::from_ms(&text, NOW_MS) {
        Ok(instant) => {
            assert_eq!(length, Ok(instant - NOW_MS));
            assert!((-8_640_000_000_000_000..=8_640_000_000_000_000).contains(&instant), "a date can hold it");
            assert_eq!(time_expression::parse_ms(&text.to_uppercase()), length, "letter case does not matter");
            format!("{} ms", magnitude(instant.abs_diff(NOW_MS).try_into().unwrap_or(usize::MAX)))
        }
        Err(error) => error.to_string().chars().take(6).collect(),
    }
}

/// An instant.
pub(super) fn date_time(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let Some(ms) = date_time::parse_ms(&text) else { return "no date".to_owned() };
    let written = date_time::format_ms(ms);
    assert_eq!(date_time::parse_ms(&written), Some(ms), "what is written can be read: {written}");
    assert_eq!(date_time::parse_us(&text).map(|us| us.div_euclid(1000)), Some(ms));
    format!("{} {}", text.len(), magnitude(ms.unsigned_abs().try_into().unwrap_or(usize::MAX)))
}

/// A continuation token.
pub(super) fn continuation(bytes: &[u8]) -> Outcome {
    let text = text(bytes);
    let mut outcome = String::new();
    for scheme in [Scheme::ClientsAndAudit, Scheme::Roles] {
        match scheme.offset(&text) {
            Ok(Some(offset)) => {
                assert_eq!(scheme.encode(offset), text, "a token that decodes is the one that was given out");
                outcome.push_str(&format!("{} ", magnitude(offset.try_into().unwrap_or(usize::MAX))));
            }
            Ok(None) => outcome.push_str("nothing "),
            Err(_) => outcome.push_str("refused "),
        }
    }
    outcome
}
