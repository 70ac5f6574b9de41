//! The database as a whole, on the server's machine: a copy of it, one put in its place, what was put there by other means,
//! and all of it in another kind of database.

pub mod backup;
pub mod migrate;
pub mod restore;
pub mod restored;
