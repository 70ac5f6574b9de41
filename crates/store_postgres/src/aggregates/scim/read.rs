//! Finding users, groups, and what is said of somebody.

use falconer_store::{ScimFilter, ScimKind, ScimRecord, ScimStanding, ScimSubject, StoreError};
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, first, get};
use crate::connection::fault::Res;

const COLUMNS: &str =
    "directory, kind, id, external_id, name, display_name, active, profile, version, created_ms, modified_ms, deleted, changes";

pub(crate) async fn one(on: &impl Connection, directory: &str, kind: ScimKind, id: &str) -> Res<Option<ScimRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM scim_resources WHERE directory = $1 AND kind = $2 AND id = $3 AND deleted = 0");
    let Some(mut record) = first(on, &sql, &[&directory, &kind.as_str(), &id], read).await? else { return Ok(None) };
    if kind == ScimKind::Group {
        let sql = "SELECT user_id FROM scim_members WHERE directory = $1 AND group_id = $2 ORDER BY user_id COLLATE \"C\"";
        record.members = all(on, sql, &[&directory, &id], |row| get(row, 0)).await?;
    }
    Ok(Some(record))
}

pub(crate) async fn list(
    on: &impl Connection,
    directory: &str,
    kind: ScimKind,
    filter: &ScimFilter,
    start: u32,
    count: u32,
) -> Res<(u64, Vec<ScimRecord>)> {
    let ScimFilter { id, external_id, name, display_name } = filter;
    // What is not asked for is not in the question: otherwise no index but that of the order is used.
    let by = |filter: &Option<String>, column: &str, place: u8| match filter {
        Some(_) => format!(" AND {column} = ${place}"),
        None => format!(" AND ${place}::text IS NULL"),
    };
    let mut such = "directory = $1 AND kind = $2 AND deleted = 0".to_owned();
    for (filter, column, place) in [(id, "id", 3), (external_id, "external_id", 4), (name, "name_key", 5), (display_name, "display_key", 6)]
    {
        such.push_str(&by(filter, column, place));
    }
    let name = name.as_deref().map(ScimRecord::name_key);
    let display_name = display_name.as_deref().map(ScimRecord::name_key);
    let kind = kind.as_str();
    if filter == &ScimFilter::default() {
        let sql = "SELECT (SELECT there FROM scim_sizes WHERE directory = $1 AND kind = $2)
                        - (SELECT count(*) FROM scim_resources WHERE directory = $1 AND kind = $2 AND deleted = 1)";
        let total: Option<Option<i64>> = first(on, sql, &[&directory, &kind], |row| get(row, 0)).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM scim_resources WHERE directory = $1 AND kind = $2 AND deleted = 0
             ORDER BY created_ms, id COLLATE \"C\" LIMIT $3 OFFSET $4"
        );
        let found = all(on, &sql, &[&directory, &kind, &i64::from(count), &i64::from(start)], read).await?;
        return Ok((number(total.flatten()), found));
    }
    let sql = format!("SELECT count(*) FROM scim_resources WHERE {such}");
    let total: Option<i64> = first(on, &sql, &[&directory, &kind, id, external_id, &name, &display_name], |row| get(row, 0)).await?;
    let sql = format!("SELECT {COLUMNS} FROM scim_resources WHERE {such} ORDER BY created_ms, id COLLATE \"C\" LIMIT $7 OFFSET $8");
    let (count, start) = (i64::from(count), i64::from(start));
    let found = all(on, &sql, &[&directory, &kind, id, external_id, &name, &display_name, &count, &start], read).await?;
    Ok((number(total), found))
}

fn number(total: Option<i64>) -> u64 {
    u64::try_from(total.unwrap_or_default()).unwrap_or_default()
}

pub(crate) async fn standing(on: &impl Connection, directory: &str, subject: ScimSubject<'_>) -> Res<Option<ScimStanding>> {
    let select = format!("SELECT {COLUMNS} FROM scim_resources WHERE directory = $1 AND kind = 'user'");
    let found = match subject {
        ScimSubject::ExternalId(id) => first(on, &format!("{select} AND external_id = $2"), &[&directory, &id], with_changes).await?,
        ScimSubject::Name(name) => {
            let key = ScimRecord::name_key(name);
            first(on, &format!("{select} AND name_key = $2 AND name = $3"), &[&directory, &key, &name], with_changes).await?
        }
    };
    match found {
        Some(found) => Ok(Some(with_groups(on, found).await?)),
        None => Ok(None),
    }
}

pub(crate) async fn pending(on: &impl Connection, directory: &str, after: &str, limit: u32) -> Res<Vec<ScimStanding>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM scim_resources WHERE directory = $1 AND changes <> followed AND id COLLATE \"C\" > $2 AND kind = 'user'
         ORDER BY id COLLATE \"C\" LIMIT $3"
    );
    let found = all(on, &sql, &[&directory, &after, &i64::from(limit)], with_changes).await?;
    let mut standings = Vec::with_capacity(found.len());
    for found in found {
        standings.push(with_groups(on, found).await?);
    }
    Ok(standings)
}

/// The names of the groups that a user is in, ascending.
pub(crate) async fn groups_of(on: &impl Connection, directory: &str, user: &str) -> Res<Vec<String>> {
    let sql = "SELECT g.name FROM scim_members m JOIN scim_resources g ON g.directory = m.directory AND g.id = m.group_id
               WHERE m.directory = $1 AND m.user_id = $2 ORDER BY g.name COLLATE \"C\"";
    all(on, sql, &[&directory, &user], |row| get(row, 0)).await
}

async fn with_groups(on: &impl Connection, (user, deleted, changes): (ScimRecord, bool, i64)) -> Res<ScimStanding> {
    let groups = groups_of(on, &user.directory, &user.id).await?;
    Ok(ScimStanding { user, deleted, groups, changes })
}

fn with_changes(row: &Row) -> Res<(ScimRecord, bool, i64)> {
    Ok((read(row)?, get::<i64>(row, 11)? != 0, get(row, 12)?))
}

fn read(row: &Row) -> Res<ScimRecord> {
    let kind: &str = get(row, 1)?;
    let kind = [ScimKind::User, ScimKind::Group].into_iter().find(|known| known.as_str() == kind);
    Ok(ScimRecord {
        directory: get(row, 0)?,
        kind: kind.ok_or_else(|| StoreError::Corrupt("a pushed resource is of no kind".to_owned()))?,
        id: get(row, 2)?,
        external_id: get(row, 3)?,
        name: get(row, 4)?,
        display_name: get(row, 5)?,
        active: get::<i64>(row, 6)? != 0,
        profile: get(row, 7)?,
        members: Vec::new(),
        version: get(row, 8)?,
        created_ms: get(row, 9)?,
        modified_ms: get(row, 10)?,
    })
}
