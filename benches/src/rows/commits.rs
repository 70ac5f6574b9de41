//! What one commit takes, beside a write: of a bare row, with the settings that the server has, on the disk that it writes to.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::requests::load::at;
use crate::subjects::database::{Database, OneConnection};

/// About what a role or client and its audit row come to.
const COMMIT_BYTES: usize = 1_024;

/// A way to make bare commits, and how long each took.
pub(super) struct BareCommits {
    name: &'static str,
    way: Way,
    took: Vec<Duration>,
}

enum Way {
    Sqlite(rusqlite::Connection),
    /// The connection is closed before its database is removed.
    Postgres(Box<(OneConnection, Database)>),
}

impl BareCommits {
    /// Those of the store in use first.
    pub(super) fn all(folder: &Path, postgres: Option<&str>) -> Result<Vec<BareCommits>> {
        let sqlite = BareCommits { name: "one commit of SQLite", way: Way::sqlite(folder)?, took: Vec::new() };
        let postgres = postgres.map(Way::postgres).transpose()?;
        let postgres = postgres.map(|way| BareCommits { name: "one commit of PostgreSQL", way, took: Vec::new() });
        Ok(postgres.into_iter().chain([sqlite]).collect())
    }

    pub(super) fn one(&mut self) -> Result<()> {
        let (row, began) = (vec![1_u8; COMMIT_BYTES], Instant::now());
        match &mut self.way {
            Way::Sqlite(database) => drop(database.execute("INSERT INTO floor (text) VALUES (?1)", [row])?),
            Way::Postgres(database) => database.0.run("INSERT INTO floor (text) VALUES ($1)", &row)?,
        }
        self.took.push(began.elapsed());
        Ok(())
    }

    /// What they are called, and the median in milliseconds.
    pub(super) fn median(mut self) -> (&'static str, f64) {
        self.took.sort_unstable();
        (self.name, at(&self.took, 0.5) / 1_000.0)
    }
}

impl Way {
    /// By the same library.
    fn sqlite(folder: &Path) -> Result<Way> {
        let database = rusqlite::Connection::open(folder.join("floor.sqlite"))?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.pragma_update(None, "synchronous", "FULL")?;
        database.execute_batch("CREATE TABLE IF NOT EXISTS floor (id INTEGER PRIMARY KEY, text BLOB NOT NULL)")?;
        Ok(Way::Sqlite(database))
    }

    /// On the same server, by the same library: a statement that is a transaction of its own, one way there and back.
    fn postgres(server: &str) -> Result<Way> {
        let database = Database::make(server)?;
        let mut connection = database.connect()?;
        connection.run_all("CREATE TABLE floor (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text BYTEA NOT NULL)")?;
        Ok(Way::Postgres(Box::new((connection, database))))
    }
}
