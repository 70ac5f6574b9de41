//! Finding users, groups, and what is said of somebody.

use falconer_store::{ScimFilter, ScimKind, ScimRecord, ScimStanding, ScimSubject, StoreError};
use rusqlite::{Connection, Row, params};

use crate::connection::columns::{all, first};
use crate::connection::fault::Res;

const COLUMNS: &str =
    "directory, kind, id, external_id, name, display_name, active, profile, version, created_ms, modified_ms, deleted, changes";

pub(crate) fn one(connection: &Connection, directory: &str, kind: ScimKind, id: &str) -> Res<Option<ScimRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM scim_resources WHERE directory = ?1 AND kind = ?2 AND id = ?3 AND deleted = 0");
    let Some(mut record) = first(connection, &sql, params![directory, kind.as_str(), id], read)? else { return Ok(None) };
    if kind == ScimKind::Group {
        record.members = members(connection, directory, id)?;
    }
    Ok(Some(record))
}

pub(crate) fn members(connection: &Connection, directory: &str, group: &str) -> Res<Vec<String>> {
    let sql = "SELECT user_id FROM scim_members WHERE directory = ?1 AND group_id = ?2 ORDER BY user_id";
    all(connection, sql, params![directory, group], |row| Ok(row.get(0)?))
}

pub(crate) fn list(
    connection: &Connection,
    directory: &str,
    kind: ScimKind,
    filter: &ScimFilter,
    start: u32,
    count: u32,
) -> Res<(u64, Vec<ScimRecord>)> {
    let ScimFilter { id, external_id, name, display_name } = filter;
    // What is not asked for is not in the question: otherwise no index but that of the order is used.
    let by = |filter: &Option<String>, column: &str, place: u8| match filter {
        Some(_) => format!(" AND {column} = ?{place}"),
        None => format!(" AND ?{place} IS NULL"),
    };
    let mut such = "directory = ?1 AND kind = ?2 AND deleted = 0".to_owned();
    for (filter, column, place) in [(id, "id", 3), (external_id, "external_id", 4), (name, "name_key", 5), (display_name, "display_key", 6)]
    {
        such.push_str(&by(filter, column, place));
    }
    let name = name.as_deref().map(ScimRecord::name_key);
    let display_name = display_name.as_deref().map(ScimRecord::name_key);
    if filter == &ScimFilter::default() {
        let sql = "SELECT (SELECT there FROM scim_sizes WHERE directory = ?1 AND kind = ?2)
                        - (SELECT count(*) FROM scim_resources WHERE directory = ?1 AND kind = ?2 AND deleted = 1)";
        let total = first(connection, sql, params![directory, kind.as_str()], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
        let sql = format!(
            "SELECT {COLUMNS} FROM scim_resources WHERE directory = ?1 AND kind = ?2 AND deleted = 0
                           ORDER BY created_ms, id LIMIT ?3 OFFSET ?4"
        );
        let found = all(connection, &sql, params![directory, kind.as_str(), count, start], read)?;
        return Ok((number(total.flatten()), found));
    }
    let total = first(
        connection,
        &format!("SELECT count(*) FROM scim_resources WHERE {such}"),
        params![directory, kind.as_str(), id, external_id, name, display_name],
        |row| Ok(row.get::<_, i64>(0)?),
    )?;
    let sql = format!("SELECT {COLUMNS} FROM scim_resources WHERE {such} ORDER BY created_ms, id LIMIT ?7 OFFSET ?8");
    let found = all(connection, &sql, params![directory, kind.as_str(), id, external_id, name, display_name, count, start], read)?;
    Ok((number(total), found))
}

fn number(total: Option<i64>) -> u64 {
    u64::try_from(total.unwrap_or_default()).unwrap_or_default()
}

pub(crate) fn standing(connection: &Connection, directory: &str, subject: ScimSubject<'_>) -> Res<Option<ScimStanding>> {
    let (column, value) = match subject {
        ScimSubject::ExternalId(id) => ("external_id = ?2", id.to_owned()),
        ScimSubject::Name(name) => ("name_key = ?2 AND name = ?3", ScimRecord::name_key(name)),
    };
    let sql = format!("SELECT {COLUMNS} FROM scim_resources WHERE directory = ?1 AND kind = 'user' AND {column}");
    let found = match subject {
        ScimSubject::ExternalId(_) => first(connection, &sql, params![directory, value], with_changes)?,
        ScimSubject::Name(name) => first(connection, &sql, params![directory, value, name], with_changes)?,
    };
    found.map(|found| with_groups(connection, found)).transpose()
}

pub(crate) fn pending(connection: &Connection, directory: &str, after: &str, limit: u32) -> Res<Vec<ScimStanding>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM scim_resources WHERE directory = ?1 AND changes <> followed AND id > ?2 AND kind = 'user' ORDER BY id LIMIT ?3"
    );
    let found = all(connection, &sql, params![directory, after, limit], with_changes)?;
    found.into_iter().map(|found| with_groups(connection, found)).collect()
}

/// The names of the groups that a user is in, ascending.
pub(crate) fn groups_of(connection: &Connection, directory: &str, user: &str) -> Res<Vec<String>> {
    let sql = "SELECT g.name FROM scim_members m JOIN scim_resources g ON g.directory = m.directory AND g.id = m.group_id
               WHERE m.directory = ?1 AND m.user_id = ?2 ORDER BY g.name";
    all(connection, sql, params![directory, user], |row| Ok(row.get(0)?))
}

fn with_groups(connection: &Connection, (user, deleted, changes): (ScimRecord, bool, i64)) -> Res<ScimStanding> {
    let groups = groups_of(connection, &user.directory, &user.id)?;
    Ok(ScimStanding { user, deleted, groups, changes })
}

fn with_changes(row: &Row<'_>) -> Res<(ScimRecord, bool, i64)> {
    Ok((read(row)?, row.get(11)?, row.get(12)?))
}

fn read(row: &Row<'_>) -> Res<ScimRecord> {
    let kind: String = row.get(1)?;
    let kind = [ScimKind::User, ScimKind::Group].into_iter().find(|known| known.as_str() == kind);
    Ok(ScimRecord {
        directory: row.get(0)?,
        kind: kind.ok_or_else(|| StoreError::Corrupt("a pushed resource is of no kind".to_owned()))?,
        id: row.get(2)?,
        external_id: row.get(3)?,
        name: row.get(4)?,
        display_name: row.get(5)?,
        active: row.get(6)?,
        profile: row.get(7)?,
        members: Vec::new(),
        version: row.get(8)?,
        created_ms: row.get(9)?,
        modified_ms: row.get(10)?,
    })
}
