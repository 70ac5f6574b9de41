//! PostgreSQL for tests, and what stands before it.

pub mod binaries;
pub mod pgbouncer;
pub mod postgres;
