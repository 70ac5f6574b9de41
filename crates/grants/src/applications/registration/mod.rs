//! Applications that register themselves: with what administrators give out for that, or without.
//!
//! `initial_tokens` is what is given out, `metadata` what an application says of itself, `register` the use cases of RFC 7591 and RFC 7592, `error` why not.

pub(crate) mod error;
pub(crate) mod initial_tokens;
pub(crate) mod metadata;
pub(crate) mod register;
