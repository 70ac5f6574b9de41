//! Signed access tokens (RFC 9068), for services that verify them by themselves.
//!
//! `services` is who gets them, `form` whether a token is to be one and what it says, `token` the token itself, `ended` which of them count no more before their time.

pub(crate) mod ended;
pub(crate) mod form;
pub(crate) mod services;
mod token;
