//! Signatures of others (RFC 7515) and the public keys that they are verified with (RFC 7517).

pub(crate) mod algorithm;
pub(crate) mod compact;
pub(crate) mod public_key;
pub(crate) mod registered_key;
pub(crate) mod written_key;
