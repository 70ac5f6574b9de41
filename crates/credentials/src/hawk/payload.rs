//! The payload hash.

use crate::hawk::header::is_space;
use crate::key::mac;

/// Standard base64 of the SHA-256 of a payload under its content type, 44 characters. Of `content_type` only what stands before the first `;`
/// counts, trimmed and in lower case; empty where there is none.
pub fn hash(content_type: &str, payload: &[u8]) -> String {
    let kind = content_type.split(';').next().unwrap_or_default().trim_matches(is_space).to_lowercase();
    mac::sha256(&[b"hawk.1.payload\n", kind.as_bytes(), b"\n", payload, b"\n"])
}
