//! All rows of a database, for a copy from one backend into the other.

mod rows;
mod values;

pub use rows::{DatabaseRows, differences};
