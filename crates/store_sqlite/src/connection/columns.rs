//! How lists and JSON are kept in columns, and reading rows into records.

use falconer_store::StoreError;
use rusqlite::{Connection, Params, Row};
use serde_json::Value;

use crate::connection::fault::{Fault, Res};

/// A list as a JSON array.
pub(crate) fn list(items: &[String]) -> Res<String> {
    serde_json::to_string(items).map_err(|error| StoreError::Corrupt(format!("a list can't be written: {error}")).into())
}

/// The list of a column.
pub(crate) fn read_list(row: &Row<'_>, column: usize) -> Res<Vec<String>> {
    serde_json::from_str(row.get_ref(column)?.as_str()?).map_err(not_json)
}

/// Optional JSON as text.
pub(crate) fn json(value: Option<&Value>) -> Option<String> {
    value.map(Value::to_string)
}

/// The optional JSON of a column.
pub(crate) fn read_json(row: &Row<'_>, column: usize) -> Res<Option<Value>> {
    row.get_ref(column)?.as_str_or_null()?.map(serde_json::from_str).transpose().map_err(not_json)
}

fn not_json(error: serde_json::Error) -> Fault {
    StoreError::Corrupt(format!("a column does not hold the JSON that it should: {error}")).into()
}

/// All rows of a query, each read by `read`.
pub(crate) fn all<T>(connection: &Connection, sql: &str, params: impl Params, mut read: impl FnMut(&Row<'_>) -> Res<T>) -> Res<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = Vec::new();
    {
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            found.push(read(row)?);
        }
    }
    note_work(&statement);
    Ok(found)
}

/// The first row of a query, if there is one.
pub(crate) fn first<T>(connection: &Connection, sql: &str, params: impl Params, read: impl FnOnce(&Row<'_>) -> Res<T>) -> Res<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query(params)?.next()?.map(read).transpose();
    note_work(&statement);
    found
}

/// Runs a statement that gives no rows; how many it touched.
pub(crate) fn run(connection: &Connection, sql: &str, params: impl Params) -> Res<usize> {
    let mut statement = connection.prepare_cached(sql)?;
    let touched = statement.execute(params)?;
    note_work(&statement);
    Ok(touched)
}

#[cfg(test)]
thread_local! {
    /// Steps of SQLite's machine, of the statements that this thread ran.
    pub(crate) static STEPS: std::cell::Cell<i64> = const { std::cell::Cell::new(0) };
}

/// Tests of how much work something is count it.
#[cfg(test)]
fn note_work(statement: &rusqlite::Statement<'_>) {
    let steps = statement.reset_status(rusqlite::StatementStatus::VmStep);
    STEPS.set(STEPS.get() + i64::from(steps));
}

#[cfg(not(test))]
fn note_work(_: &rusqlite::Statement<'_>) {}
