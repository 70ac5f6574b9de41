//! Secret keys: the access token, and HMAC-SHA256 with the texts in which the protocol writes its values.

pub(crate) mod access_token;
pub(crate) mod mac;
