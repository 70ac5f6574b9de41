//! The store for those who run PostgreSQL.
//!
//! Each step is one transaction that holds the row of the revision until its commit, so that revisions become visible in order whoever writes. The SQL
//! is plain, with a file for each aggregate. Nothing here decides who may do what. Text compares by its bytes, as everywhere in Falconer, whatever the
//! collation of the database.
//!
//! Several nodes may have a database open at once. A step carries the revision at which it was decided, and is refused where something that it depends on has
//! changed since; a commit tells the others its revision (`LISTEN`). A connection that is lost is no failure for good: reading and
//! writing answer [`Unavailable`](falconer_store::StoreError::Unavailable) until the server is back. Where it was lost in
//! the middle of a commit, nobody knows whether the change is there. Then it is not acknowledged, and the revision tells.
//!
//! To change the schema, add a file to `migrations/` and a line to `connection/migrate.rs`. Never edit an older file.

// Tests may fail by panicking.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod aggregates;
mod connection;
pub mod copies;
mod following;
mod postgres_store;
mod steps;
mod upkeep;

pub use postgres_store::PostgresStore;
pub use upkeep::examine::{Examined, examine};
