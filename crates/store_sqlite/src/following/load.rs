//! Loading everything at one revision.

use falconer_store::{Damaged, EachClient, Loaded, SealedKind, Sealer, refuse_if_nothing_opens};
use rusqlite::Connection;

use crate::aggregates::{clients, grants, identities, issuers, people, roles};
use crate::connection::columns::all;
use crate::connection::fault::Res;
use crate::following::history::{Standing, standing};

pub(crate) fn everything(connection: &Connection, sealer: &Sealer, each: &mut EachClient) -> Res<Loaded> {
    // One read transaction is one snapshot, whatever is written meanwhile.
    let reading = connection.unchecked_transaction()?;
    let Standing { history, revision, highest_ms, .. } = standing(&reading)?;
    let (mut values, mut damaged) = clients::each(&reading, sealer, each)?;
    let (issuers, damages): (Vec<_>, Vec<_>) = issuers::every(&reading, sealer)?.into_iter().unzip();
    values = values.saturating_add(issuers.len());
    damaged.extend(damages.into_iter().flatten());
    for (kind, sql) in [
        (SealedKind::Account, "SELECT account, hash FROM passwords ORDER BY account"),
        (SealedKind::RecoveryCode, "SELECT id, hash FROM recovery_codes ORDER BY id"),
        (SealedKind::Session, "SELECT id_hash, csrf FROM sessions ORDER BY id_hash"),
        (SealedKind::Refresh, "SELECT identity, handle FROM refreshes WHERE handle IS NOT NULL ORDER BY identity"),
    ] {
        let found = opened(&reading, sealer, kind, sql)?;
        values = values.saturating_add(found.len());
        damaged.extend(found.into_iter().flatten());
    }
    refuse_if_nothing_opens(values, &damaged)?;
    Ok(Loaded {
        history,
        revision,
        highest_ms,
        roles: roles::every(&reading)?,
        clients: Vec::new(),
        issuers,
        grants: grants::counting_after(&reading, highest_ms)?,
        identities: identities::every(&reading)?,
        people: people::every(&reading)?,
        applications: grants::applications::every(&reading)?,
        scope_registries: grants::scope_registries::every(&reading)?,
        damaged,
    })
}

/// What is wrong with each value of a column, if anything.
fn opened(reading: &Connection, sealer: &Sealer, kind: SealedKind, sql: &str) -> Res<Vec<Option<Damaged>>> {
    let keys = sealer.keys();
    all(reading, sql, [], |row| {
        let opened = sealer.open_row(&keys, kind, row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_blob()?);
        Ok(opened.map(zeroize::Zeroizing::new).err())
    })
}
