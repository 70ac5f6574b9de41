//! Reading the change feed, in a transaction that sees one state, so that pruning between the statements can't hide rows.

use std::collections::{HashMap, HashSet};

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
    let mut seen = HashSet::new();
    let keys: Vec<(KeyKind, String)> = rows.into_iter().map(|row| (row.key_kind, row.key)).filter(|key| seen.insert(key.clone())).collect();
    let mut found = present_records(reading, sealer, &keys, highest_ms).await?;
    let record = |(kind, key): (KeyKind, String)| found.remove(&(kind, key.clone())).unwrap_or(ChangedRecord::Gone(kind, key));
    let records = keys.into_iter().map(record).collect();
    let sql = format!("SELECT {COLUMNS} FROM changes WHERE revision = $1 ORDER BY kind, key LIMIT $2");
    let newest = all(reading, &sql, &[&present.0, &i64::from(NEWEST_ROWS)], read).await?;
    Ok(Changed { history, up_to, present, highest_ms, records, newest })
}

/// Those of these records that are there, by one statement for each kind: a server that has missed many changes would ask as often as there are records otherwise.
async fn present_records(
    reading: &Transaction<'_>,
    sealer: &Sealer,
    keys: &[(KeyKind, String)],
    highest_ms: i64,
) -> Res<HashMap<(KeyKind, String), ChangedRecord>> {
    let mut by_kind: HashMap<KeyKind, Vec<&str>> = HashMap::new();
    for (kind, key) in keys {
        by_kind.entry(*kind).or_default().push(key);
    }
    let mut found = HashMap::with_capacity(keys.len());
    for (kind, keys) in by_kind {
        let records: Vec<(String, ChangedRecord)> = match kind {
            KeyKind::Client => {
                let clients = clients::among(reading, sealer, &keys).await?;
                clients.into_iter().map(|client| (client.client_id.clone(), ChangedRecord::Client(client))).collect()
            }
            KeyKind::Role => {
                let roles = roles::among(reading, &keys).await?;
                roles.into_iter().map(|role| (role.role_id.clone(), ChangedRecord::Role(role))).collect()
            }
            KeyKind::Grant => {
                let grants = grants::among(reading, &keys).await?.into_iter();
                let told = grants.filter(|grant| grant.expires_ms > highest_ms.saturating_sub(GRANT_AFTERLIFE_MS));
                told.map(|grant| (grant.id.clone(), ChangedRecord::Grant(grant))).collect()
            }
            KeyKind::Identity => {
                let identities = identities::among(reading, &keys).await?;
                identities.into_iter().map(|identity| (identity.identity.clone(), ChangedRecord::Identity(identity))).collect()
            }
            KeyKind::Person => {
                let people = people::among(reading, &keys).await?;
                people.into_iter().map(|person| (person.id.clone(), ChangedRecord::Person(person))).collect()
            }
            // There are few.
            KeyKind::Issuer => {
                let mut issuers = Vec::new();
                for name in keys {
                    issuers.extend(
                        issuers::one(reading, sealer, name).await?.map(|issuer| (issuer.name.clone(), ChangedRecord::Issuer(issuer))),
                    );
                }
                issuers
            }
            KeyKind::Application => {
                let mut applications = Vec::new();
                for id in keys {
                    let application = grants::applications::one(reading, id).await?;
                    applications.extend(application.map(|application| (application.id.clone(), ChangedRecord::Application(application))));
                }
                applications
            }
        };
        found.extend(records.into_iter().map(|(key, record)| ((kind, key), record)));
    }
    Ok(found)
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
