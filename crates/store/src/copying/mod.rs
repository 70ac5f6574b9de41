//! Everything that is kept, as rows that both backends write alike: for copying a whole database from one backend into the other, and for showing that the copy is
//! the same.

mod fingerprint;
mod rows;
mod tables;

pub use fingerprint::{Fingerprint, Print};
pub use rows::{RowSource, RowTarget, Standing};
pub use tables::{Column, Kind, NOT_COPIED, Row, TABLES, Table, Value};
