//! Reading the change feed, in a transaction that sees one state, so that pruning between the statements can't hide rows.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Transaction;
use falconer_store::{Change, ChangeKind, Changed, ChangedRecords, KeyKind, NEWEST_ROWS, Revision, Sealer, StoreError};
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
    let mut seen = HashSet::new();
    let keys: Vec<(KeyKind, String)> = rows.into_iter().map(|row| (row.key_kind, row.key)).filter(|key| seen.insert(key.clone())).collect();
    let records = present_records(reading, sealer, &keys, highest_ms).await?;
    let sql = format!("SELECT {COLUMNS} FROM changes WHERE revision = $1 AND kind = ANY($3) ORDER BY kind, key LIMIT $2");
    let newest = all(reading, &sql, &[&present.0, &i64::from(NEWEST_ROWS), &KeyKind::words().as_slice()], read).await?;
    Ok(Changed { history, up_to, present, highest_ms, records, newest })
}

/// These records as they are, by one statement for each kind: a server that has missed many changes would ask as often as there are records otherwise.
async fn present_records(reading: &Transaction<'_>, sealer: &Sealer, keys: &[(KeyKind, String)], highest_ms: i64) -> Res<ChangedRecords> {
    let mut by_kind: HashMap<KeyKind, Vec<&str>> = HashMap::new();
    for (kind, key) in keys {
        by_kind.entry(*kind).or_default().push(key);
    }
    let mut records = ChangedRecords::default();
    for (kind, keys) in by_kind {
        let there: HashSet<&str> = match kind {
            KeyKind::Client => {
                records.clients = clients::among(reading, sealer, &keys).await?;
                records.clients.iter().map(|client| client.client_id.as_str()).collect()
            }
            KeyKind::Role => {
                records.roles = roles::among(reading, &keys).await?;
                records.roles.iter().map(|role| role.role_id.as_str()).collect()
            }
            KeyKind::Grant => {
                records.grants = grants::among(reading, &keys).await?;
                records.grants.retain(|grant| grant.expires_ms > highest_ms.saturating_sub(GRANT_AFTERLIFE_MS));
                records.grants.iter().map(|grant| grant.id.as_str()).collect()
            }
            KeyKind::Identity => {
                records.identities = identities::among(reading, &keys).await?;
                records.identities.iter().map(|identity| identity.identity.as_str()).collect()
            }
            KeyKind::Person => {
                records.people = people::among(reading, &keys).await?;
                records.people.iter().map(|person| person.id.as_str()).collect()
            }
            // There are few.
            KeyKind::Issuer => {
                for name in &keys {
                    records.issuers.extend(issuers::one(reading, sealer, name).await?);
                }
                records.issuers.iter().map(|issuer| issuer.name.as_str()).collect()
            }
            KeyKind::Application => {
                for id in &keys {
                    records.applications.extend(grants::applications::one(reading, id).await?);
                }
                records.applications.iter().map(|application| application.id.as_str()).collect()
            }
            KeyKind::ScopeRegistry => {
                for namespace in &keys {
                    records.scope_registries.extend(grants::scope_registries::one(reading, namespace).await?);
                }
                records.scope_registries.iter().map(|registry| registry.namespace.as_str()).collect()
            }
        };
        records.gone.extend(keys.into_iter().filter(|key| !there.contains(key)).map(|key| (kind, key.to_owned())));
    }
    Ok(records)
}

/// Where the database stands, and the rows after `since`. Records of a kind that only a newer version knows are passed over: this one keeps none.
async fn rows(reading: &Transaction<'_>, since: Revision, limit: u32) -> Res<(Standing, Vec<Change>)> {
    let standing = standing(reading).await?;
    if since > standing.revision || since < standing.floor {
        return Err(StoreError::Stale.into());
    }
    // The inner query finds the revision that the limit falls into; the outer one takes all of that revision.
    let sql = format!(
        "SELECT {COLUMNS} FROM changes WHERE revision > $1 AND kind = ANY($3) AND revision <=
                 (SELECT max(revision) FROM (SELECT revision FROM changes WHERE revision > $1 AND kind = ANY($3) ORDER BY revision LIMIT $2) AS found)
               ORDER BY revision, kind, key"
    );
    let rows = all(reading, &sql, &[&since.0, &i64::from(limit.max(1)), &KeyKind::words().as_slice()], read).await?;
    Ok((standing, rows))
}

fn read(row: &Row) -> Res<Change> {
    let word: &str = get(row, 1)?;
    let key_kind = KeyKind::of_word(word).ok_or_else(|| StoreError::Corrupt(format!("a change of the kind {word:?}")))?;
    let word: &str = get(row, 4)?;
    // Of a change that only a newer version knows it is enough that there is one: whoever follows reads the record.
    let what = ChangeKind::of_word(word).unwrap_or(ChangeKind::Updated);
    Ok(Change { revision: Revision(get(row, 0)?), key_kind, key: get(row, 2)?, what, at_ms: get(row, 3)? })
}
