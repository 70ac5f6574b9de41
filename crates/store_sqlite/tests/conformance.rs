//! The contract's own suite, on a file and in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;

use falconer_store::{Store, conformance};
use falconer_store_sqlite::SqliteStore;

/// As many as the suite has: a run of fewer is a mistake.
const BEHAVIOURS: usize = 154;

#[tokio::test]
async fn in_memory() {
    let make = || async { Arc::new(SqliteStore::in_memory(common::keys(), common::random()).unwrap()) as Arc<dyn Store> };
    assert_eq!(conformance::run(make).await, BEHAVIOURS);
}

#[tokio::test]
async fn in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    let make = || {
        number.set(number.get() + 1);
        let path = folder.path().join(format!("{}.db", number.get()));
        async move { Arc::new(common::open(&path)) as Arc<dyn Store> }
    };
    assert_eq!(conformance::run(make).await, BEHAVIOURS);
}
