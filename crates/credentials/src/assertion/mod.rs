//! Assertions with which applications say who they are (RFC 7523).

pub(crate) mod client_assertion;
