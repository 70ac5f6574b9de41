//! The contract: the trait that every backend implements, what a mutation carries and leaves behind, what it writes, and what makes the static clients equal to
//! a list.

mod feed;
mod loaded;
mod methods;
mod reseal;
mod schema;
mod static_clients;
mod step;
mod store;
mod uses;
mod write;

pub use feed::{Changed, ChangedRecords, Epoch, History, NEWEST_ROWS, NotAnEpoch};
pub use loaded::{EachClient, Loaded};
pub use reseal::{ResealFrom, Resealed};
pub use schema::{AppliedMigration, Migration, check_none_missing, indexed_while_changed, missing_migrations, not_expanding};
pub use static_clients::{StaticChange, static_changes};
pub use step::{AuditEntry, AuditStart, Change, ChangeKind, Committed, Details, HistoryFilter, HistoryPart, Key, KeyKind, Revision, Step};
pub use store::{ATTEMPTS_AHEAD_MS, PRUNED_AT_ONCE, Store};
pub use uses::UsesLeft;
pub use write::{Deciding, Write};
