//! Signed access tokens (RFC 9068), for services that verify them by themselves.
//!
//! `services` is who gets them, `form` whether a token is to be one and what it says, `token` the token itself.

pub(crate) mod form;
pub(crate) mod services;
mod token;
