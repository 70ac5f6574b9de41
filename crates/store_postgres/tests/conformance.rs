//! The contract's own suite, each behaviour in a schema of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::sync::Arc;

use falconer_store::{Store, conformance};

/// As many as the suite has: a run of fewer is a mistake.
const BEHAVIOURS: usize = 109;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn in_a_schema_of_its_own() {
    let server = common::server();
    let make = || async { Arc::new(common::open(&server.schema().await).await) as Arc<dyn Store> };
    assert_eq!(conformance::run(make).await, BEHAVIOURS);
}
