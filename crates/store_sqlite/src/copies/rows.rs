//! All rows of a file, for a copy from one backend into the other.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use falconer_store::copying::{Column, Kind, Row, RowSource, RowTarget, Standing, Table, Value};
use falconer_store::{Epoch, Result, Revision, StoreError, check_none_missing};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, params_from_iter};

use crate::connection::columns::all;
use crate::connection::fault::{Fault, Res};
use crate::connection::file::{self, sync_folder, unavailable};
use crate::connection::lock::FileLock;
use crate::connection::migrate::{MIGRATIONS, applied, migrate};
use crate::copies::replace::{alone, named};
use crate::following::history;
use crate::steps::writing::write;

/// A file whose rows are read or written.
pub struct FileRows {
    connection: Connection,
    /// The table that is being read, and the key of its last row that was read.
    reading: Option<(&'static Table, Option<Vec<Value>>)>,
    /// Where the file is while it is written, and where it will be.
    target: Option<(PathBuf, PathBuf)>,
    _lock: FileLock,
}

impl FileRows {
    /// The rows of the database `path`, held against every writer. Errors: [`StoreError::Unavailable`] where a server runs on it, [`StoreError::InTheWay`] where its
    /// schema is older, [`StoreError::Corrupt`] where it is not this program's.
    pub fn source(path: &Path) -> Result<FileRows> {
        let lock = FileLock::take(path)?;
        let connection = file::connect(path)?;
        let at_head = |connection: &Connection| -> Res<()> { Ok(check_none_missing(&applied(connection)?, MIGRATIONS)?) };
        at_head(&connection).map_err(Fault::named)?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| Fault::from(error).named())?;
        Ok(FileRows { connection, reading: None, target: None, _lock: lock })
    }

    /// A new database that gets the name `path` when it is finished; what a killed copy has left goes on. Errors: [`StoreError::Conflict`] where there is one
    /// of that name.
    pub fn target(path: &Path) -> Result<FileRows> {
        let lock = FileLock::take(path)?;
        if path.exists() {
            return Err(StoreError::Conflict);
        }
        let unfinished = named(path, ".copying");
        file::prepare(&unfinished)?;
        let mut connection = file::connect(&unfinished)?;
        write(&mut connection, |connection| migrate(connection, MIGRATIONS))?;
        Ok(FileRows { connection, reading: None, target: Some((unfinished, path.to_owned())), _lock: lock })
    }
}

#[async_trait]
impl RowSource for FileRows {
    async fn standing(&mut self) -> Result<Standing> {
        let standing = history::standing(&self.connection).map_err(Fault::named)?;
        Ok(Standing {
            revision: standing.revision,
            highest_ms: standing.highest_ms,
            feed_floor: standing.floor,
            epoch: standing.history.epoch,
        })
    }

    async fn count(&mut self, table: &'static Table) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        let count: i64 = self.connection.query_row(&sql, [], |row| row.get(0)).map_err(|error| Fault::from(error).named())?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    async fn open(&mut self, table: &'static Table) -> Result<()> {
        self.reading = Some((table, None));
        Ok(())
    }

    async fn next(&mut self, most: usize) -> Result<Vec<Row>> {
        let Some((table, after)) = &self.reading else { return Ok(Vec::new()) };
        let rows = read(&self.connection, table, after.as_deref(), most).map_err(Fault::named)?;
        let last = rows.last().and_then(|row| row.get(..table.key)).map(<[Value]>::to_vec);
        self.reading = last.map(|last| (*table, Some(last)));
        Ok(rows)
    }
}

#[async_trait]
impl RowTarget for FileRows {
    async fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<()> {
        let names: Vec<&str> = table.columns.iter().map(|column| name_of(column)).collect();
        let places: Vec<String> = (1..=names.len()).map(|place| format!("?{place}")).collect();
        let sql = format!("INSERT INTO {} ({}) VALUES ({})", table.name, names.join(", "), places.join(", "));
        write(&mut self.connection, |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            for row in rows {
                statement.execute(params_from_iter(row.iter().map(Bound)))?;
            }
            Ok(())
        })?;
        checkpoint(&self.connection).map_err(Fault::named)
    }

    async fn clear(&mut self, table: &'static Table) -> Result<()> {
        let sql = format!("DELETE FROM {}", table.name);
        write(&mut self.connection, |connection| Ok(connection.execute_batch(&sql)?))
    }

    async fn finish(&mut self, standing: &Standing, epoch: Epoch) -> Result<()> {
        let Some((unfinished, path)) = &self.target else {
            return Err(StoreError::Unavailable("a source is not written to".to_owned()));
        };
        let Standing { revision: Revision(revision), highest_ms, feed_floor, .. } = *standing;
        write(&mut self.connection, |connection| {
            let sql = "UPDATE meta SET revision = ?1, highest_ms = ?2, feed_floor = ?3, epoch = ?4, epoch_start = ?1";
            connection.execute(sql, rusqlite::params![revision, highest_ms, feed_floor.0, epoch.to_string()])?;
            Ok(())
        })?;
        // The last connection takes the log along; from then on it is one file.
        self.connection = file::connect_to_memory()?;
        drop(alone(unfinished).map_err(Fault::named)?);
        let failed = |error: std::io::Error| unavailable(path, &error);
        std::fs::File::open(unfinished).and_then(|file| file.sync_all()).map_err(failed)?;
        std::fs::rename(unfinished, path).map_err(failed)?;
        sync_folder(path)
    }

    /// The queries here are planned well without.
    async fn gather_statistics(&mut self) -> Result<()> {
        Ok(())
    }
}

fn checkpoint(connection: &Connection) -> Res<()> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// What the column is called here.
fn name_of(column: &Column) -> &'static str {
    if column.kind == Kind::Number { "rowid" } else { column.name }
}

fn read(connection: &Connection, table: &Table, after: Option<&[Value]>, most: usize) -> Res<Vec<Row>> {
    let names: Vec<&str> = table.columns.iter().map(|column| name_of(column)).collect();
    let key = names.get(..table.key).unwrap_or_default().join(", ");
    let places: Vec<String> = (1..=table.key).map(|place| format!("?{place}")).collect();
    let beyond = if after.is_some() { format!("WHERE ({key}) > ({})", places.join(", ")) } else { String::new() };
    let sql = format!("SELECT {} FROM {} {beyond} ORDER BY {key} LIMIT {most}", names.join(", "), table.name);
    all(connection, &sql, params_from_iter(after.unwrap_or_default().iter().map(Bound)), |row| {
        table.columns.iter().enumerate().map(|(place, column)| value(column.kind, row.get_ref(place)?)).collect()
    })
}

fn value(kind: Kind, found: ValueRef<'_>) -> Res<Value> {
    Ok(match (kind, found) {
        (_, ValueRef::Null) => Value::Null,
        (Kind::Bool, found) => Value::Bool(found.as_i64()? != 0),
        (Kind::Int | Kind::Number, found) => Value::Int(found.as_i64()?),
        (Kind::Text, found) => Value::Text(found.as_str()?.to_owned()),
        (Kind::Bytes, found) => Value::Bytes(found.as_blob()?.to_vec()),
        (Kind::List, found) => {
            let items = serde_json::from_str(found.as_str()?);
            Value::List(items.map_err(|error| StoreError::Corrupt(format!("a column does not hold the list that it should: {error}")))?)
        }
    })
}

/// A value as a parameter.
struct Bound<'v>(&'v Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let owned = |value: rusqlite::types::Value| Ok(ToSqlOutput::Owned(value));
        match self.0 {
            Value::Null => Ok(ToSqlOutput::Borrowed(ValueRef::Null)),
            Value::Int(number) => Ok(ToSqlOutput::Borrowed(ValueRef::Integer(*number))),
            Value::Bool(flag) => Ok(ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*flag)))),
            Value::Text(text) => Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
            Value::Bytes(bytes) => Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
            Value::List(items) => {
                let text = serde_json::to_string(items).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
                owned(rusqlite::types::Value::Text(text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use falconer_store::copying::{NOT_COPIED, TABLES};

    use super::*;

    /// A table or a column that is added to the schema, and not to what is copied, would be lost with a migration.
    #[test]
    fn all_that_the_schema_has_is_copied() {
        let mut connection = file::connect_to_memory().unwrap();
        write(&mut connection, |connection| migrate(connection, MIGRATIONS)).unwrap();
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let there: BTreeSet<String> = all(&connection, sql, [], |row| Ok(row.get(0)?)).unwrap().into_iter().collect();
        let expected: BTreeSet<String> = there.into_iter().filter(|name| !NOT_COPIED.contains(&name.as_str())).collect();
        assert_eq!(TABLES.iter().map(|table| table.name.to_owned()).collect::<BTreeSet<_>>(), expected);
        for table in TABLES {
            let sql = "SELECT name, type, pk FROM pragma_table_info(?1)";
            let found: Vec<(String, String, i64)> =
                all(&connection, sql, [table.name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
            let rowid = |column: &str| column == "id" && table.name == "audit";
            let expected: BTreeSet<(String, &str)> = table
                .columns
                .iter()
                .filter(|column| column.kind != Kind::Number || rowid(column.name))
                .map(|column| {
                    let kept_as = match column.kind {
                        Kind::Int | Kind::Bool | Kind::Number => "INTEGER",
                        Kind::Text | Kind::List => "TEXT",
                        Kind::Bytes => "BLOB",
                    };
                    (column.name.to_owned(), kept_as)
                })
                .collect();
            assert_eq!(
                found.iter().map(|(name, kind, _)| (name.clone(), kind.as_str())).collect::<BTreeSet<_>>(),
                expected,
                "{}",
                table.name
            );
            let key: BTreeSet<&str> = found.iter().filter(|(_, _, key)| *key > 0).map(|(name, ..)| name.as_str()).collect();
            assert_eq!(table.columns[..table.key].iter().map(|column| column.name).collect::<BTreeSet<_>>(), key, "{}", table.name);
        }
    }
}
