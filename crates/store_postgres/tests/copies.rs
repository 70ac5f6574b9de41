//! What is copied from and into this backend is what its schema has.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use falconer_store::StoreError;
use falconer_store_postgres::copies::{DatabaseRows, differences};

/// A table or a column that is added to the schema, and not to what is copied, would be lost with a migration.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn all_that_the_schema_has_is_copied() {
    let server = common::server();
    let url = server.schema().await;
    drop(common::open(&url).await);
    assert_eq!(differences(&url).await.unwrap(), Vec::<String>::new());
}

/// What was copied out of a database into which a copy was not finished passed for all of it, and ended well.
#[tokio::test]
#[ignore = "needs PostgreSQL: cargo xtask test has one"]
async fn a_copy_that_was_not_finished_is_no_source() {
    let server = common::server();
    let url = server.schema().await;
    drop(DatabaseRows::target(&url).await.unwrap());
    match DatabaseRows::source(&url).await.map(drop) {
        Err(StoreError::InTheWay(why)) => assert!(why.contains("was not finished: run it again"), "{why}"),
        other => panic!("{other:?}"),
    }
}
