//! The methods of the API, on a node in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod api;
mod bad_input;
mod brokers;
mod check;
mod clock;
mod documents;
mod end_grant;
mod events;
mod explain;
mod http_vectors;
mod import;
mod lifecycle;
mod listings;
#[path = "../../../falconer/tests/support/patience.rs"]
mod patience;
mod people;
#[path = "../recorded/mod.rs"]
mod recorded;
mod repeated;
mod replays;
mod scope_registries;
#[path = "../support/mod.rs"]
mod support;
