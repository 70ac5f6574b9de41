//! The key file: one key a line.
//!
//! ```text
//! # the last line is the current key; older ones only open
//! 2026a q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=
//! ```
//!
//! Empty lines and lines that begin with `#` mean nothing. A key is 32 bytes in standard base64 with padding. A new key is put
//! before the current one, where it only opens, and goes to the end once every server has it (`falconer keys add`, `falconer keys use`): what it seals before that
//! opens nowhere else. Then everything is sealed again, and the older line can go.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::error::KeyFileError;
use crate::KeyRing;

impl KeyRing {
    /// Reads a key file.
    pub fn parse(text: &str) -> Result<KeyRing, KeyFileError> {
        let mut ring = KeyRing::empty();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bad = || KeyFileError::BadLine(index + 1);
            let (key_id, key) = line.split_once(char::is_whitespace).ok_or_else(bad)?;
            let key = Zeroizing::new(STANDARD.decode(key.trim()).map_err(|_| bad())?);
            ring.push(key_id, key.as_slice().try_into().map_err(|_| bad())?).map_err(|error| match error {
                KeyFileError::BadKeyId => KeyFileError::BadKeyIdInLine(index + 1),
                KeyFileError::RepeatedKeyId(_) => KeyFileError::RepeatedInLine(index + 1),
                other => other,
            })?;
        }
        if ring.key_ids().next().is_none() {
            return Err(KeyFileError::Empty);
        }
        Ok(ring)
    }

    /// The text of a key file with these keys, the current one last.
    pub fn to_key_file(&self) -> Zeroizing<String> {
        // Room for all of it at once: a text that moves leaves its keys behind.
        let mut text = Zeroizing::new(String::with_capacity(128 + 96 * self.key_ids().count()));
        text.push_str("# Falconer seals secrets with these keys. The last line is the current one.\n");
        for (key_id, key) in self.in_file_order() {
            let encoded = Zeroizing::new(STANDARD.encode(key));
            text.extend([key_id, " ", &encoded, "\n"]);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back() {
        let mut ring = KeyRing::from_bytes("z-old", [1; 32]).unwrap();
        ring.push("a-new", [2; 32]).unwrap();
        let text = ring.to_key_file();
        let back = KeyRing::parse(&text).unwrap();
        assert_eq!(back.current_key_id(), "a-new");
        assert_eq!(back.key_ids().collect::<Vec<_>>(), ["a-new", "z-old"]);
        assert_eq!(*back.to_key_file(), *text);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let key = STANDARD.encode([1u8; 32]);
        let short = STANDARD.encode([1u8; 31]);
        for (text, error) in [
            (String::new(), KeyFileError::Empty),
            ("# nothing\n\n".into(), KeyFileError::Empty),
            (format!("# c\nk1 {key}\nk2"), KeyFileError::BadLine(3)),
            (format!("k1 {short}"), KeyFileError::BadLine(1)),
            ("k1 !!!".into(), KeyFileError::BadLine(1)),
            (format!("k/1 {key}"), KeyFileError::BadKeyIdInLine(1)),
            (format!("{} {key}", "k".repeat(33)), KeyFileError::BadKeyIdInLine(1)),
            (format!("k1 {key}\nk1 {key}"), KeyFileError::RepeatedInLine(2)),
        ] {
            assert_eq!(KeyRing::parse(&text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn white_space_and_line_ends_of_other_systems_are_fine() {
        let key = STANDARD.encode([1u8; 32]);
        assert_eq!(KeyRing::parse(&format!("\r\n  k1 \t {key} \r\n")).unwrap().current_key_id(), "k1");
    }
}
