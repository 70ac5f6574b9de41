//! Temporary credentials: the document in `ext` with its certificate and authorized scopes, what a certificate claims and how that is checked,
//! and making one.

pub(crate) mod claims;
pub(crate) mod ext;
pub(crate) mod field;
mod json;
pub mod temporary;
