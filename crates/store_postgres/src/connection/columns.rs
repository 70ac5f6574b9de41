//! Statements and their values, reading rows into records, and JSON in columns.
//!
//! No statement has a name: a pooler that hands connections out by the transaction would run it where it was never prepared, or where another
//! server's has the same name. So a statement goes out with the types of its values, and its rows come back at once.

use std::future::Future;
use std::pin::pin;

use deadpool_postgres::{Object, Transaction};
use falconer_store::StoreError;
use futures_util::TryStreamExt as _;
use futures_util::future::{join_all, try_join_all};
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Error, Row, RowStream};

use crate::connection::fault::{Fault, Res, at_commit};

/// What a statement runs on: a connection, or a transaction on it.
pub(crate) trait Connection: Sync {
    /// Whether each statement is committed by itself.
    const COMMITS: bool;

    /// The rows of a statement as they arrive.
    fn rows(&self, sql: &str, values: Values<'_>) -> impl Future<Output = Result<RowStream, Error>> + Send;
}

/// What went wrong with a statement. Whether one that writes was committed by itself, nobody knows where its answer was lost.
fn fault<C: Connection>(_: &C, sql: &str, error: Error) -> Fault {
    if C::COMMITS && writes(sql) { at_commit(&error).into() } else { error.into() }
}

/// Whether a statement changes something: one of the words is in it.
fn writes(sql: &str) -> bool {
    sql.split(|c: char| !c.is_ascii_alphabetic()).any(|word| matches!(word, "INSERT" | "UPDATE" | "DELETE"))
}

impl Connection for Object {
    const COMMITS: bool = true;

    fn rows(&self, sql: &str, values: Values<'_>) -> impl Future<Output = Result<RowStream, Error>> + Send {
        self.query_typed_raw(sql, typed(values))
    }
}

impl Connection for Transaction<'_> {
    const COMMITS: bool = false;

    fn rows(&self, sql: &str, values: Values<'_>) -> impl Future<Output = Result<RowStream, Error>> + Send {
        self.query_typed_raw(sql, typed(values))
    }
}

/// The values of a statement.
pub(crate) type Values<'a> = &'a [&'a dyn Value];

/// A value of a statement.
pub(crate) trait Value: ToSql + Sync {
    /// What the database calls its type.
    fn kind(&self) -> Type;
    /// As the driver takes it.
    fn to_driver(&self) -> &(dyn ToSql + Sync);
}

impl<T: Typed + ToSql + Sync> Value for T {
    fn kind(&self) -> Type {
        T::KIND
    }

    fn to_driver(&self) -> &(dyn ToSql + Sync) {
        self
    }
}

/// A Rust type that the database has one type for.
pub(crate) trait Typed {
    const KIND: Type;
}

impl<T: Typed> Typed for &T {
    const KIND: Type = T::KIND;
}

impl<T: Typed> Typed for Option<T> {
    const KIND: Type = T::KIND;
}

macro_rules! typed {
    ($($rust:ty => $kind:ident,)*) => {
        $(impl Typed for $rust {
            const KIND: Type = Type::$kind;
        })*
    };
}

typed! {
    bool => BOOL,
    i32 => INT4,
    i64 => INT8,
    Vec<i64> => INT8_ARRAY,
    &str => TEXT,
    String => TEXT,
    &[u8] => BYTEA,
    Vec<u8> => BYTEA,
    &[String] => TEXT_ARRAY,
    &[&str] => TEXT_ARRAY,
    Vec<String> => TEXT_ARRAY,
    Vec<&str> => TEXT_ARRAY,
    Vec<Option<String>> => TEXT_ARRAY,
    &[Vec<u8>] => BYTEA_ARRAY,
    Vec<Vec<u8>> => BYTEA_ARRAY,
}

fn typed<'a>(values: Values<'a>) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value.to_driver(), value.kind())).collect()
}

/// The value of a column.
pub(crate) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Res<T> {
    row.try_get(column).map_err(Fault::Value)
}

/// Optional JSON as text.
pub(crate) fn json(value: Option<&serde_json::Value>) -> Option<String> {
    value.map(serde_json::Value::to_string)
}

/// The optional JSON of a column.
pub(crate) fn read_json(row: &Row, column: usize) -> Res<Option<serde_json::Value>> {
    let text: Option<&str> = get(row, column)?;
    let not_json = |error| StoreError::Corrupt(format!("a column does not hold the JSON that it should: {error}"));
    Ok(text.map(serde_json::from_str).transpose().map_err(not_json)?)
}

/// All rows of a query, each read by `read`.
pub(crate) async fn all<T>(on: &impl Connection, sql: &str, values: Values<'_>, read: impl Fn(&Row) -> Res<T> + Send) -> Res<Vec<T>> {
    collected(on, sql, values).await?.iter().map(read).collect()
}

/// The first row of a query, if there is one.
pub(crate) async fn first<T>(on: &impl Connection, sql: &str, values: Values<'_>, read: impl Fn(&Row) -> Res<T> + Send) -> Res<Option<T>> {
    collected(on, sql, values).await?.first().map(read).transpose()
}

async fn collected<C: Connection>(on: &C, sql: &str, values: Values<'_>) -> Res<Vec<Row>> {
    let rows = async { on.rows(sql, values).await?.try_collect().await };
    rows.await.map_err(|error| fault(on, sql, error))
}

/// Whether a query finds something.
pub(crate) async fn finds(on: &impl Connection, sql: &str, values: Values<'_>) -> Res<bool> {
    Ok(first(on, sql, values, |_| Ok(())).await?.is_some())
}

/// So many statements are sent at once where their order counts.
pub(crate) const AT_ONCE: usize = 16;

/// Runs statements that do not wait for one another. The error is that of the first one that failed: those behind it fail too, because the transaction takes no more.
pub(crate) async fn at_once<T>(statements: impl IntoIterator<Item = impl Future<Output = Res<T>>>) -> Res<Vec<T>> {
    // So few are polled, and therefore sent, in the order given.
    const { assert!(AT_ONCE <= 30) };
    join_all(statements).await.into_iter().collect()
}

/// The same of statements without an answer, as a part of more: it says at once where one can't be sent, so that nothing that is sent behind it counts without it.
pub(crate) async fn all_at_once(statements: impl IntoIterator<Item = impl Future<Output = Res<()>>>) -> Res<()> {
    try_join_all(statements).await.map(drop)
}

/// Runs a statement whose rows are not wanted; how many it touched.
pub(crate) async fn run(on: &impl Connection, sql: &str, values: Values<'_>) -> Res<u64> {
    let touched = async {
        let mut rows = pin!(on.rows(sql, values).await?);
        while rows.try_next().await?.is_some() {}
        Ok(rows.rows_affected().unwrap_or_default())
    };
    touched.await.map_err(|error| fault(on, sql, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_writes_is_told_by_its_words() {
        let with = "WITH begun AS (UPDATE meta SET epoch = $1 RETURNING revision) SELECT pg_notify($2, $3) FROM begun";
        for sql in [with, "INSERT INTO sessions (id_hash) VALUES ($1)", "DELETE FROM sessions", "UPDATE grant_secrets SET used_ms = $2"] {
            assert!(writes(sql), "{sql}");
        }
        for sql in ["SELECT 1", "SELECT deleted, updated_ms FROM changes WHERE what = $1"] {
            assert!(!writes(sql), "{sql}");
        }
    }
}
