//! What a store can answer instead of a result.

use thiserror::Error;

/// The result of every store call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why a store call gave no result. The texts are for the operator's log: they may name files and tables, never a secret, and they are
/// never sent to a caller.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// Something that the step depends on has changed since it was decided (or the revision is from before what the change feed still
    /// knows). Nothing was written: read again, decide again.
    #[error("decided on records that have changed since")]
    Stale,
    /// What should be new exists, or what should exist is gone. Nothing was written.
    #[error("the record exists already, or is gone")]
    Conflict,
    /// The store is busy, locked or away. Nothing was written. Trying later is right.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The connection was lost in the middle of a commit: nobody knows whether what was to be written is there. Read it as soon as the store answers.
    #[error("nobody knows whether the change was committed: {0}")]
    Unknown(String),
    /// What was read is not what was written: a sealed value that does not open, a file that is not a database, a schema of another
    /// version.
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
    /// Something stands in the way that whoever runs this can put right, as the text says: a server that has to be stopped, a copy that was not finished. Nothing
    /// was written.
    #[error("{0}")]
    InTheWay(String),
    /// There is no room. Nothing was written; the store works again by itself when there is room again.
    #[error("the store is full: {0}")]
    Full(String),
    /// A write or a synchronisation failed, so that nobody knows what is on the disk, this change included. The process must end and start from the disk again;
    /// every later mutation gets this answer too.
    #[error("the store failed and must be opened again: {0}")]
    Fatal(String),
}
