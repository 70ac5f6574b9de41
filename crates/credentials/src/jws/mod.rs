//! Signatures of others (RFC 7515) and the public keys that they are verified with (RFC 7517).

pub(crate) mod algorithm;
pub(crate) mod public_key;
