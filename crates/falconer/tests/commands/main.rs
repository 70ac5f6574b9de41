//! The commands, on the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod backup;
mod bad_input;
mod cli;
mod curl;
mod docs;
mod doctor;
mod migrate;
mod origins;
mod people;
mod providers;
mod session;
mod signin;
#[path = "../support/mod.rs"]
mod support;
mod why;
