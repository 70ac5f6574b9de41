//! Secret keys as text, and the random names of the protocol.

use crate::key::mac::Key;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// An access token: the text itself (as UTF-8) is the HMAC key, it is never decoded. Usually 44 characters of `[A-Za-z0-9_-]`; static
/// clients may have any text. Wiped from memory when the last clone goes; cloning copies no secret. It has no `Display`, no `Serialize`,
/// and its `Debug` shows nothing.
///
/// The key is prepared for HMAC when it is made, not when it is first used: the first request of a client must not take longer than one of a
/// client that does not exist.
#[derive(Clone)]
pub struct AccessToken(Arc<Token>);

struct Token {
    text: Zeroizing<Box<str>>,
    key: Key,
}

impl AccessToken {
    /// Takes over the text as it is.
    pub fn new(text: String) -> AccessToken {
        let text = Zeroizing::new(text);
        AccessToken(Arc::new(Token { key: Key::new(text.as_bytes()), text: Zeroizing::new(Box::from(text.as_str())) }))
    }

    /// The secret text. Every call is a place where a secret could leak: do not log, print or compare the result with `==`.
    pub fn expose(&self) -> &str {
        &self.0.text
    }

    pub(crate) fn key(&self) -> &Key {
        &self.0.key
    }

    /// Whether both are the same text, without saying by time where they differ (the length may show).
    pub(crate) fn same_as(&self, other: &AccessToken) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || bool::from(self.expose().as_bytes().ct_eq(other.expose().as_bytes()))
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

/// The slugid of these random bytes: a version 4 UUID in base64url without padding, 22 characters, `[A-Za-z0-9_-]{8}[Q-T]...`.
/// Six bits of `random` are replaced by the version and the variant, 122 count.
pub fn slugid(mut random: [u8; 16]) -> String {
    random[6] = (random[6] & 0x0f) | 0x40;
    random[8] = (random[8] & 0x3f) | 0x80;
    URL_SAFE_NO_PAD.encode(random)
}

/// A slugid for ids: people type them, and one that begins with `-` would be an option of a command. The first bit is replaced too, so that 121 bits count.
pub fn nice_slugid(mut random: [u8; 16]) -> String {
    random[0] &= 0x7f;
    slugid(random)
}

/// A fresh access token: two slugids, 44 characters. `random` must come from a secure source; it is wiped here, and so is
/// what is made of it on the way.
pub fn new_access_token(random: [u8; 32]) -> AccessToken {
    let random = Zeroizing::new(random);
    let (mut first, mut second) = (Zeroizing::new([0; 16]), Zeroizing::new([0; 16]));
    for (index, byte) in random.iter().enumerate() {
        let half = if index < 16 { &mut first } else { &mut second };
        if let Some(place) = half.get_mut(index % 16) {
            *place = *byte;
        }
    }
    let (first, second) = (Zeroizing::new(slugid(*first)), Zeroizing::new(slugid(*second)));
    AccessToken::new([first.as_str(), second.as_str()].concat())
}
