//! The way out of mail, against a real mail server (aiosmtpd): what TLS has to be there, what is made of its answers, and what is told of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
#[path = "../common/mod.rs"]
mod common;
#[path = "../../../falconer/tests/support/freezing.rs"]
mod freezing;
#[path = "../../../falconer/tests/support/patience.rs"]
mod patience;
mod peer;
mod tls;
