//! The embedded store: one SQLite file in the data directory, or memory.
//!
//! All writing happens on one thread with one connection, each step in one `BEGIN IMMEDIATE` transaction that is synchronised to the disk
//! before its answer (`synchronous=FULL` in WAL mode). Reading happens on a few threads with connections of their own. The SQL is plain,
//! with a file for each aggregate. Nothing here decides who may do what.
//!
//! An advisory lock beside the file keeps a second process out. A failed write or synchronisation ends the store's life
//! ([`falconer_store::StoreError::Fatal`]): what is on the disk is only known after opening it again.
//!
//! To change the schema, add a file to `migrations/` and a line to `connection/migrate.rs`. Never edit an older file.

mod aggregates;
mod connection;
pub mod copies;
mod following;
mod sqlite_store;
mod steps;
mod upkeep;

pub use falconer_store::Randomness;
pub use sqlite_store::SqliteStore;
