//! What a copy holds: whether it is whole and ours, where it stands, and whether keys open it.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use falconer_store::{Damaged, History, KeyRing, Result, Revision, SealedKind, StoreError, missing_migrations};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::connection::columns::all;
use crate::connection::fault::Res;
use crate::connection::file::{connect_to_read, not_opened, unavailable};
use crate::connection::migrate::{APPLICATION_ID, MIGRATIONS, application_id, applied};
use crate::following::history;

/// So many of the values that do not open are named.
const NAMED: usize = 20;

/// The query of each sealed column: the row, and the value.
const SEALED: [(SealedKind, &str); 7] = [
    (SealedKind::Client, "SELECT client_id, access_token FROM clients"),
    (SealedKind::OldToken, "SELECT client_id, old_access_token FROM clients WHERE old_access_token IS NOT NULL"),
    (SealedKind::Issuer, "SELECT name, token FROM issuers"),
    (SealedKind::Account, "SELECT account, hash FROM passwords"),
    (SealedKind::RecoveryCode, "SELECT id, hash FROM recovery_codes"),
    (SealedKind::Session, "SELECT id_hash, csrf FROM sessions"),
    (SealedKind::Refresh, "SELECT identity, handle FROM refreshes WHERE handle IS NOT NULL"),
];

/// What is neither a table that has rows nor an index.
const FOREIGN: &str = "SELECT CASE WHEN type = 'table' THEN 'virtual table' ELSE type END || ' ' || name FROM sqlite_schema
    WHERE type NOT IN ('table', 'index') OR (type = 'table' AND coalesce(rootpage, 0) = 0) ORDER BY type, name LIMIT 20";

/// What a copy holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    /// Its history; nothing in a schema that is older than histories.
    pub history: Option<History>,
    /// Its revision.
    pub revision: Revision,
    /// The highest time of any committed step, milliseconds since 1970.
    pub highest_ms: i64,
    /// Changes of the schema that this program knows, and the file has not seen.
    pub missing: usize,
    /// The newest change of the schema that it has seen, such as `0003_history`.
    pub schema: String,
    /// How many sealed values there are.
    pub sealed: usize,
    /// The ids of the keys that sealed them.
    pub key_ids: BTreeSet<String>,
    /// How many of them the keys do not open; 0 where no keys were given.
    pub unopened: usize,
    /// The first of those.
    pub damaged: Vec<Damaged>,
    /// Triggers, views and virtual tables, such as `trigger follow`: no version of the schema has any, and they run with the statements of whoever opens the file.
    pub foreign: Vec<String>,
}

/// Whether the file begins as a database of Falconer does. Nothing of SQLite is asked, so that a file in use is left alone.
pub fn is_a_database_of_ours(file: &Path) -> Result<bool> {
    let mut head = [0_u8; 72];
    let read = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut head));
    match read {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(false),
        Err(error) => return Err(unavailable(file, &error)),
    }
    // https://www.sqlite.org/fileformat.html: the application's id is at 68.
    let id = head.get(68..72).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes);
    Ok(head.starts_with(b"SQLite format 3\0") && id.is_some_and(|id| i64::from(id) == APPLICATION_ID))
}

/// Reads a copy that nobody uses, through to its last page, and opens each sealed value with `keys`.
///
/// Errors: [`StoreError::Corrupt`] where it is damaged or not ours, [`StoreError::Newer`] where it is of a newer version.
pub fn inspect(file: &Path, keys: Option<&KeyRing>) -> Result<Inspected> {
    if !is_a_database_of_ours(file)? {
        return Err(StoreError::Corrupt(format!("{} is no database of Falconer", file.display())));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(unchanging(file), flags).map_err(|error| not_opened(file, error))?;
    is_whole(&connection).and_then(|()| look(&connection, keys)).map_err(|fault| at(file, fault.named()))
}

/// The same of a database that servers may use, without reading it through.
pub fn look_beside(file: &Path, keys: Option<&KeyRing>) -> Result<Inspected> {
    let other = || StoreError::Corrupt(format!("{} is no database of Falconer", file.display()));
    // Before the first checkpoint the id is in the log beside it. Without a log nothing of another program is opened.
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    if !is_a_database_of_ours(file)? && !Path::new(&log).exists() {
        return Err(other());
    }
    let connection = connect_to_read(file)?;
    if application_id(&connection).map_err(|fault| at(file, fault.named()))? != APPLICATION_ID {
        return Err(other());
    }
    look(&connection, keys).map_err(|fault| at(file, fault.named()))
}

fn at(file: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Corrupt(why) => StoreError::Corrupt(format!("{}: {why}", file.display())),
        other => other,
    }
}

/// A name by which SQLite makes no other file beside it: nobody writes to it meanwhile.
fn unchanging(file: &Path) -> String {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut name = String::from("file://");
    for character in path.to_string_lossy().chars() {
        match character {
            '%' => name.push_str("%25"),
            '?' => name.push_str("%3f"),
            '#' => name.push_str("%23"),
            other => name.push(other),
        }
    }
    name.push_str("?immutable=1");
    name
}

fn is_whole(connection: &Connection) -> Res<()> {
    connection.pragma(None, "cell_size_check", "ON", |_| Ok(()))?;
    connection.pragma(None, "trusted_schema", "OFF", |_| Ok(()))?;
    let problems: Vec<String> = all(connection, "PRAGMA integrity_check(5)", [], |row| Ok(row.get(0)?))?;
    if problems.iter().any(|line| line != "ok") {
        return Err(StoreError::Corrupt(format!("it is damaged: {}", problems.join("; "))).into());
    }
    Ok(())
}

fn look(connection: &Connection, keys: Option<&KeyRing>) -> Res<Inspected> {
    let applied = applied(connection)?;
    let missing = missing_migrations(&applied, MIGRATIONS)?.len();
    let (revision, highest_ms) = connection.query_row("SELECT revision, highest_ms FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let knows_histories = has_column(connection, "meta", "epoch")?;
    let mut found = Inspected {
        history: if knows_histories { Some(history::standing(connection)?.history) } else { None },
        revision: Revision(revision),
        highest_ms,
        missing,
        schema: applied.into_iter().next_back().map(|(_, name, _)| name).unwrap_or_default(),
        sealed: 0,
        key_ids: BTreeSet::new(),
        unopened: 0,
        damaged: Vec::new(),
        foreign: all(connection, FOREIGN, [], |row| Ok(row.get(0)?))?,
    };
    for (kind, sql) in SEALED {
        let (table, column) = kind.stored_in();
        if has_column(connection, table, column)? {
            open_each(connection, kind, sql, keys, &mut found)?;
        }
    }
    Ok(found)
}

/// One value after the other, however many there are.
fn open_each(connection: &Connection, kind: SealedKind, sql: &str, keys: Option<&KeyRing>, found: &mut Inspected) -> Res<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, sealed) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_blob()?);
        found.sealed = found.sealed.saturating_add(1);
        if let Some(key_id) = KeyRing::key_id_of(sealed)
            && !found.key_ids.contains(key_id)
        {
            found.key_ids.insert(key_id.to_owned());
        }
        let Some(Err(error)) = keys.map(|keys| keys.open(&kind.place(id), sealed)) else { continue };
        found.unopened = found.unopened.saturating_add(1);
        if found.damaged.len() < NAMED {
            found.damaged.push(Damaged { kind, id: id.to_owned(), why: error.to_string() });
        }
    }
    Ok(())
}

fn has_column(connection: &Connection, table: &str, name: &str) -> Res<bool> {
    let sql = "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2";
    Ok(connection.query_row(sql, [table, name], |_| Ok(())).optional()?.is_some())
}
