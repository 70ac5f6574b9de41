//! Servers on a real PostgreSQL, also one that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod cut_commits;
mod cutting_proxy;
mod deadlock;
mod failover;
mod newer_schema;
mod outage;
mod postgres;
mod silent_database;
#[path = "../support/mod.rs"]
mod support;
mod writers;
