//! HMAC-SHA256, and the base64 texts in which the protocol writes its values.

use crate::AccessToken;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// HMAC's block: keys of at most this many bytes are padded with zeros, longer ones are hashed first (RFC 2104, section 2).
const BLOCK: usize = 64;

/// 32 bytes in standard base64 with padding.
pub(crate) const TEXT_LENGTH: usize = 44;

/// Standard base64, padded, of an HMAC-SHA256: what stands in `mac` and `signature`. Holds no secret that a caller with the key does not have.
pub(crate) struct MacText([u8; TEXT_LENGTH]);

impl MacText {
    /// Compares as text, in constant time: equality with the canonical text is equality of the bytes and of their spelling, so that a
    /// url-safe or unpadded variant is refused. The length is public and may show.
    pub(crate) fn equals(&self, given: &[u8]) -> bool {
        self.0.ct_eq(given).into()
    }

    /// The text, 44 characters.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The MAC of `text` under `key`, as the protocol writes it (hawk.md 4, 7).
pub(crate) fn standard(key: &str, text: &[u8]) -> MacText {
    let digest = hmac(key.as_bytes(), text);
    let mut encoded = [0; TEXT_LENGTH];
    // INVARIANT: 32 bytes are exactly 44 characters. Should it fail, zeros are left, which is no base64 text and equals none.
    if STANDARD.encode_slice(digest, &mut encoded).is_err() {
        encoded = [0; TEXT_LENGTH];
    }
    MacText(encoded)
}

/// The key of temporary credentials: base64url without padding of HMAC-SHA256(token, seed), 43 characters.
pub(crate) fn temporary_key(token: &str, seed: &str) -> AccessToken {
    let digest = Zeroizing::new(hmac(token.as_bytes(), seed.as_bytes()));
    AccessToken::new(URL_SAFE_NO_PAD.encode(*digest))
}

/// Standard base64 of SHA-256 over the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    STANDARD.encode(hash.finalize())
}

fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = Zeroizing::new([0; BLOCK]);
    let hashed: Zeroizing<[u8; 32]>;
    let key = if key.len() > BLOCK {
        hashed = Zeroizing::new(Sha256::digest(key).into());
        hashed.as_slice()
    } else {
        key
    };
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let mut mac = Hmac::<Sha256>::new((&*block).into());
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn only_the_canonical_text_is_equal() {
        let text = standard("key", b"text");
        assert!(text.equals(text.as_str().as_bytes()));
        assert!(!text.equals(text.as_str().trim_end_matches('=').as_bytes()));
        assert!(!text.equals(b""));
    }
}
