//! Access tokens: what a request shows instead of a signature, and the proof that goes with it where the token is bound to a key.

pub(crate) mod bearer;
pub(crate) mod proof;
pub(crate) mod seen_proofs;
pub(crate) mod shown;
pub(crate) mod signed;
pub(crate) mod token;
