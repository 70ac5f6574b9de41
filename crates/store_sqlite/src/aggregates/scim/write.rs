//! Changing users and groups, and marking who is to be followed. What is done for many users is one statement for all of them.

use std::collections::BTreeSet;

use falconer_store::{ChangeKind, Difference, ScimBounds, ScimGroupNow, ScimKind, ScimMembers, ScimPush, ScimRecord, ScimWritten};
use rusqlite::{Connection, params};

use super::{history, read};
use crate::connection::columns::{all, first, list, run};
use crate::connection::fault::Res;

pub(crate) fn insert(connection: &Connection, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> Res<ScimWritten> {
    if taken(connection, record)? {
        return Ok(ScimWritten::Taken);
    }
    let members = list(&record.members)?;
    if let Some(nobody) = no_such_member(connection, &record.directory, &members)? {
        return Ok(ScimWritten::NoSuchMember(nobody));
    }
    if let Some(full) = beyond(connection, &record.directory, bounds, 0, (record.members.len(), 0))? {
        return Ok(full);
    }
    let count = "INSERT INTO scim_sizes (directory, kind, there) VALUES (?1, ?2, 1)
                 ON CONFLICT DO UPDATE SET there = there + 1 WHERE there < ?3";
    if run(connection, count, params![record.directory, record.kind.as_str(), bounds.of(record.kind)])? == 0 {
        return Ok(ScimWritten::Full);
    }
    let sql =
        "INSERT INTO scim_resources (directory, kind, id, external_id, name, name_key, display_name, display_key, active, profile, version,
                 created_ms, modified_ms, changes, followed, deleted, member_count)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, 0, 0)";
    let values = params![
        record.directory,
        record.kind.as_str(),
        record.id,
        record.external_id,
        record.name,
        ScimRecord::name_key(&record.name),
        record.display_name,
        ScimRecord::name_key(&record.display_name),
        record.active,
        record.profile,
        record.version,
        record.created_ms,
        record.modified_ms,
        i64::from(record.kind == ScimKind::User),
    ];
    run(connection, sql, values)?;
    add(connection, &record.directory, &record.id, &members)?;
    let changed = history::with_members(connection, &record.directory, Difference::of_pushed(None, Some(record)), &record.members, &[])?;
    history::note(connection, push, record.kind, ChangeKind::Created, changed)?;
    Ok(ScimWritten::Done)
}

pub(crate) fn update(connection: &Connection, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> Res<ScimWritten> {
    let Some(before) = read::one(connection, &record.directory, record.kind, &record.id)? else { return Ok(ScimWritten::Changed) };
    if before.version != record.version - 1 {
        return Ok(ScimWritten::Changed);
    }
    if taken(connection, record)? {
        return Ok(ScimWritten::Taken);
    }
    let (old, new): (BTreeSet<&String>, BTreeSet<&String>) = (before.members.iter().collect(), record.members.iter().collect());
    let owned = |ids: Vec<&&String>| ids.into_iter().map(|id| (*id).clone()).collect::<Vec<String>>();
    let (left, came) = (owned(old.difference(&new).collect()), owned(new.difference(&old).collect()));
    let full = beyond(connection, &record.directory, bounds, count(&before.members), (came.len(), left.len()))?;
    let (left_list, came_list) = (list(&left)?, list(&came)?);
    if let Some(nobody) = no_such_member(connection, &record.directory, &came_list)? {
        return Ok(ScimWritten::NoSuchMember(nobody));
    }
    if let Some(full) = full {
        return Ok(full);
    }
    let sql = "UPDATE scim_resources SET external_id = ?3, name = ?4, name_key = ?5, display_name = ?6, display_key = ?7, active = ?8,
                 profile = ?9, version = ?10, modified_ms = ?11 WHERE directory = ?1 AND id = ?2";
    let values = params![
        record.directory,
        record.id,
        record.external_id,
        record.name,
        ScimRecord::name_key(&record.name),
        record.display_name,
        ScimRecord::name_key(&record.display_name),
        record.active,
        record.profile,
        record.version,
        record.modified_ms,
    ];
    run(connection, sql, values)?;
    match record.kind {
        ScimKind::User => mark(connection, &record.directory, &list(std::slice::from_ref(&record.id))?)?,
        ScimKind::Group => {
            remove(connection, &record.directory, &record.id, &left_list)?;
            add(connection, &record.directory, &record.id, &came_list)?;
            if before.name != record.name {
                mark(connection, &record.directory, &list(&owned(old.intersection(&new).collect()))?)?;
            }
        }
    }
    let changed = Difference::of_pushed(Some(&before), Some(record));
    let changed = history::with_members(connection, &record.directory, changed, &came, &left)?;
    history::note(connection, push, record.kind, ChangeKind::Updated, changed)?;
    Ok(ScimWritten::Done)
}

pub(crate) fn change_members(
    connection: &Connection,
    push: &ScimPush,
    change: &ScimMembers,
    bounds: ScimBounds,
) -> Res<Result<ScimGroupNow, ScimWritten>> {
    let ScimMembers { directory, group, versions, came, left } = change;
    let sql = "SELECT version, member_count, name FROM scim_resources WHERE directory = ?1 AND id = ?2 AND kind = 'group'";
    let present = first(connection, sql, params![directory, group], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let Some((version, members, name)): Option<(i64, u32, String)> = present else { return Ok(Err(ScimWritten::Changed)) };
    if versions.as_ref().is_some_and(|versions| !versions.contains(&version)) {
        return Ok(Err(ScimWritten::Changed));
    }
    let are_in = |ids: &[String]| -> Res<BTreeSet<String>> {
        let sql = "SELECT m.user_id FROM json_each(?3) AS wanted CROSS JOIN scim_members AS m
                   WHERE m.directory = ?1 AND m.group_id = ?2 AND m.user_id = wanted.value";
        Ok(all(connection, sql, params![directory, group, list(ids)?], |row| Ok(row.get(0)?))?.into_iter().collect())
    };
    let there = are_in(came)?;
    let came: Vec<String> = came.iter().filter(|id| !there.contains(*id)).cloned().collect();
    let left: Vec<String> = are_in(left)?.into_iter().collect();
    if came.is_empty() && left.is_empty() {
        return Ok(Ok(ScimGroupNow { version, members }));
    }
    let listed = list(&came)?;
    if let Some(nobody) = no_such_member(connection, directory, &listed)? {
        return Ok(Err(ScimWritten::NoSuchMember(nobody)));
    }
    if let Some(full) = beyond(connection, directory, bounds, i64::from(members), (came.len(), left.len()))? {
        return Ok(Err(full));
    }
    let members = u32::try_from(i64::from(members) + count(&came) - count(&left)).unwrap_or_default();
    remove(connection, directory, group, &list(&left)?)?;
    add(connection, directory, group, &listed)?;
    let sql = "UPDATE scim_resources SET version = version + 1, modified_ms = ?3 WHERE directory = ?1 AND id = ?2";
    run(connection, sql, params![directory, group, push.at_ms])?;
    let changed = history::with_members(connection, directory, Difference::of_group_named(&name), &came, &left)?;
    history::note(connection, push, ScimKind::Group, ChangeKind::Updated, changed)?;
    Ok(Ok(ScimGroupNow { version: version + 1, members }))
}

pub(crate) fn delete(
    connection: &Connection,
    push: &ScimPush,
    directory: &str,
    kind: ScimKind,
    id: &str,
    version: Option<i64>,
) -> Res<ScimWritten> {
    let Some(before) = read::one(connection, directory, kind, id)? else { return Ok(ScimWritten::Changed) };
    if version.is_some_and(|version| version != before.version) {
        return Ok(ScimWritten::Changed);
    }
    let gone = Difference::of_pushed(Some(&before), None);
    let gone = match kind {
        ScimKind::User => {
            let groups = read::groups_of(connection, directory, id)?;
            gone.moved("groups", [], &groups, groups.len())
        }
        ScimKind::Group => history::with_members(connection, directory, gone, &[], &before.members)?,
    };
    match kind {
        ScimKind::User => {
            let sql = "UPDATE scim_resources SET version = version + 1, member_count = member_count - 1 WHERE directory = ?1
                       AND id IN (SELECT group_id FROM scim_members WHERE directory = ?1 AND user_id = ?2)";
            run(connection, sql, params![directory, id])?;
            run(connection, "DELETE FROM scim_members WHERE directory = ?1 AND user_id = ?2", params![directory, id])?;
            let sql = "UPDATE scim_resources SET deleted = 1, changes = changes + 1 WHERE directory = ?1 AND id = ?2";
            run(connection, sql, params![directory, id])?;
        }
        ScimKind::Group => {
            mark(connection, directory, &list(&before.members)?)?;
            run(connection, "DELETE FROM scim_members WHERE directory = ?1 AND group_id = ?2", params![directory, id])?;
            run(connection, "DELETE FROM scim_resources WHERE directory = ?1 AND id = ?2", params![directory, id])?;
            fewer(connection, directory, kind, 1)?;
        }
    }
    history::note(connection, push, kind, ChangeKind::Deleted, gone)?;
    Ok(ScimWritten::Done)
}

pub(crate) fn note_followed(connection: &Connection, directory: &str, followed: &[(String, i64)]) -> Res<Vec<String>> {
    let (mut otherwise, mut gone) = (Vec::new(), 0);
    for (id, changes) in followed {
        let sql = "UPDATE scim_resources SET followed = changes WHERE directory = ?1 AND id = ?2 AND changes = ?3";
        if run(connection, sql, params![directory, id, changes])? == 0 {
            otherwise.push(id.clone());
        }
        let sql = "DELETE FROM scim_resources WHERE directory = ?1 AND id = ?2 AND deleted = 1 AND followed = changes";
        gone += run(connection, sql, params![directory, id])?;
    }
    fewer(connection, directory, ScimKind::User, gone)?;
    Ok(otherwise)
}

/// Asks each index for itself: one question with `OR` reads all that the directory has.
fn taken(connection: &Connection, record: &ScimRecord) -> Res<bool> {
    let sql = "SELECT 1 FROM scim_resources WHERE directory = ?1 AND id = ?3 AND (kind <> ?2 OR deleted = 1)
               UNION ALL SELECT 1 FROM scim_resources WHERE directory = ?1 AND kind = ?2 AND name_key = ?4 AND id <> ?3
               UNION ALL SELECT 1 FROM scim_resources WHERE directory = ?1 AND kind = ?2 AND external_id = ?5 AND id <> ?3";
    let values = params![record.directory, record.kind.as_str(), record.id, ScimRecord::name_key(&record.name), record.external_id];
    Ok(first(connection, sql, values, |_| Ok(()))?.is_some())
}

/// `members` is a list of ids, as JSON.
fn no_such_member(connection: &Connection, directory: &str, members: &str) -> Res<Option<String>> {
    let sql = "SELECT value FROM json_each(?2) AS wanted WHERE NOT EXISTS
                 (SELECT 1 FROM scim_resources WHERE directory = ?1 AND id = wanted.value AND kind = 'user' AND deleted = 0)";
    first(connection, sql, params![directory, members], |row| Ok(row.get(0)?))
}

/// All of these are users, and not in the group yet.
fn add(connection: &Connection, directory: &str, group: &str, users: &str) -> Res<()> {
    let sql =
        "INSERT INTO scim_members (directory, group_id, user_id) SELECT ?1, ?2, value FROM json_each(?3) WHERE true ON CONFLICT DO NOTHING";
    let came = run(connection, sql, params![directory, group, users])?;
    count_members(connection, directory, group, number(came))?;
    mark(connection, directory, users)
}

/// All of these are in the group.
fn remove(connection: &Connection, directory: &str, group: &str, users: &str) -> Res<()> {
    let sql = "DELETE FROM scim_members WHERE directory = ?1 AND group_id = ?2 AND user_id IN (SELECT value FROM json_each(?3))";
    let left = run(connection, sql, params![directory, group, users])?;
    count_members(connection, directory, group, -number(left))?;
    mark(connection, directory, users)
}

fn count_members(connection: &Connection, directory: &str, group: &str, more: i64) -> Res<()> {
    if more != 0 {
        let sql = "UPDATE scim_resources SET member_count = member_count + ?3 WHERE directory = ?1 AND id = ?2";
        run(connection, sql, params![directory, group, more])?;
    }
    Ok(())
}

/// Why a group can't grow so. All groups are added up from what is kept with each, so that no second count can differ from it.
fn beyond(
    connection: &Connection,
    directory: &str,
    bounds: ScimBounds,
    in_group: i64,
    (came, left): (usize, usize),
) -> Res<Option<ScimWritten>> {
    if came <= left {
        return Ok(None);
    }
    let sql = "SELECT coalesce(sum(member_count), 0) FROM scim_resources WHERE directory = ?1 AND kind = 'group'";
    let in_all = first(connection, sql, params![directory], |row| Ok(row.get(0)?))?.unwrap_or_default();
    Ok(bounds.refuse_members((in_group, in_all), came, left))
}

fn fewer(connection: &Connection, directory: &str, kind: ScimKind, gone: usize) -> Res<()> {
    if gone > 0 {
        let sql = "UPDATE scim_sizes SET there = there - ?3 WHERE directory = ?1 AND kind = ?2";
        run(connection, sql, params![directory, kind.as_str(), number(gone)])?;
    }
    Ok(())
}

fn count(ids: &[String]) -> i64 {
    number(ids.len())
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or_default()
}

fn mark(connection: &Connection, directory: &str, users: &str) -> Res<()> {
    let sql = "UPDATE scim_resources SET changes = changes + 1 WHERE directory = ?1 AND id IN (SELECT value FROM json_each(?2))";
    run(connection, sql, params![directory, users])?;
    Ok(())
}
