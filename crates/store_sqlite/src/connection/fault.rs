//! What goes wrong inside, and what the contract calls it.

use falconer_store::StoreError;
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// The result of everything that runs on a connection.
pub(crate) type Res<T> = Result<T, Fault>;

/// A store error, or an error of the driver that has no name in the contract yet.
#[derive(Debug)]
pub(crate) enum Fault {
    Store(StoreError),
    Sql(rusqlite::Error),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::Store(error)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::Sql(error)
    }
}

impl From<rusqlite::types::FromSqlError> for Fault {
    fn from(error: rusqlite::types::FromSqlError) -> Fault {
        Fault::Store(StoreError::Corrupt(format!("a column has another type than the schema says: {error}")))
    }
}

impl Fault {
    /// The contract's name for it, before the commit: nothing has been written.
    pub(crate) fn named(self) -> StoreError {
        match self {
            Fault::Store(error) => error,
            Fault::Sql(error) => named(&error),
        }
    }

    /// The contract's name for it when the commit itself failed. Whatever is not known to leave things as they were is fatal.
    pub(crate) fn at_commit(self) -> StoreError {
        match self.named() {
            known @ (StoreError::Full(_) | StoreError::Unavailable(_) | StoreError::Denied(_) | StoreError::Fatal(_)) => known,
            other => StoreError::Fatal(other.to_string()),
        }
    }
}

fn named(error: &rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(code, _) = error else {
        return StoreError::Corrupt(format!("what was read does not fit the schema: {error}"));
    };
    let text = error.to_string();
    match code.code {
        ErrorCode::ConstraintViolation => match code.extended_code {
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_ROWID => StoreError::Conflict,
            _ => StoreError::Corrupt(format!("a record breaks a rule of the schema: {text}")),
        },
        ErrorCode::DiskFull => StoreError::Full(text),
        // The shared-memory index could not grow: that is how a full disk shows there, and the transaction can be rolled back.
        ErrorCode::SystemIoFailure if code.extended_code == ffi::SQLITE_IOERR_SHMSIZE => StoreError::Full(text),
        ErrorCode::SystemIoFailure => StoreError::Fatal(text),
        ErrorCode::DatabaseCorrupt => StoreError::Corrupt(text),
        ErrorCode::NotADatabase => StoreError::Corrupt("the file is not a database of Falconer".to_owned()),
        ErrorCode::PermissionDenied => StoreError::Denied(text),
        _ => StoreError::Unavailable(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(extended: i32) -> Fault {
        Fault::Sql(rusqlite::Error::SqliteFailure(ffi::Error::new(extended), None))
    }

    #[test]
    fn failed_synchronisation_is_fatal_and_a_full_disk_is_not() {
        for extended in [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_DIR_FSYNC, ffi::SQLITE_IOERR_READ] {
            assert!(matches!(sqlite(extended).at_commit(), StoreError::Fatal(_)), "{extended}");
            assert!(matches!(sqlite(extended).named(), StoreError::Fatal(_)), "{extended}");
        }
        assert!(matches!(sqlite(ffi::SQLITE_FULL).at_commit(), StoreError::Full(_)));
        assert!(matches!(sqlite(ffi::SQLITE_IOERR_SHMSIZE).at_commit(), StoreError::Full(_)));
        assert!(matches!(sqlite(ffi::SQLITE_BUSY).at_commit(), StoreError::Unavailable(_)));
    }

    #[test]
    fn what_is_not_understood_at_commit_is_fatal() {
        assert!(matches!(sqlite(ffi::SQLITE_CORRUPT).at_commit(), StoreError::Fatal(_)));
        assert!(matches!(sqlite(ffi::SQLITE_CORRUPT).named(), StoreError::Corrupt(_)));
    }
}
