//! Reading the change feed.

use std::collections::HashSet;

use falconer_store::{Change, ChangeKind, Changed, ChangedRecords, KeyKind, NEWEST_ROWS, Revision, Sealer, StoreError};
use rusqlite::{Connection, Row, params};

use crate::aggregates::{clients, grants, identities, issuers, people, roles};
use crate::connection::columns::all;
use crate::connection::fault::Res;
use crate::following::history::{Standing, standing};

const COLUMNS: &str = "revision, kind, key, at_ms, what";

/// For so long it is told how a grant has ended: the longest certificate and then some, so that its holder hears why.
const GRANT_AFTERLIFE_MS: i64 = 31 * 24 * 60 * 60 * 1000;

pub(crate) fn since(connection: &Connection, since: Revision, limit: u32) -> Res<Vec<Change>> {
    // One read transaction, so that pruning between the statements can't hide rows.
    let reading = connection.unchecked_transaction()?;
    Ok(rows(&reading, since, limit)?.1)
}

/// Each record that the rows name, once, as it is now.
pub(crate) fn records(connection: &Connection, sealer: &Sealer, since: Revision, limit: u32) -> Res<Changed> {
    let reading = connection.unchecked_transaction()?;
    let (Standing { history, revision: present, highest_ms, .. }, rows) = rows(&reading, since, limit)?;
    // Fewer rows than the limit: there are no more of them.
    let is_all = rows.len() < usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
    let up_to = if is_all { present } else { rows.last().map_or(present, |row| row.revision) };
    let (mut seen, mut records) = (HashSet::new(), ChangedRecords::default());
    for Change { key_kind, key, .. } in rows {
        if !seen.insert((key_kind, key.clone())) {
            continue;
        }
        let is_there = match key_kind {
            KeyKind::Client => keep(&mut records.clients, clients::one(&reading, sealer, &key)?),
            KeyKind::Role => keep(&mut records.roles, roles::one(&reading, &key)?),
            KeyKind::Grant => {
                let grant = grants::one(&reading, &key)?;
                let since_ms = highest_ms.saturating_sub(GRANT_AFTERLIFE_MS);
                keep(&mut records.grants, grant.filter(|grant| grant.expires_ms > since_ms))
            }
            KeyKind::Identity => keep(&mut records.identities, identities::one(&reading, &key)?),
            KeyKind::Person => keep(&mut records.people, people::one(&reading, &key)?),
            KeyKind::Issuer => keep(&mut records.issuers, issuers::one(&reading, sealer, &key)?),
            KeyKind::Application => keep(&mut records.applications, grants::applications::one(&reading, &key)?),
            KeyKind::ScopeRegistry => keep(&mut records.scope_registries, grants::scope_registries::one(&reading, &key)?),
        };
        if !is_there {
            records.gone.push((key_kind, key));
        }
    }
    let sql = format!("SELECT {COLUMNS} FROM changes WHERE revision = ?1 AND kind IN ({}) ORDER BY kind, key LIMIT ?2", kinds());
    let newest = all(&reading, &sql, params![present.0, NEWEST_ROWS], read)?;
    Ok(Changed { history, up_to, present, highest_ms, records, newest })
}

/// Whether there is one.
fn keep<T>(records: &mut Vec<T>, record: Option<T>) -> bool {
    let is_there = record.is_some();
    records.extend(record);
    is_there
}

/// The words of the kinds, as SQL.
fn kinds() -> String {
    KeyKind::words().map(|word| format!("'{word}'")).join(", ")
}

/// Where the database stands, and the rows after `since`. Records of a kind that only a newer version knows are passed over: this one keeps none.
fn rows(reading: &Connection, since: Revision, limit: u32) -> Res<(Standing, Vec<Change>)> {
    let standing = standing(reading)?;
    if since > standing.revision || since < standing.floor {
        return Err(StoreError::Stale.into());
    }
    // The inner query finds the revision that the limit falls into; the outer one takes all of that revision.
    let kinds = kinds();
    let sql = format!(
        "SELECT {COLUMNS} FROM changes WHERE revision > ?1 AND kind IN ({kinds}) AND revision <=
                 (SELECT max(revision) FROM (SELECT revision FROM changes WHERE revision > ?1 AND kind IN ({kinds}) ORDER BY revision LIMIT ?2))
               ORDER BY revision, kind, key"
    );
    Ok((standing, all(reading, &sql, params![since.0, limit.max(1)], read)?))
}

fn read(row: &Row<'_>) -> Res<Change> {
    let word = row.get_ref(1)?.as_str()?;
    let key_kind = KeyKind::of_word(word).ok_or_else(|| StoreError::Corrupt(format!("a change of the kind {word:?}")))?;
    let word = row.get_ref(4)?.as_str()?;
    // Of a change that only a newer version knows it is enough that there is one: whoever follows reads the record.
    let what = ChangeKind::of_word(word).unwrap_or(ChangeKind::Updated);
    Ok(Change { revision: Revision(row.get(0)?), key_kind, key: row.get(2)?, what, at_ms: row.get(3)? })
}
