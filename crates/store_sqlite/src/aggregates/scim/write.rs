//! Changing users and groups, and marking who is to be followed.

use std::collections::BTreeSet;

use falconer_store::{ScimKind, ScimRecord, ScimWritten};
use rusqlite::{Connection, params};

use super::read;
use crate::connection::columns::{first, run};
use crate::connection::fault::Res;

pub(crate) fn insert(connection: &Connection, record: &ScimRecord, most: u32) -> Res<ScimWritten> {
    if taken(connection, record)? {
        return Ok(ScimWritten::Taken);
    }
    let count = "SELECT count(*) FROM scim_resources WHERE directory = ?1 AND kind = ?2";
    let there: Option<i64> = first(connection, count, params![record.directory, record.kind.as_str()], |row| Ok(row.get(0)?))?;
    if there.unwrap_or_default() >= i64::from(most) {
        return Ok(ScimWritten::Full);
    }
    if let Some(nobody) = no_such_member(connection, record, &record.members)? {
        return Ok(ScimWritten::NoSuchMember(nobody));
    }
    let sql =
        "INSERT INTO scim_resources (directory, kind, id, external_id, name, name_key, display_name, display_key, active, profile, version,
                 created_ms, modified_ms, changes, followed, deleted)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, 0, 0)";
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
    for member in &record.members {
        add(connection, record, member)?;
        mark(connection, &record.directory, member)?;
    }
    Ok(ScimWritten::Done)
}

pub(crate) fn update(connection: &Connection, record: &ScimRecord) -> Res<ScimWritten> {
    let Some(before) = read::one(connection, &record.directory, record.kind, &record.id)? else { return Ok(ScimWritten::Changed) };
    if before.version != record.version - 1 {
        return Ok(ScimWritten::Changed);
    }
    if taken(connection, record)? {
        return Ok(ScimWritten::Taken);
    }
    let (old, new): (BTreeSet<&String>, BTreeSet<&String>) = (before.members.iter().collect(), record.members.iter().collect());
    if let Some(nobody) = no_such_member(connection, record, new.difference(&old).copied())? {
        return Ok(ScimWritten::NoSuchMember(nobody));
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
    if record.kind == ScimKind::User {
        mark(connection, &record.directory, &record.id)?;
        return Ok(ScimWritten::Done);
    }
    for left in old.difference(&new) {
        let sql = "DELETE FROM scim_members WHERE directory = ?1 AND group_id = ?2 AND user_id = ?3";
        run(connection, sql, params![record.directory, record.id, left])?;
        mark(connection, &record.directory, left)?;
    }
    for came in new.difference(&old) {
        add(connection, record, came)?;
        mark(connection, &record.directory, came)?;
    }
    if before.name != record.name {
        for stayed in old.intersection(&new) {
            mark(connection, &record.directory, stayed)?;
        }
    }
    Ok(ScimWritten::Done)
}

pub(crate) fn delete(connection: &Connection, directory: &str, kind: ScimKind, id: &str, version: Option<i64>) -> Res<ScimWritten> {
    let Some(before) = read::one(connection, directory, kind, id)? else { return Ok(ScimWritten::Changed) };
    if version.is_some_and(|version| version != before.version) {
        return Ok(ScimWritten::Changed);
    }
    match kind {
        ScimKind::User => {
            let sql = "UPDATE scim_resources SET version = version + 1 WHERE directory = ?1
                       AND id IN (SELECT group_id FROM scim_members WHERE directory = ?1 AND user_id = ?2)";
            run(connection, sql, params![directory, id])?;
            run(connection, "DELETE FROM scim_members WHERE directory = ?1 AND user_id = ?2", params![directory, id])?;
            let sql = "UPDATE scim_resources SET deleted = 1, changes = changes + 1 WHERE directory = ?1 AND id = ?2";
            run(connection, sql, params![directory, id])?;
        }
        ScimKind::Group => {
            for member in &before.members {
                mark(connection, directory, member)?;
            }
            run(connection, "DELETE FROM scim_members WHERE directory = ?1 AND group_id = ?2", params![directory, id])?;
            run(connection, "DELETE FROM scim_resources WHERE directory = ?1 AND id = ?2", params![directory, id])?;
        }
    }
    Ok(ScimWritten::Done)
}

pub(crate) fn note_followed(connection: &Connection, directory: &str, followed: &[(String, i64)]) -> Res<Vec<String>> {
    let mut otherwise = Vec::new();
    for (id, changes) in followed {
        let sql = "UPDATE scim_resources SET followed = changes WHERE directory = ?1 AND id = ?2 AND changes = ?3";
        if run(connection, sql, params![directory, id, changes])? == 0 {
            otherwise.push(id.clone());
        }
        let sql = "DELETE FROM scim_resources WHERE directory = ?1 AND id = ?2 AND deleted = 1 AND followed = changes";
        run(connection, sql, params![directory, id])?;
    }
    Ok(otherwise)
}

fn taken(connection: &Connection, record: &ScimRecord) -> Res<bool> {
    let sql = "SELECT 1 FROM scim_resources WHERE directory = ?1 AND (id = ?3 AND kind <> ?2
                 OR kind = ?2 AND id <> ?3 AND (name_key = ?4 OR external_id = ?5) OR id = ?3 AND deleted = 1)";
    let values = params![record.directory, record.kind.as_str(), record.id, ScimRecord::name_key(&record.name), record.external_id];
    Ok(first(connection, sql, values, |_| Ok(()))?.is_some())
}

fn no_such_member<'m>(connection: &Connection, record: &ScimRecord, members: impl IntoIterator<Item = &'m String>) -> Res<Option<String>> {
    let sql = "SELECT 1 FROM scim_resources WHERE directory = ?1 AND id = ?2 AND kind = 'user' AND deleted = 0";
    for member in members {
        if first(connection, sql, params![record.directory, member], |_| Ok(()))?.is_none() {
            return Ok(Some(member.clone()));
        }
    }
    Ok(None)
}

fn add(connection: &Connection, record: &ScimRecord, member: &str) -> Res<()> {
    let sql = "INSERT INTO scim_members (directory, group_id, user_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    run(connection, sql, params![record.directory, record.id, member])?;
    Ok(())
}

fn mark(connection: &Connection, directory: &str, user: &str) -> Res<()> {
    run(connection, "UPDATE scim_resources SET changes = changes + 1 WHERE directory = ?1 AND id = ?2", params![directory, user])?;
    Ok(())
}
