//! The published Rust client, unchanged, against the real binary.

mod auth;
mod every_method;
mod published;
mod server;
