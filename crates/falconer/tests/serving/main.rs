//! `falconer serve`, `gateway` and `proxy`, on the real binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod at_rest;
mod clock;
mod ending;
mod events;
mod full_disk;
mod gateway;
mod http_vectors;
mod kill;
mod metrics;
mod one_moment;
mod proxy;
mod proxy_peers;
#[path = "../../../web/tests/recorded/mod.rs"]
mod recorded;
mod reread;
mod retention;
#[path = "../signing/mod.rs"]
mod signing;
#[path = "../support/mod.rs"]
mod support;
mod traces;
mod where_it_runs;
