//! PostgreSQL for tests, and what stands before it.

pub mod in_place;
pub mod pgbouncer;
pub mod postgres;
