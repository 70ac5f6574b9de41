//! HMAC-SHA256, and the base64 texts in which the protocol writes its values.
//!
//! The hash function is the library's; HMAC around it (RFC 2104) is here, because a prepared key of the library is three times as large as the
//! two states that it consists of, is not wiped, and can't be kept for every client (`docs/adr/0045`).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// HMAC's block: keys of at most this many bytes are padded with zeros, longer ones are hashed first (RFC 2104, section 2).
const BLOCK: usize = 64;

/// How much of a text is collected before it is hashed: most texts are hashed in one go.
const BUFFER: usize = 12 * BLOCK;

/// SHA-256 before its first block (FIPS 180-4, section 5.3.3).
const START: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// 32 bytes in standard base64 with padding.
pub(crate) const TEXT_LENGTH: usize = 44;

/// Standard base64, padded, of an HMAC-SHA256: what stands in `mac` and `signature`. Holds no secret that a caller with the key does not have.
pub(crate) struct MacText([u8; TEXT_LENGTH]);

impl MacText {
    /// Compares as text, in constant time: equality with the canonical text is equality of the bytes and of their spelling, so that a
    /// url-safe or unpadded variant is refused. The length is public and may show.
    pub(crate) fn equals(&self, given: &[u8]) -> bool {
        let Ok(given) = <&[u8; TEXT_LENGTH]>::try_from(given) else {
            return false;
        };
        let pairs = words(&self.0).zip(words(given));
        pairs.fold(Choice::from(1), |equal, (ours, theirs)| equal & ours.ct_eq(&theirs)).into()
    }

    /// The text, 44 characters.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The text as numbers: eleven comparisons instead of 44.
fn words(text: &[u8; TEXT_LENGTH]) -> impl Iterator<Item = u32> {
    text.as_chunks::<4>().0.iter().map(|word| u32::from_ne_bytes(*word))
}

/// A key with its two blocks hashed already. As secret as the key; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Key {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl Key {
    pub(crate) fn new(key: &[u8]) -> Key {
        let mut block = Zeroizing::new([0; BLOCK]);
        let hashed: Zeroizing<[u8; 32]>;
        let key = if key.len() > BLOCK {
            hashed = Zeroizing::new(Sha256::digest(key).into());
            hashed.as_slice()
        } else {
            key
        };
        if let Some(place) = block.get_mut(..key.len()) {
            place.copy_from_slice(key);
        }
        let mut prepared = Key { inner: START, outer: START };
        block.iter_mut().for_each(|byte| *byte ^= 0x36);
        compress256(&mut prepared.inner, std::slice::from_ref(&*block));
        block.iter_mut().for_each(|byte| *byte ^= 0x36 ^ 0x5c);
        compress256(&mut prepared.outer, std::slice::from_ref(&*block));
        prepared
    }

    /// The MAC of the text that `write` pushes, as the protocol writes it (hawk.md 4, 7).
    pub(crate) fn mac(&self, write: impl FnOnce(&mut Text)) -> MacText {
        let digest = self.digest(write);
        let mut encoded = [0; TEXT_LENGTH];
        // INVARIANT: 32 bytes are exactly 44 characters. Should it fail, zeros are left, which is no base64 text and equals none.
        if STANDARD.encode_slice(digest, &mut encoded).is_err() {
            encoded = [0; TEXT_LENGTH];
        }
        MacText(encoded)
    }

    /// The text of a temporary key: base64url without padding of HMAC-SHA256(token, seed), 43 characters.
    pub(crate) fn temporary(&self, seed: &str) -> Zeroizing<[u8; 43]> {
        let digest = Zeroizing::new(self.digest(|text| text.push(seed)));
        let mut encoded = Zeroizing::new([0; 43]);
        // INVARIANT: 32 bytes are exactly 43 characters.
        if URL_SAFE_NO_PAD.encode_slice(*digest, &mut *encoded).is_err() {
            *encoded = [0; 43];
        }
        encoded
    }

    fn digest(&self, write: impl FnOnce(&mut Text)) -> [u8; 32] {
        let mut text = Text { state: self.inner, buffer: [0; BUFFER], used: 0, hashed: BLOCK as u64 };
        write(&mut text);
        let inner = text.finish();
        last_blocks(self.outer, &inner, BLOCK as u64 + 32)
    }
}

/// A text that is being hashed.
pub(crate) struct Text {
    state: [u32; 8],
    buffer: [u8; BUFFER],
    used: usize,
    /// How many bytes were hashed before those in the buffer, the key's block included.
    hashed: u64,
}

impl Text {
    pub(crate) fn push(&mut self, text: &str) {
        self.push_bytes(text.as_bytes());
    }

    pub(crate) fn push_line(&mut self, line: &str) {
        self.push(line);
        self.push("\n");
    }

    /// Decimal, as JavaScript prints an integer.
    pub(crate) fn push_number(&mut self, number: i64) {
        if number < 0 {
            self.push("-");
        }
        let (mut digits, mut from, mut rest) = ([0; 20], 20_usize, number.unsigned_abs());
        loop {
            from = from.saturating_sub(1);
            if let Some(digit) = digits.get_mut(from) {
                *digit = b'0' + (rest % 10) as u8;
            }
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        self.push_bytes(digits.get(from..).unwrap_or_default());
    }

    #[inline]
    fn push_bytes(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        loop {
            let place = self.buffer.get_mut(self.used..).unwrap_or_default();
            let count = rest.len().min(place.len());
            let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            if let Some(place) = place.get_mut(..count) {
                place.copy_from_slice(now);
            }
            self.used += count;
            if self.used < BUFFER {
                return;
            }
            compress256(&mut self.state, self.buffer.as_chunks().0);
            self.hashed = self.hashed.saturating_add(BUFFER as u64);
            self.used = 0;
            rest = later;
        }
    }

    fn finish(mut self) -> [u8; 32] {
        let length = self.hashed.saturating_add(self.used as u64);
        let (blocks, tail) = self.buffer.get(..self.used).unwrap_or_default().as_chunks();
        compress256(&mut self.state, blocks);
        last_blocks(self.state, tail, length)
    }
}

/// Hashes what is left of a text, less than a block, with the padding of FIPS 180-4, section 5.1.1. `length` is the whole text's, in bytes.
fn last_blocks(mut state: [u32; 8], tail: &[u8], length: u64) -> [u8; 32] {
    let mut blocks = [[0; BLOCK]; 2];
    let bytes = blocks.as_flattened_mut();
    if let Some((place, rest)) = bytes.split_at_mut_checked(tail.len()) {
        place.copy_from_slice(tail);
        rest.iter_mut().take(1).for_each(|first| *first = 0x80);
    }
    let count = if tail.len() + 9 <= BLOCK { 1 } else { 2 };
    if let Some(place) = bytes.get_mut(count * BLOCK - 8..count * BLOCK) {
        place.copy_from_slice(&(length << 3).to_be_bytes());
    }
    compress256(&mut state, blocks.get(..count).unwrap_or_default());
    let mut digest = [0; 32];
    for (place, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *place = word.to_be_bytes();
    }
    digest
}

/// Standard base64 of SHA-256 over the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit as _, Mac as _};

    fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
        Key::new(key).digest(|all| all.push_bytes(text))
    }

    /// RFC 4231, cases 2 and 6: a short key, and one that is longer than a block.
    #[test]
    fn known_answers() {
        let hex = |bytes: [u8; 32]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(hmac(b"Jefe", b"what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(
            hex(hmac(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    /// Every length around the edges of blocks and of the buffer, in pieces of every size, and keys around a block.
    #[test]
    fn equals_the_library() {
        let text: Vec<u8> = (0..4 * BUFFER).map(|n| (n * 7 % 251) as u8).collect();
        let ends = [0, 1, BUFFER, 2 * BUFFER, 3 * BUFFER].into_iter().flat_map(|at| at.saturating_sub(70)..at + 70);
        for (round, length) in ends.enumerate() {
            let key: Vec<u8> = (0..round % 140).map(|n| n as u8).collect();
            let mut library = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            library.update(&text[..length]);
            let expected: [u8; 32] = library.finalize().into_bytes().into();
            assert_eq!(hmac(&key, &text[..length]), expected, "{length}");
            let pieces = Key::new(&key).digest(|all| text[..length].chunks(1 + round % 90).for_each(|piece| all.push_bytes(piece)));
            assert_eq!(pieces, expected, "{length} in pieces");
        }
    }

    #[test]
    fn only_the_canonical_text_is_equal() {
        let text = Key::new(b"key").mac(|all| all.push("text"));
        assert!(text.equals(text.as_str().as_bytes()));
        assert!(!text.equals(text.as_str().trim_end_matches('=').as_bytes()));
        assert!(!text.equals(b""));
        for at in 0..TEXT_LENGTH {
            let mut other = text.0;
            other[at] ^= 1;
            assert!(!text.equals(&other), "{at}");
        }
    }

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 7, 10, -1, 1_767_225_600_000, i64::MAX, i64::MIN] {
            let text = number.to_string();
            assert_eq!(Key::new(b"k").digest(|all| all.push_number(number)), hmac(b"k", text.as_bytes()), "{text}");
        }
    }
}
