//! Tokens that are shown and sign nothing (RFC 6750): each says what it is for, whose it is and when it ends, under a MAC.

pub(crate) mod follow_up;
pub(crate) mod kind;
pub(crate) mod services;
pub(crate) mod token;
