//! HMAC-SHA256, and the base64 texts in which the protocol writes its values.
//!
//! The hash function is the library's, and HMAC around it (RFC 2104) is here. A prepared key of the library is three times as large as the two states that it
//! consists of, and it is not wiped, so that it can't be kept for every client (`docs/adr/0045`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::block_api::compress256;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// HMAC's block: keys of at most this many bytes are padded with zeros, longer ones are hashed first (RFC 2104, section 2).
const BLOCK: usize = 64;

/// How much of a text is collected before it is hashed: most texts are hashed in one go.
const BUFFER: usize = 12 * BLOCK;

/// SHA-256 before its first block (FIPS 180-4, section 5.3.3).
const START: [u32; 8] = [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// How many bytes an HMAC-SHA256 has.
pub(crate) const LENGTH: usize = 32;

/// An HMAC-SHA256: what stands in `mac` and `signature`, in standard base64 with padding.
pub(crate) struct Mac([u8; LENGTH]);

impl Mac {
    /// The bytes of a text that somebody sent; `None` where it is not the canonical spelling of that many: a url-safe or unpadded variant is
    /// refused. The text is the sender's, so reading it may depend on what is in it.
    pub(crate) fn decode(text: &[u8]) -> Option<[u8; LENGTH]> {
        let mut bytes = [0; LENGTH];
        match STANDARD.decode_slice(text, &mut bytes) {
            Ok(LENGTH) => Some(bytes),
            Ok(_) | Err(_) => None,
        }
    }

    /// Compares in constant time. What is expected never becomes text: encoders look characters up in a table, at places that are secret here.
    pub(crate) fn equals(&self, given: &[u8; LENGTH]) -> bool {
        words(&self.0).as_slice().ct_eq(&words(given)).into()
    }

    /// The bytes, for a hash of them.
    pub(crate) fn bytes(&self) -> [u8; LENGTH] {
        self.0
    }

    /// The text, 44 characters, for whoever has the key and sends it.
    pub(crate) fn text(&self) -> String {
        STANDARD.encode(self.0)
    }
}

/// The same bytes as four words: an eighth of the steps of a comparison by bytes, which looks at each one.
fn words(bytes: &[u8; LENGTH]) -> [u64; LENGTH / 8] {
    let mut words = [0; LENGTH / 8];
    for (word, eight) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u64::from_ne_bytes(*eight);
    }
    words
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

    /// The MAC of the text that `write` pushes.
    pub(crate) fn mac(&self, write: impl FnOnce(&mut Text)) -> Mac {
        Mac(self.digest(write))
    }

    /// The text of a temporary key: base64url without padding of HMAC-SHA256(token, seed), 43 characters.
    pub(crate) fn temporary(&self, seed: &str) -> Zeroizing<[u8; 43]> {
        let digest = Zeroizing::new(self.digest(|text| text.push(seed)));
        base64url(&digest)
    }

    fn digest(&self, write: impl FnOnce(&mut Text)) -> [u8; LENGTH] {
        let mut text = Text { state: self.inner, buffer: [0; BUFFER], used: 0, hashed: BLOCK as u64 };
        write(&mut text);
        let inner = text.finish();
        last_blocks(self.outer, &inner, BLOCK as u64 + 32)
    }
}

/// Base64url without padding of a secret: each character is computed, none is looked up at a place that depends on the secret.
fn base64url(secret: &[u8; LENGTH]) -> Zeroizing<[u8; 43]> {
    // First all six bits of all characters, then all characters: so a processor makes sixteen of them at a time.
    let mut characters = Zeroizing::new([0; 48]);
    for (three, place) in secret.chunks(3).zip(characters.as_chunks_mut::<4>().0) {
        let bits = match *three {
            [first, second, third] => u32::from_be_bytes([0, first, second, third]),
            [first, second] => u32::from_be_bytes([0, first, second, 0]),
            // INVARIANT: 32 bytes are ten times three, and two.
            _ => 0,
        };
        *place = [bits >> 18, bits >> 12, bits >> 6, bits].map(|six| (six & 0x3f) as u8);
    }
    for character in characters.iter_mut() {
        *character = character_of(*character);
    }
    let mut text = Zeroizing::new([0; 43]);
    for (place, character) in text.iter_mut().zip(characters.iter()) {
        *place = *character;
    }
    text
}

/// The character of six bits (RFC 4648, section 5). The differences of neighbouring ranges are added where the range has been passed.
fn character_of(six_bits: u8) -> u8 {
    let value = six_bits as i8;
    // All ones where the value is above the bound, else zero.
    let above = |bound: i8| (bound.wrapping_sub(value) >> 7) as u8;
    let after = |bound: i8, difference: u8| above(bound) & difference;
    six_bits
        .wrapping_add(b'A')
        .wrapping_add(after(25, b'a' - b'Z' - 1))
        .wrapping_sub(after(51, b'z' - b'0' + 1))
        .wrapping_sub(after(61, b'9' - b'-' + 1))
        .wrapping_add(after(62, b'_' - b'-' - 1))
}

/// A text that is being hashed. What the key made of it so far is wiped.
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
    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
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

impl Drop for Text {
    fn drop(&mut self) {
        self.state.zeroize();
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
    state.zeroize();
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
        let mac = Key::new(b"key").mac(|all| all.push("text"));
        let text = mac.text();
        assert!(Mac::decode(text.as_bytes()).is_some_and(|bytes| mac.equals(&bytes)));
        let url_safe = text.replace('+', "-").replace('/', "_");
        let loose_end = format!("{}{}=", &text[..42], if text.as_bytes()[42] == b'B' { 'C' } else { 'B' });
        let spellings = [text.trim_end_matches('=').to_owned(), format!("{text}="), format!(" {text}"), loose_end, String::new()];
        for other in spellings.into_iter().chain((url_safe != text).then_some(url_safe)) {
            assert!(Mac::decode(other.as_bytes()).is_none_or(|bytes| !mac.equals(&bytes)), "{other}");
        }
        for bit in 0..8 * LENGTH {
            let mut other = mac.0;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!mac.equals(&other), "{bit}");
        }
    }

    /// The expected MAC and temporary keys were written with the library's encoder, which looks each character up in a table.
    #[test]
    fn secrets_are_written_as_the_library_writes_them() {
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        for round in 0..500_u32 {
            let secret: [u8; LENGTH] = Sha256::digest(round.to_be_bytes()).into();
            assert_eq!(base64url(&secret).as_slice(), URL_SAFE_NO_PAD.encode(secret).as_bytes());
        }
        let alphabet: Vec<u8> = (0..64).map(character_of).collect();
        assert_eq!(alphabet, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    }

    #[test]
    fn numbers_are_decimal() {
        for number in [0, 7, 10, -1, 1_767_225_600_000, i64::MAX, i64::MIN] {
            let text = number.to_string();
            assert_eq!(Key::new(b"k").digest(|all| all.push_number(number)), hmac(b"k", text.as_bytes()), "{text}");
        }
    }
}
