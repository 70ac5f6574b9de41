//! Opening the file: its mode, and the pragmas of every connection.

use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

use falconer_store::{Result, StoreError};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::connection::fault::Fault;

/// Makes the file if there is none, readable by nobody else. SQLite gives its other files the same mode.
pub(crate) fn prepare(path: &Path) -> Result<()> {
    let failed = |error: std::io::Error| unavailable(path, &error);
    match private(OpenOptions::new().read(true).write(true).create_new(true)).open(path) {
        Ok(_) => sync_folder(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => make_private(path).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

/// A connection to the file with everything set that every connection needs.
pub(crate) fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|error| not_opened(path, error))?;
    configure(&connection).map_err(|fault| at_path(path, fault.named()))?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(|error| at_path(path, Fault::from(error).named()))?;
    if mode != "wal" {
        return Err(StoreError::Unavailable(format!("{}: no write-ahead log here (got {mode})", path.display())));
    }
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn connect_to_read(path: &Path) -> Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true).map_err(|error| Fault::from(error).named())?;
    Ok(connection)
}

/// A database in memory, with the same rules where they mean something.
pub(crate) fn connect_to_memory() -> Result<Connection> {
    let connection = Connection::open_in_memory().map_err(|error| Fault::from(error).named())?;
    configure(&connection).map_err(Fault::named)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> std::result::Result<(), Fault> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(128);
    for (pragma, value) in [
        ("synchronous", "FULL"),
        ("fullfsync", "ON"),
        ("checkpoint_fullfsync", "ON"),
        ("foreign_keys", "ON"),
        ("trusted_schema", "OFF"),
        ("cell_size_check", "ON"),
        // What is deleted is overwritten.
        ("secure_delete", "ON"),
        // The writer does it, and looks at the outcome.
        ("wal_autocheckpoint", "0"),
        ("temp_store", "MEMORY"),
    ] {
        // Some pragmas answer with a row and some do not.
        connection.pragma(None, pragma, value, |_| Ok(()))?;
    }
    Ok(())
}

fn at_path(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Corrupt(why) => StoreError::Corrupt(format!("{}: {why}", path.display())),
        StoreError::Unavailable(why) => StoreError::Unavailable(format!("{}: {why}", path.display())),
        StoreError::Full(why) => StoreError::Full(format!("{}: {why}", path.display())),
        StoreError::Denied(why) => StoreError::Denied(format!("{}: {why}", path.display())),
        other => other,
    }
}

/// What the operating system says of a file, as the contract calls it.
pub(crate) fn unavailable(path: &Path, error: &std::io::Error) -> StoreError {
    let text = format!("{}: {error}", path.display());
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => StoreError::Denied(text),
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full(text),
        _ => StoreError::Unavailable(text),
    }
}

/// Why a database could not be opened. SQLite says only that it could not, so the operating system is asked why.
pub(crate) fn not_opened(path: &Path, error: rusqlite::Error) -> StoreError {
    let by_system = match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => File::open(path).err(),
        _ => None,
    };
    match by_system {
        Some(found) => unavailable(path, &found),
        None => at_path(path, Fault::from(error).named()),
    }
}

#[cfg(unix)]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn make_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(path: &Path) -> std::io::Result<()> {
    std::fs::metadata(path).map(|_| ())
}

/// The folder that a file is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Synchronises the folder that a file is in. Else a new name in it may be gone after a power cut.
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    synchronise(folder_of(path)).map_err(|error| unavailable(path, &error))
}

#[cfg(unix)]
fn synchronise(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn synchronise(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}
