//! Reading the change feed.

use deadpool_postgres::Transaction;
use falconer_store::{Change, ChangeKind, KeyKind, Revision, StoreError};

use crate::connection::columns::{all, get};
use crate::connection::fault::Res;
use crate::steps::writing::revision_and_floor;

/// In a transaction that sees one state, so that pruning between the statements can't hide rows.
pub(crate) async fn since(reading: &Transaction<'_>, since: Revision, limit: u32) -> Res<Vec<Change>> {
    let (present, floor) = revision_and_floor(reading, "SELECT revision, feed_floor FROM meta").await?;
    if since > present || since < floor {
        return Err(StoreError::Stale.into());
    }
    // The inner query finds the revision that the limit falls into; the outer one takes all of that revision.
    let sql = "SELECT revision, kind, key, at_ms, what FROM changes WHERE revision > $1 AND revision <=
                 (SELECT max(revision) FROM (SELECT revision FROM changes WHERE revision > $1 ORDER BY revision LIMIT $2) AS found)
               ORDER BY revision, kind, key";
    all(reading, sql, &[&since.0, &i64::from(limit.max(1))], |row| {
        let word: &str = get(row, 1)?;
        let key_kind = KeyKind::of_word(word).ok_or_else(|| StoreError::Corrupt(format!("a change of the kind {word:?}")))?;
        let word: &str = get(row, 4)?;
        let what = ChangeKind::of_word(word).ok_or_else(|| StoreError::Corrupt(format!("a change that {word:?} a record")))?;
        Ok(Change { revision: Revision(get(row, 0)?), key_kind, key: get(row, 2)?, what, at_ms: get(row, 3)? })
    })
    .await
}
