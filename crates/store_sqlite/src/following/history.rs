//! Which history the database is in.

use falconer_store::{Epoch, History, Revision, Sealer, StoreError};
use rusqlite::{Connection, params};

use crate::connection::columns::{first, run};
use crate::connection::fault::Res;

/// Where the database stands.
pub(crate) struct Standing {
    pub(crate) history: History,
    pub(crate) revision: Revision,
    pub(crate) highest_ms: i64,
    /// The change feed may have been pruned up to here.
    pub(crate) floor: Revision,
}

pub(crate) fn standing(connection: &Connection) -> Res<Standing> {
    let found = first(connection, "SELECT epoch, epoch_start, revision, highest_ms, feed_floor FROM meta", [], |row| {
        let epoch = row.get_ref(0)?.as_str()?;
        let epoch: Epoch = epoch.parse().map_err(|error| StoreError::Corrupt(format!("meta.epoch: {error}")))?;
        let history = History { epoch, start: Revision(row.get(1)?) };
        Ok(Standing { history, revision: Revision(row.get(2)?), highest_ms: row.get(3)?, floor: Revision(row.get(4)?) })
    })?;
    found.ok_or_else(|| StoreError::Corrupt("the row of the revision is gone".to_owned()).into())
}

/// Never before the first revision, which is of the installation itself: a history that begins before it is the first one.
pub(crate) fn begin(connection: &Connection, sealer: &Sealer, instead_of: Epoch, same_until: Revision) -> Res<History> {
    let sql = "UPDATE meta SET epoch = ?1, epoch_start = max(1, min(revision, ?3)) WHERE epoch = ?2";
    run(connection, sql, params![Epoch::from_random(sealer.draw()).to_string(), instead_of.to_string(), same_until.0])?;
    Ok(standing(connection)?.history)
}
