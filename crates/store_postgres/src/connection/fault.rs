//! What goes wrong inside, and what the contract calls it.

use falconer_store::StoreError;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::WrongType;

/// The result of everything that runs on a connection.
pub(crate) type Res<T> = Result<T, Fault>;

/// A store error, or an error of the driver that has no name in the contract yet.
#[derive(Debug)]
pub(crate) enum Fault {
    Store(StoreError),
    Sql(tokio_postgres::Error),
    /// A value of a row is not what is read from its column. The driver has one type for all its errors, so it is told apart where it happens.
    Value(tokio_postgres::Error),
}

impl Fault {
    /// Whether it is the connection that can't be used for writing, so that another one may do. What was asked has not happened, unless it was a commit.
    pub(crate) fn is_of_the_connection(&self) -> bool {
        let Fault::Sql(error) = self else { return false };
        let Some(state) = error.code() else {
            return error.is_closed() || std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>());
        };
        // What `STILL_GOOD` says, a server that takes no writes, one that ends, and a connection that ended.
        [SqlState::DIVISION_BY_ZERO, SqlState::READ_ONLY_SQL_TRANSACTION].contains(state)
            || ["57P", "08"].iter().any(|class| state.code().starts_with(class))
    }

    /// Whether a lock was waited for in vain.
    pub(crate) fn is_lock_not_free(&self) -> bool {
        matches!(self, Fault::Sql(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::Store(error)
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Fault {
        Fault::Sql(error)
    }
}

/// Before the commit: nothing has been written. What a statement says that is committed by itself is named where it runs.
impl From<Fault> for StoreError {
    fn from(fault: Fault) -> StoreError {
        match fault {
            Fault::Store(error) => error,
            Fault::Sql(error) => named(&error),
            // Another program wrote it, which knows another schema.
            Fault::Value(error) => StoreError::Corrupt(text(&error)),
        }
    }
}

/// The contract's name when the commit itself failed.
pub(crate) fn at_commit(error: &tokio_postgres::Error) -> StoreError {
    // What the server says of the transaction itself is certain. What it says of its own end (class 57), or of the connection (08), is not: it may
    // have committed before.
    match error.code().and_then(|state| state.code().get(..2)) {
        Some(class) if error.as_db_error().is_some() && !matches!(class, "57" | "08" | "58" | "XX") => named(error),
        _ => StoreError::Unknown(format!("the connection was lost while a change was being committed: {}", text(error))),
    }
}

/// The contract's name when a statement failed that the commit did not wait for. Where the database says so, the transaction has not happened; where the connection was lost,
/// nobody knows what became of the commit behind it.
pub(crate) fn beside_commit(fault: Fault) -> StoreError {
    match fault {
        Fault::Sql(error) if error.as_db_error().is_none() => at_commit(&error),
        fault => fault.into(),
    }
}

fn named(error: &tokio_postgres::Error) -> StoreError {
    let text = text(error);
    let Some(state) = error.code() else {
        // A column has another type than the value that was to be written into it.
        let is_misfit = std::error::Error::source(error).is_some_and(|cause| cause.is::<WrongType>());
        return if is_misfit { StoreError::Corrupt(text) } else { StoreError::Unavailable(text) };
    };
    match (state, state.code().get(..2)) {
        (state, _) if *state == SqlState::UNIQUE_VIOLATION => StoreError::Conflict,
        (state, _) if *state == SqlState::DISK_FULL => StoreError::Full(text),
        // Rolled back for the sake of others (a deadlock, a failure to serialize): it has certainly not happened, and is decided again at once.
        (state, Some("40")) if *state != SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN => StoreError::Stale,
        // Rules of the schema, data that fits no column, tables that are not there, damaged pages.
        (_, Some("22" | "23" | "42" | "XX")) => StoreError::Corrupt(text),
        _ => StoreError::Unavailable(text),
    }
}

/// The error with what the server says of it, never with parameters: they may be secrets.
pub(crate) fn text(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("PostgreSQL says: {} ({})", db.message(), db.code().code()),
        None => {
            let mut text = error.to_string();
            let mut next = std::error::Error::source(error);
            while let Some(cause) = next {
                text.push_str(": ");
                text.push_str(&cause.to_string());
                next = cause.source();
            }
            text
        }
    }
}
