//! Loading everything at one revision.

use deadpool_postgres::Transaction;
use falconer_store::{EachClient, Loaded, Sealer};

use crate::aggregates::{clients, grants, identities, issuers, people, roles};
use crate::connection::fault::Res;
use crate::following::history::{Standing, standing};

/// How long an ended grant is still of interest: the longest certificate and then some, so that its holder hears why.
pub(crate) const GRANT_AFTERLIFE_MS: i64 = 31 * 24 * 60 * 60 * 1000;

/// In a transaction that sees one state, whatever is written meanwhile.
pub(crate) async fn everything(reading: &Transaction<'_>, sealer: &Sealer, each: &mut EachClient) -> Res<Loaded> {
    let Standing { history, revision, highest_ms, .. } = standing(reading).await?;
    clients::each(reading, sealer, each).await?;
    Ok(Loaded {
        history,
        revision,
        highest_ms,
        roles: roles::every(reading).await?,
        clients: Vec::new(),
        issuers: issuers::every(reading, sealer).await?,
        grants: grants::ending_after(reading, highest_ms.saturating_sub(GRANT_AFTERLIFE_MS)).await?,
        identities: identities::every(reading).await?,
        people: people::every(reading).await?,
    })
}
