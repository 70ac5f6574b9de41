//! What a store can answer instead of a result.

use thiserror::Error;

/// The result of every store call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why a store call gave no result. The variant says what to do about it; nobody decides by a text. The texts are for the operator's log. They may name files and
/// tables, never a secret, and they are never sent to a caller.
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
    /// program.
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
    /// A newer version of this program has changed the schema. The text names the schema. Nothing was read or written.
    #[error("the schema ({0}) is newer than this program: run the newer version")]
    Newer(String),
    /// Another process holds the store, which only one may have open. Nothing was written.
    #[error("{0}")]
    InUse(String),
    /// The operating system does not let this user read or write the store. Nothing was written.
    #[error("this user may not use the store: {0}")]
    Denied(String),
    /// Something stands in the way that whoever runs this can put right, as the text says: a server that has to be stopped, a copy that was not finished. Nothing
    /// was written.
    #[error("{0}")]
    InTheWay(String),
    /// There is no room. Nothing was written. The store works again by itself when there is room.
    #[error("the store is full: {0}")]
    Full(String),
    /// A write or a synchronisation failed. Nobody knows what is on the disk, and whether this change is. The process must end and start from the disk again. Every
    /// later mutation gets this answer too.
    #[error("the store failed and must be opened again: {0}")]
    Fatal(String),
}
