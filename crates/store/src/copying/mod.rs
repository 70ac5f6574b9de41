//! Everything that is kept, as rows that both backends write alike: for copying a whole database from one backend into the other, and for showing that the copy is
//! the same.

mod columns;
mod fingerprint;
mod rows;
mod tables;

pub use columns::{Column, Kind, Row, Table, Value};
pub use fingerprint::{Fingerprint, Print};
pub use rows::{RowSource, RowTarget, Standing};
pub use tables::{NOT_COPIED, TABLES};
