//! Loading everything at one revision.

use falconer_store::{EachClient, Loaded, Sealer};
use rusqlite::Connection;

use crate::aggregates::{clients, grants, identities, issuers, people, roles};
use crate::connection::fault::Res;
use crate::following::history::{Standing, standing};

/// How long an ended grant is still of interest: the longest certificate and then some, so that its holder hears why.
pub(crate) const GRANT_AFTERLIFE_MS: i64 = 31 * 24 * 60 * 60 * 1000;

pub(crate) fn everything(connection: &Connection, sealer: &Sealer, each: &mut EachClient) -> Res<Loaded> {
    // One read transaction is one snapshot, whatever is written meanwhile.
    let reading = connection.unchecked_transaction()?;
    let Standing { history, revision, highest_ms, .. } = standing(&reading)?;
    clients::each(&reading, sealer, each)?;
    Ok(Loaded {
        history,
        revision,
        highest_ms,
        roles: roles::every(&reading)?,
        clients: Vec::new(),
        issuers: issuers::every(&reading, sealer)?,
        grants: grants::ending_after(&reading, highest_ms.saturating_sub(GRANT_AFTERLIFE_MS))?,
        identities: identities::every(&reading)?,
        people: people::every(&reading)?,
    })
}
