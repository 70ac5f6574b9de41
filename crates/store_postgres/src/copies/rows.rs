//! A database whose rows are read or written. A table of its own marks one that is being written, so that no server starts on it.

use async_trait::async_trait;
use deadpool_postgres::{Object, Pool};
use falconer_store::copying::{Column, Kind, NOT_COPIED, Row, RowSource, RowTarget, Standing, TABLES, Table, Value};
use falconer_store::{Epoch, Result, Revision, StoreError};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use crate::connection::columns::get;
use crate::connection::connect::{self, Sessions, take};
use crate::connection::contact::{Connector, Contact};
use crate::connection::fault::{Fault, Res, at_commit};
use crate::connection::hash;
use crate::connection::migrate::{UNFINISHED, is_current, is_finished, migrate};
use crate::connection::transaction::Transaction;
use crate::copies::values::{Bound, Cell, Hidden};
use crate::following::history;

/// The advisory lock of whoever writes a copy: `FALW`.
const LOCK: i32 = 0x4641_4c57;
/// A copy takes as long as it takes.
const SETTINGS: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0";

/// A database whose rows are read or written, over one connection.
pub struct DatabaseRows {
    connection: Object,
    /// The table that is being read. In a source, that is inside of the one transaction that holds it.
    reading: Option<&'static Table>,
    is_source: bool,
    // Closed after the connection.
    _pool: Pool,
    /// Asks whether the database still answers.
    _watched: Contact,
}

impl DatabaseRows {
    /// The rows of a database as they are now, held against every writer. Errors: [`StoreError::InTheWay`] where servers have connections to it, where its schema
    /// is older, and where it is itself a copy that was not finished; [`StoreError::Corrupt`] where its schema is not this program's.
    pub async fn source(url: &str) -> Result<DatabaseRows> {
        let mut rows = DatabaseRows::connect(url, true).await?;
        rows.hold().await?;
        Ok(rows)
    }

    /// A database without tables, which gets them; or one into which a copy of `from` was begun. Errors: [`StoreError::Conflict`] where a Falconer is there.
    pub async fn target(url: &str) -> Result<DatabaseRows> {
        let mut rows = DatabaseRows::connect(url, false).await?;
        rows.begin().await?;
        Ok(rows)
    }

    async fn connect(url: &str, is_source: bool) -> Result<DatabaseRows> {
        let connector = Connector::of(url)?;
        // By another name: whoever counts the connections of other Falconers must not count this one.
        let mut watching = connector.clone();
        watching.config.application_name("falconer_watch");
        let watched = Contact::of_a_command(watching);
        let pool = connect::pool(connector, Sessions::Kept, watched.silence(), 1)?;
        let connection = take(&pool).await?;
        connection.batch_execute(SETTINGS).await.map_err(Fault::from)?;
        Ok(DatabaseRows { connection, reading: None, is_source, _pool: pool, _watched: watched })
    }

    async fn hold(&mut self) -> Res<()> {
        is_finished(&self.connection).await?;
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                     AND application_name = current_setting('application_name')";
        let others: i64 = get(&self.connection.query_one(sql, &[]).await?, 0)?;
        if others > 0 {
            let why = format!("{others} connections of other Falconers are open to it: stop every server and command that uses it");
            return Err(StoreError::InTheWay(why).into());
        }
        is_current(&self.connection).await?;
        let mut names = vec!["meta"];
        names.extend(TABLES.iter().map(|table| table.name));
        // The locks first: the moment that is read is that of the first query after them.
        let locks = names.join(", ");
        self.connection.batch_execute(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE {locks} IN SHARE MODE")).await?;
        Ok(())
    }

    async fn begin(&mut self) -> Res<()> {
        let sql = "SELECT pg_try_advisory_lock($1, hashtext(current_schema()))";
        if !get::<bool>(&self.connection.query_one(sql, &[&LOCK]).await?, 0)? {
            return Err(StoreError::InTheWay("another command copies into it".to_owned()).into());
        }
        let sql = format!("SELECT to_regclass('falconer_migrations') IS NOT NULL, to_regclass('{UNFINISHED}') IS NOT NULL");
        let row = self.connection.query_one(&sql, &[]).await?;
        match (get::<bool>(&row, 0)?, get::<bool>(&row, 1)?) {
            (true, false) => Err(StoreError::Conflict.into()),
            (_, true) => is_current(&self.connection).await,
            (false, false) => {
                let transaction = Transaction::begin(&self.connection, Sessions::Kept).await?;
                migrate(&transaction).await?;
                transaction.batch_execute(&format!("CREATE TABLE {UNFINISHED} (id INTEGER PRIMARY KEY)")).await?;
                Ok(transaction.commit().await?)
            }
        }
    }

    async fn all_read(&mut self) -> Res<()> {
        if self.reading.take().is_some() {
            self.connection.batch_execute(if self.is_source { "CLOSE falconer_rows" } else { "COMMIT" }).await?;
        }
        Ok(())
    }

    async fn read(&mut self, most: usize) -> Res<Vec<Row>> {
        let Some(table) = self.reading else { return Ok(Vec::new()) };
        let found = self.connection.query(&format!("FETCH {most} FROM falconer_rows"), &[]).await?;
        let value = |row: &tokio_postgres::Row, place| Ok(get::<Cell>(row, place)?.0);
        let rows: Res<Vec<Row>> = found.iter().map(|row| (0..table.columns.len()).map(|place| value(row, place)).collect()).collect();
        if found.is_empty() {
            self.all_read().await?;
        }
        rows
    }

    async fn write(&mut self, table: &'static Table, rows: &[Row]) -> Res<()> {
        let hashed: Vec<(usize, &'static str)> =
            table.columns.iter().enumerate().filter_map(|(place, column)| Some((place, column.hash?))).collect();
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).chain(hashed.iter().map(|(_, hash)| *hash)).collect();
        let names = names.join(", ");
        let types: Vec<Type> = {
            let statement = self.connection.prepare(&format!("SELECT {names} FROM {}", table.name)).await?;
            statement.columns().iter().map(|column| column.type_().clone()).collect()
        };
        // Identity columns take what is given.
        let sink = self.connection.copy_in(&format!("COPY {} ({names}) FROM STDIN BINARY", table.name)).await?;
        let writer = BinaryCopyInWriter::new(sink, &types);
        tokio::pin!(writer);
        for row in rows {
            let hashes: Vec<Value> = hashed.iter().map(|(place, _)| hash_of(row.get(*place))).collect();
            let bound: Vec<Bound<'_>> = row.iter().chain(&hashes).map(|value| Bound(Hidden(value))).collect();
            let parameters: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
            writer.as_mut().write(&parameters).await?;
        }
        writer.finish().await?;
        Ok(())
    }

    async fn let_servers_in(&mut self, standing: &Standing, epoch: Epoch) -> Res<()> {
        let transaction = self.connection.transaction().await?;
        let sql = "UPDATE meta SET revision = $1, highest_ms = $2, feed_floor = $3, epoch = $4, epoch_start = $1";
        let Standing { revision: Revision(revision), highest_ms, feed_floor, .. } = *standing;
        transaction.execute(sql, &[&revision, &highest_ms, &feed_floor.0, &epoch.to_string()]).await?;
        for sql in set_next_numbers() {
            transaction.query_one(&sql, &[]).await?;
        }
        transaction.batch_execute(&format!("DROP TABLE {UNFINISHED}")).await?;
        transaction.commit().await.map_err(|error| at_commit(&error))?;
        Ok(())
    }
}

/// What makes the next number of each identity column one that is free.
fn set_next_numbers() -> Vec<String> {
    let mut statements = Vec::new();
    for table in TABLES {
        for Column { name, .. } in table.columns.iter().filter(|column| column.kind == Kind::Number) {
            let table = table.name;
            statements.push(format!(
                "SELECT setval(pg_get_serial_sequence('{table}', '{name}'), coalesce(max({name}), 1), max({name}) IS NOT NULL) FROM {table}"
            ));
        }
    }
    statements
}

fn hash_of(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Text(text)) => Value::Bytes(hash::of(text)),
        _ => Value::Null,
    }
}

#[async_trait]
impl RowSource for DatabaseRows {
    async fn standing(&mut self) -> Result<Standing> {
        let history::Standing { history, revision, highest_ms, floor } = history::standing(&self.connection).await?;
        Ok(Standing { revision, highest_ms, feed_floor: floor, epoch: history.epoch })
    }

    async fn count(&mut self, table: &'static Table) -> Result<u64> {
        let row = self.connection.query_one(&format!("SELECT count(*) FROM {}", table.name), &[]).await.map_err(Fault::from)?;
        let count: i64 = get(&row, 0)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    async fn open(&mut self, table: &'static Table) -> Result<()> {
        self.all_read().await?;
        let names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
        // Whatever the collation of a column is, rows come in the order of their bytes.
        let order = |column: &Column| match column.kind {
            Kind::Text => format!("{} COLLATE \"C\"", column.name),
            _ => column.name.to_owned(),
        };
        let key: Vec<String> = table.columns.iter().take(table.key).map(order).collect();
        let begin = if self.is_source { "" } else { "BEGIN READ ONLY; " };
        let sql = format!(
            "{begin}DECLARE falconer_rows NO SCROLL CURSOR FOR SELECT {} FROM {} ORDER BY {}",
            names.join(", "),
            table.name,
            key.join(", ")
        );
        self.connection.batch_execute(&sql).await.map_err(Fault::from)?;
        self.reading = Some(table);
        Ok(())
    }

    async fn next(&mut self, most: usize) -> Result<Vec<Row>> {
        Ok(self.read(most).await?)
    }
}

#[async_trait]
impl RowTarget for DatabaseRows {
    async fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<()> {
        self.all_read().await?;
        Ok(self.write(table, rows).await?)
    }

    async fn clear(&mut self, table: &'static Table) -> Result<()> {
        self.all_read().await?;
        Ok(self.connection.batch_execute(&format!("TRUNCATE {}", table.name)).await.map_err(Fault::from)?)
    }

    async fn finish(&mut self, standing: &Standing, epoch: Epoch) -> Result<()> {
        self.all_read().await?;
        Ok(self.let_servers_in(standing, epoch).await?)
    }

    /// Autovacuum does it only after a while.
    async fn gather_statistics(&mut self) -> Result<()> {
        Ok(self.connection.batch_execute("ANALYZE").await.map_err(Fault::from)?)
    }
}

/// Which call used something says nothing once its answer is there.
const COLUMNS_NOT_COPIED: &[&str] = &["device_requests.used_by", "grant_secrets.used_by"];

/// Differences between what is copied and what the schema has, for a test: tables, columns, and the types of columns.
pub async fn differences(url: &str) -> Result<Vec<String>> {
    let rows = DatabaseRows::connect(url, false).await?;
    let sql =
        "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns WHERE table_schema = current_schema()";
    let found = rows.connection.query(sql, &[]).await.map_err(Fault::from)?;
    let mut there = std::collections::BTreeSet::new();
    for row in &found {
        let text = |place: usize| get::<String>(row, place);
        let (table, column, kind) = (text(0)?, text(1)?, text(2)?);
        if !NOT_COPIED.contains(&table.as_str()) && !COLUMNS_NOT_COPIED.contains(&format!("{table}.{column}").as_str()) {
            there.insert(format!("{table}.{column} {}", if kind == "integer" { "bigint" } else { &kind }));
        }
    }
    let mut copied = std::collections::BTreeSet::new();
    for (table, column) in TABLES.iter().flat_map(|table| table.columns.iter().map(move |column| (table.name, column))) {
        let kind = match column.kind {
            Kind::Int | Kind::Number => "bigint",
            Kind::Bool => "boolean",
            Kind::Text => "text",
            Kind::List => "ARRAY",
            Kind::Bytes => "bytea",
        };
        copied.insert(format!("{table}.{} {kind}", column.name));
        copied.extend(column.hash.map(|hash| format!("{table}.{hash} bytea")));
    }
    Ok(there.symmetric_difference(&copied).cloned().collect())
}
