//! Reading the change feed, in a transaction that sees one state, so that pruning between the statements can't hide rows.

use std::collections::HashSet;

use deadpool_postgres::Transaction;
use falconer_store::{Change, ChangeKind, Changed, ChangedRecord, KeyKind, NEWEST_ROWS, Revision, Sealer, StoreError};
use tokio_postgres::Row;

use crate::aggregates::{clients, grants, identities, issuers, people, roles};
use crate::connection::columns::{all, get};
use crate::connection::fault::Res;
use crate::following::history::{Standing, standing};

const COLUMNS: &str = "revision, kind, key, at_ms, what";

/// For so long it is told how a grant has ended: the longest certificate and then some, so that its holder hears why.
const GRANT_AFTERLIFE_MS: i64 = 31 * 24 * 60 * 60 * 1000;

pub(crate) async fn since(reading: &Transaction<'_>, since: Revision, limit: u32) -> Res<Vec<Change>> {
    Ok(rows(reading, since, limit).await?.1)
}

/// Each record that the rows name, once, as it is now.
pub(crate) async fn records(reading: &Transaction<'_>, sealer: &Sealer, since: Revision, limit: u32) -> Res<Changed> {
    let (Standing { history, revision: present, highest_ms, .. }, rows) = rows(reading, since, limit).await?;
    // Fewer rows than the limit: there are no more of them.
    let is_all = rows.len() < usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
    let up_to = if is_all { present } else { rows.last().map_or(present, |row| row.revision) };
    let (mut seen, mut records) = (HashSet::new(), Vec::new());
    for Change { key_kind, key, .. } in rows {
        if seen.insert((key_kind, key.clone())) {
            let record = match key_kind {
                KeyKind::Client => clients::one(reading, sealer, &key).await?.map(ChangedRecord::Client),
                KeyKind::Role => roles::one(reading, &key).await?.map(ChangedRecord::Role),
                KeyKind::Grant => grants::one(reading, &key)
                    .await?
                    .filter(|grant| grant.expires_ms > highest_ms.saturating_sub(GRANT_AFTERLIFE_MS))
                    .map(ChangedRecord::Grant),
                KeyKind::Identity => identities::one(reading, &key).await?.map(ChangedRecord::Identity),
                KeyKind::Person => people::one(reading, &key).await?.map(ChangedRecord::Person),
                KeyKind::Issuer => issuers::one(reading, sealer, &key).await?.map(ChangedRecord::Issuer),
                KeyKind::Application => grants::applications::one(reading, &key).await?.map(ChangedRecord::Application),
            };
            records.push(record.unwrap_or(ChangedRecord::Gone(key_kind, key)));
        }
    }
    let sql = format!("SELECT {COLUMNS} FROM changes WHERE revision = $1 ORDER BY kind, key LIMIT $2");
    let newest = all(reading, &sql, &[&present.0, &i64::from(NEWEST_ROWS)], read).await?;
    Ok(Changed { history, up_to, present, highest_ms, records, newest })
}

/// Where the database stands, and the rows after `since`.
async fn rows(reading: &Transaction<'_>, since: Revision, limit: u32) -> Res<(Standing, Vec<Change>)> {
    let standing = standing(reading).await?;
    if since > standing.revision || since < standing.floor {
        return Err(StoreError::Stale.into());
    }
    // The inner query finds the revision that the limit falls into; the outer one takes all of that revision.
    let sql = format!(
        "SELECT {COLUMNS} FROM changes WHERE revision > $1 AND revision <=
                 (SELECT max(revision) FROM (SELECT revision FROM changes WHERE revision > $1 ORDER BY revision LIMIT $2) AS found)
               ORDER BY revision, kind, key"
    );
    let rows = all(reading, &sql, &[&since.0, &i64::from(limit.max(1))], read).await?;
    Ok((standing, rows))
}

fn read(row: &Row) -> Res<Change> {
    let word: &str = get(row, 1)?;
    let key_kind = KeyKind::of_word(word).ok_or_else(|| StoreError::Corrupt(format!("a change of the kind {word:?}")))?;
    let word: &str = get(row, 4)?;
    let what = ChangeKind::of_word(word).ok_or_else(|| StoreError::Corrupt(format!("a change that {word:?} a record")))?;
    Ok(Change { revision: Revision(get(row, 0)?), key_kind, key: get(row, 2)?, what, at_ms: get(row, 3)? })
}
