//! Proofs that whoever shows a token has the key that it is bound to (RFC 9449).

pub(crate) mod fault;
pub(crate) mod proof;
pub(crate) mod url;
