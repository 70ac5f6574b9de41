//! Reading all rows of a database at one moment, and writing them into another one.

use async_trait::async_trait;

use super::{Row, Table};
use crate::{Epoch, Result, Revision};

/// Where a database stands: the row that the next change counts on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The present revision.
    pub revision: Revision,
    /// The highest time of any committed step, milliseconds since 1970.
    pub highest_ms: i64,
    /// The change feed may have been pruned up to here.
    pub feed_floor: Revision,
    /// The history that the revision belongs to.
    pub epoch: Epoch,
}

/// A database whose rows are read. Where it is the source of a copy, nobody else writes to it as long as this lives.
#[async_trait]
pub trait RowSource: Send {
    /// Where it stands.
    async fn standing(&mut self) -> Result<Standing>;

    /// How many rows a table has.
    async fn count(&mut self, table: &'static Table) -> Result<u64>;

    /// Begins to read a table, from its first row, in the order of its key.
    async fn open(&mut self, table: &'static Table) -> Result<()>;

    /// The next rows of the table that was opened last, `most` of them at most and at least one, until there are none.
    async fn next(&mut self, most: usize) -> Result<Vec<Row>>;
}

/// A database that rows are copied into. Until [`RowTarget::finish`] no server starts on it.
#[async_trait]
pub trait RowTarget: RowSource {
    /// Adds rows, all of them or none.
    async fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<()>;

    /// Removes all rows of a table.
    async fn clear(&mut self, table: &'static Table) -> Result<()>;

    /// Lets servers in: it stands where the source stood, and another history begins there. All of that is durable when this returns.
    async fn finish(&mut self, standing: &Standing, epoch: Epoch) -> Result<()>;

    /// Lets the backend count what was copied, so that its first queries are planned well. It comes after [`RowTarget::finish`], and nothing depends on it.
    async fn gather_statistics(&mut self) -> Result<()>;
}
