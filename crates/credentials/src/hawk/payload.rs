//! The payload hash.

use crate::hawk::header::is_space;
use crate::key::mac;

/// Standard base64 of the SHA-256 of a payload under its content type, 44 characters. Of `content_type` only what stands before the first `;`
/// counts, trimmed and in lower case; empty where there is none.
pub fn hash(content_type: &str, payload: &[u8]) -> String {
    let kind = content_type.split(';').next().unwrap_or_default().trim_matches(is_space).to_lowercase();
    mac::sha256(&[b"hawk.1.payload\n", kind.as_bytes(), b"\n", payload, b"\n"])
}

/// [`hash`] of an empty payload, without a content type and as `application/json`.
const OF_NOTHING: [&str; 2] = ["B0weSUXsMcb5UhL41FZbrUJCAotzSI3HawE1NPLRUz8=", "NVuBm+XMyya3Tq4EhpZ0cQWjVUyIA8sKnySkKDOIM4M="];

/// Whether this is the hash of an empty payload, whether or not its signer took a `Content-Type` into it that describes nothing.
pub fn is_of_nothing(hash: &str) -> bool {
    OF_NOTHING.contains(&hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_of_nothing_are_those_of_an_empty_body() {
        assert_eq!(OF_NOTHING, ["", "application/json"].map(|kind| hash(kind, b"")));
        assert!(!is_of_nothing(&hash("text/plain", b"")) && !is_of_nothing(&hash("", b" ")));
    }
}
