//! Who is measured: a server and its processes, and the floors, which decide nothing.

pub mod account;
pub mod floor;
pub mod process;
pub mod subject;
