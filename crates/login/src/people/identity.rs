//! Names of people inside of clientIds (all cases of `vectors/identity.json`).

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;
use thiserror::Error;

/// An encoded text that no encoder made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("URI malformed")]
pub struct Malformed;

/// Encodes a text for use in a clientId: `!` becomes `!21`, and each UTF-16 unit outside of `[A-Za-z0-9!@:.+|_-]` becomes `!` and its
/// upper-case hex, with a `0` in front unless there are exactly two digits.
///
/// ```
/// assert_eq!(falconer_login::identity::encode("o'neil"), "o!27neil");
/// assert_eq!(falconer_login::identity::encode("日"), "!065E5");
/// ```
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)).filter(|c| is_plain(*c)) {
            Some(plain) => encoded.push(plain),
            None => {
                let padding = if (0x10..=0xff).contains(&unit) { "" } else { "0" };
                // Writing to a String cannot fail.
                let _ = write!(encoded, "!{padding}{unit:X}");
            }
        }
    }
    encoded
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '@' | ':' | '.' | '+' | '|' | '_' | '-')
}

/// What an encoded text stands for: `!` counts as `%`, then percent-decoding. Fails for what was not ASCII, as the original does.
pub fn decode(encoded: &str) -> Result<String, Malformed> {
    let escaped = encoded.replace('!', "%");
    let bytes = escaped.as_bytes();
    for (at, _) in escaped.match_indices('%') {
        let is_hex = |offset: usize| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        if !is_hex(1) || !is_hex(2) {
            return Err(Malformed);
        }
    }
    percent_decode_str(&escaped).decode_utf8().map(|text| text.into_owned()).map_err(|_| Malformed)
}

/// The person that a clientId says it belongs to: its first two parts. For display only: a clientId is nobody's proof.
///
/// ```
/// use falconer_login::identity::of_client_id;
/// assert_eq!(of_client_id("local/ann/notes.example.com/x"), Some("local/ann"));
/// assert_eq!(of_client_id("github"), None);
/// ```
pub fn of_client_id(client_id: &str) -> Option<&str> {
    let (provider, rest) = client_id.split_once('/')?;
    let subject = rest.find('/').unwrap_or(rest.len());
    client_id.get(..provider.len() + 1 + subject)
}
