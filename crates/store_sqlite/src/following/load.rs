//! Loading everything at one revision.

use falconer_store::{EachClient, Loaded, Revision, Sealer, StoreError};
use rusqlite::Connection;

use crate::aggregates::{clients, grants, identities, issuers, roles};
use crate::connection::columns::first;
use crate::connection::fault::Res;

/// How long an ended grant is still of interest: the longest certificate and then some, so that its holder hears why.
const GRANT_AFTERLIFE_MS: i64 = 31 * 24 * 60 * 60 * 1000;

pub(crate) fn everything(connection: &Connection, sealer: &Sealer, each: &mut EachClient) -> Res<Loaded> {
    // One read transaction is one snapshot, whatever is written meanwhile.
    let reading = connection.unchecked_transaction()?;
    let meta = first(&reading, "SELECT revision, highest_ms FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (revision, highest_ms): (i64, i64) = meta.ok_or_else(|| StoreError::Corrupt("the row of the revision is gone".to_owned()))?;
    clients::each(&reading, sealer, each)?;
    Ok(Loaded {
        revision: Revision(revision),
        highest_ms,
        roles: roles::every(&reading)?,
        clients: Vec::new(),
        issuers: issuers::every(&reading, sealer)?,
        grants: grants::ending_after(&reading, highest_ms.saturating_sub(GRANT_AFTERLIFE_MS))?,
        identities: identities::every(&reading)?,
    })
}
