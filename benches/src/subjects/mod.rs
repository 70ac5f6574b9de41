//! Who is measured: a server with its processes and its database, and the floors, which decide nothing.

pub mod account;
pub(crate) mod database;
pub mod floor;
pub mod process;
pub mod subject;
