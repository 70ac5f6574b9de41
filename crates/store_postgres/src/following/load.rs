//! Loading everything at one revision.

use deadpool_postgres::Transaction;
use falconer_store::{EachClient, Loaded, Revision, Sealer, StoreError};

use crate::aggregates::{clients, grants, identities, issuers, roles};
use crate::connection::columns::{first, get};
use crate::connection::fault::Res;

/// How long an ended grant is still of interest: the longest certificate and then some, so that its holder hears why.
const GRANT_AFTERLIFE_MS: i64 = 31 * 24 * 60 * 60 * 1000;

/// In a transaction that sees one state, whatever is written meanwhile.
pub(crate) async fn everything(reading: &Transaction<'_>, sealer: &Sealer, each: &mut EachClient) -> Res<Loaded> {
    let meta = first(reading, "SELECT revision, highest_ms FROM meta", &[], |row| Ok((get(row, 0)?, get(row, 1)?))).await?;
    let (revision, highest_ms): (i64, i64) = meta.ok_or_else(|| StoreError::Corrupt("the row of the revision is gone".to_owned()))?;
    clients::each(reading, sealer, each).await?;
    Ok(Loaded {
        revision: Revision(revision),
        highest_ms,
        roles: roles::every(reading).await?,
        clients: Vec::new(),
        issuers: issuers::every(reading, sealer).await?,
        grants: grants::ending_after(reading, highest_ms.saturating_sub(GRANT_AFTERLIFE_MS)).await?,
        identities: identities::every(reading).await?,
    })
}
