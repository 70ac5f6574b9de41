//! Grants as records: making one, deriving one, listing a person's, taking one back.

pub(crate) mod consents;
pub(crate) mod derived;
pub(crate) mod form;
pub(crate) mod grant;
pub(crate) mod granted;
pub(crate) mod making;
pub(crate) mod unasked;
