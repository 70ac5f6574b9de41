//! Which history the database is in.

use falconer_store::{Epoch, History, Revision, Sealer, StoreError};

use crate::connection::columns::{Connection, first, get, run};
use crate::connection::contact::{CHANNEL, NodeId};
use crate::connection::fault::Res;

/// Where the database stands.
pub(crate) struct Standing {
    pub(crate) history: History,
    pub(crate) revision: Revision,
    pub(crate) highest_ms: i64,
    /// The change feed may have been pruned up to here.
    pub(crate) floor: Revision,
}

pub(crate) async fn standing(on: &impl Connection) -> Res<Standing> {
    let found = first(on, "SELECT epoch, epoch_start, revision, highest_ms, feed_floor FROM meta", &[], |row| {
        let epoch: &str = get(row, 0)?;
        let epoch: Epoch = epoch.parse().map_err(|error| StoreError::Corrupt(format!("meta.epoch: {error}")))?;
        let history = History { epoch, start: Revision(get(row, 1)?) };
        Ok(Standing { history, revision: Revision(get(row, 2)?), highest_ms: get(row, 3)?, floor: Revision(get(row, 4)?) })
    })
    .await?;
    Ok(found.ok_or_else(|| StoreError::Corrupt("the row of the revision is gone".to_owned()))?)
}

/// Never before the first revision, which is of the installation itself: a history that begins before it is the first one.
pub(crate) async fn begin(on: &impl Connection, sealer: &Sealer, node: &NodeId, instead_of: Epoch, same_until: Revision) -> Res<History> {
    let epoch = Epoch::from_random(sealer.draw()).to_string();
    let sql = format!(
        "WITH begun AS (UPDATE meta SET epoch = $1, epoch_start = greatest(1, least(revision, $3)) WHERE epoch = $2 RETURNING revision)
         SELECT pg_notify({CHANNEL}, $4) FROM begun"
    );
    run(on, &sql, &[&epoch, &instead_of.to_string(), &same_until.0, &node.as_str()]).await?;
    Ok(standing(on).await?.history)
}
