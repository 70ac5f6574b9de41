//! Reading the change feed.

use falconer_store::{Change, ChangeKind, KeyKind, Revision, StoreError};
use rusqlite::{Connection, params};

use crate::connection::columns::all;
use crate::connection::fault::Res;
use crate::steps::writing::revision_and_floor;

pub(crate) fn since(connection: &Connection, since: Revision, limit: u32) -> Res<Vec<Change>> {
    // One read transaction, so that pruning between the statements can't hide rows.
    let reading = connection.unchecked_transaction()?;
    let (present, floor) = revision_and_floor(&reading)?;
    if since > present || since < floor {
        return Err(StoreError::Stale.into());
    }
    // The inner query finds the revision that the limit falls into; the outer one takes all of that revision.
    let sql = "SELECT revision, kind, key, at_ms, what FROM changes WHERE revision > ?1 AND revision <=
                 (SELECT max(revision) FROM (SELECT revision FROM changes WHERE revision > ?1 ORDER BY revision LIMIT ?2))
               ORDER BY revision, kind, key";
    all(&reading, sql, params![since.0, limit.max(1)], |row| {
        let word = row.get_ref(1)?.as_str()?;
        let key_kind = KeyKind::of_word(word).ok_or_else(|| StoreError::Corrupt(format!("a change of the kind {word:?}")))?;
        let word = row.get_ref(4)?.as_str()?;
        let what = ChangeKind::of_word(word).ok_or_else(|| StoreError::Corrupt(format!("a change that {word:?} a record")))?;
        Ok(Change { revision: Revision(row.get(0)?), key_kind, key: row.get(2)?, what, at_ms: row.get(3)? })
    })
}
