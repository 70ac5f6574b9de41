//! Reading rows into records, and JSON in columns.

use deadpool_postgres::GenericClient;
use falconer_store::StoreError;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql};

use crate::connection::fault::Res;

/// The values of a statement.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The value of a column.
pub(crate) fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Res<T> {
    Ok(row.try_get(column)?)
}

/// Optional JSON as text.
pub(crate) fn json(value: Option<&Value>) -> Option<String> {
    value.map(Value::to_string)
}

/// The optional JSON of a column.
pub(crate) fn read_json(row: &Row, column: usize) -> Res<Option<Value>> {
    let text: Option<&str> = get(row, column)?;
    let not_json = |error| StoreError::Corrupt(format!("a column does not hold the JSON that it should: {error}"));
    Ok(text.map(serde_json::from_str).transpose().map_err(not_json)?)
}

/// All rows of a query, each read by `read`.
pub(crate) async fn all<T>(on: &impl GenericClient, sql: &str, params: Params<'_>, read: impl Fn(&Row) -> Res<T> + Send) -> Res<Vec<T>> {
    let statement = on.prepare_cached(sql).await?;
    let rows = on.query(&statement, params).await?;
    rows.iter().map(read).collect()
}

/// The first row of a query, if there is one.
pub(crate) async fn first<T>(
    on: &impl GenericClient,
    sql: &str,
    params: Params<'_>,
    read: impl Fn(&Row) -> Res<T> + Send,
) -> Res<Option<T>> {
    let statement = on.prepare_cached(sql).await?;
    let rows = on.query(&statement, params).await?;
    rows.first().map(read).transpose()
}

/// Whether a query finds something.
pub(crate) async fn finds(on: &impl GenericClient, sql: &str, params: Params<'_>) -> Res<bool> {
    Ok(first(on, sql, params, |_| Ok(())).await?.is_some())
}

/// Runs a statement that gives no rows; how many it touched.
pub(crate) async fn run(on: &impl GenericClient, sql: &str, params: Params<'_>) -> Res<u64> {
    let statement = on.prepare_cached(sql).await?;
    Ok(on.execute(&statement, params).await?)
}
