//! Signing in with codes by mail: what is let in, what is not, and how mail goes out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod accepted;
#[path = "../common/mod.rs"]
mod common;
mod floods;
mod hostile;
#[path = "../../../falconer/tests/support/ports.rs"]
mod ports;
mod site;
mod smtp;
