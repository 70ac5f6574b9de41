//! Loading everything at one revision.

use std::sync::Arc;

use deadpool_postgres::Transaction;
use falconer_store::{Damaged, EachClient, Loaded, SealedKind, Sealer, refuse_if_nothing_opens};

use crate::aggregates::{clients, grants, identities, issuers, people, roles};
use crate::connection::columns::{all, get};
use crate::connection::fault::Res;
use crate::following::history::{Standing, standing};

/// In a transaction that sees one state, whatever is written meanwhile.
pub(crate) async fn everything(reading: &Transaction<'_>, sealer: &Arc<Sealer>, each: &mut EachClient) -> Res<Loaded> {
    let Standing { history, revision, highest_ms, .. } = standing(reading).await?;
    let (mut values, mut damaged) = clients::each(reading, sealer, each).await?;
    let (issuers, damages): (Vec<_>, Vec<_>) = issuers::every(reading, sealer).await?.into_iter().unzip();
    values = values.saturating_add(issuers.len());
    damaged.extend(damages.into_iter().flatten());
    for (kind, sql) in [
        (SealedKind::Account, "SELECT account, hash FROM passwords ORDER BY account"),
        (SealedKind::RecoveryCode, "SELECT id, hash FROM recovery_codes ORDER BY id"),
        (SealedKind::Session, "SELECT id_hash, csrf FROM sessions ORDER BY id_hash"),
        (SealedKind::Refresh, "SELECT identity, handle FROM refreshes WHERE handle IS NOT NULL ORDER BY identity"),
    ] {
        let found = opened(reading, sealer, kind, sql).await?;
        values = values.saturating_add(found.len());
        damaged.extend(found.into_iter().flatten());
    }
    refuse_if_nothing_opens(values, &damaged)?;
    Ok(Loaded {
        history,
        revision,
        highest_ms,
        roles: roles::every(reading).await?,
        clients: Vec::new(),
        issuers,
        grants: grants::counting_after(reading, highest_ms).await?,
        identities: identities::every(reading).await?,
        people: people::every(reading).await?,
        applications: grants::applications::every(reading).await?,
        scope_registries: grants::scope_registries::every(reading).await?,
        damaged,
    })
}

/// What is wrong with each value of a column, if anything.
async fn opened(reading: &Transaction<'_>, sealer: &Sealer, kind: SealedKind, sql: &str) -> Res<Vec<Option<Damaged>>> {
    let keys = sealer.keys();
    all(reading, sql, &[], |row| {
        let opened = sealer.open_row(&keys, kind, get(row, 0)?, get(row, 1)?);
        Ok(opened.map(zeroize::Zeroizing::new).err())
    })
    .await
}
