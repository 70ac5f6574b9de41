//! The contract: the trait that every backend implements, what a mutation carries and leaves behind, what it writes, and how a call can fail.

mod error;
mod step;
mod store;
mod write;

pub use error::{Result, StoreError};
pub use step::{AuditEntry, Change, ChangeKind, Key, KeyKind, Revision, Step};
pub use store::{EachClient, Loaded, Store};
pub use write::Write;
