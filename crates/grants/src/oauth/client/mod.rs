//! Which application asks behind the page, and how it proves that: by its secret, or by an assertion that a key of it has signed.

pub(crate) mod assertion;
pub(crate) mod client_proof;
