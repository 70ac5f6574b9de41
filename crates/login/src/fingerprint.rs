//! Short names for long content, and hashes of secrets that must be found again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// 43 characters of `A-Za-z0-9_-` that stand for this list of texts.
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length in front keeps ("ab", "c") and ("a", "bc") apart.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// The `code_challenge` of a `code_verifier`, by the method S256 (RFC 7636 section 4.2).
pub fn pkce_challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

/// SHA-256 of a text in 64 hexadecimal digits, as `sha256sum` prints it.
pub fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a secret has this hash, in hexadecimal digits. The time tells nothing of the hash, with which guesses could be tried elsewhere.
pub fn has_sha256(secret: &str, hash: &str) -> bool {
    bool::from(sha256_hex(secret).as_bytes().ct_eq(hash.as_bytes()))
}

/// What is stored of a random token instead of the token. No salt: the token has 128 bits or more of its own.
pub fn hash_of_token(purpose: &str, token: &str) -> String {
    fingerprint([purpose, token])
}

/// Random bytes as text for cookies, forms and links: `A-Za-z0-9_-`.
pub(crate) fn token_text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
