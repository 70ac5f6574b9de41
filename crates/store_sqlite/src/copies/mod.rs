//! Whole copies of the file: making one beside a server that writes, saying what one holds, putting one in the place of the
//! database, and all rows of one.

mod backup;
mod inspect;
mod replace;
mod rows;

pub use backup::back_up;
pub use inspect::{Inspected, inspect, is_a_database_of_ours, look_beside};
pub use replace::{Locked, Staged};
pub use rows::FileRows;
