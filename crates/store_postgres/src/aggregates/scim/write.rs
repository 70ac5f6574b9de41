//! Changing users and groups, and marking who is to be followed.

use std::collections::BTreeSet;

use falconer_store::{ChangeKind, Difference, ScimBounds, ScimGroupNow, ScimKind, ScimMembers, ScimPush, ScimRecord, ScimWritten};

use super::{history, read};
use crate::connection::columns::{all, finds, first, get, run};
use crate::connection::fault::Res;
use crate::connection::transaction::Transaction;

/// The class of the advisory locks of directories: `FALD`.
const DIRECTORIES: i32 = 0x4641_4c44;

/// Changes of one directory take turns.
async fn take_turn(on: &Transaction<'_>, directory: &str) -> Res<()> {
    run(on, "SELECT pg_advisory_xact_lock($1, hashtext($2))", &[&DIRECTORIES, &directory]).await.map(|_| ())
}

pub(crate) async fn insert(on: &Transaction<'_>, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> Res<ScimWritten> {
    take_turn(on, &record.directory).await?;
    if taken(on, record).await? {
        return Ok(ScimWritten::Taken);
    }
    if let Some(nobody) = no_such_member(on, &record.directory, &record.members).await? {
        return Ok(ScimWritten::NoSuchMember(nobody));
    }
    if let Some(full) = beyond(on, &record.directory, bounds, 0, (record.members.len(), 0)).await? {
        return Ok(full);
    }
    let count = "INSERT INTO scim_sizes (directory, kind, there) VALUES ($1, $2, 1)
                 ON CONFLICT (directory, kind) DO UPDATE SET there = scim_sizes.there + 1 WHERE scim_sizes.there < $3";
    if run(on, count, &[&record.directory, &record.kind.as_str(), &i64::from(bounds.of(record.kind))]).await? == 0 {
        return Ok(ScimWritten::Full);
    }
    let sql =
        "INSERT INTO scim_resources (directory, kind, id, external_id, name, name_key, display_name, display_key, active, profile, version,
                 created_ms, modified_ms, changes, followed, deleted, member_count)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0)";
    run(
        on,
        sql,
        &[
            &record.directory,
            &record.kind.as_str(),
            &record.id,
            &record.external_id,
            &record.name,
            &ScimRecord::name_key(&record.name),
            &record.display_name,
            &ScimRecord::name_key(&record.display_name),
            &i64::from(record.active),
            &record.profile,
            &record.version,
            &record.created_ms,
            &record.modified_ms,
            &i64::from(record.kind == ScimKind::User),
        ],
    )
    .await?;
    add(on, &record.directory, &record.id, &record.members).await?;
    let changed = history::with_members(on, &record.directory, Difference::of_pushed(None, Some(record)), &record.members, &[]).await?;
    history::note(on, push, record.kind, ChangeKind::Created, changed).await?;
    Ok(ScimWritten::Done)
}

pub(crate) async fn update(on: &Transaction<'_>, push: &ScimPush, record: &ScimRecord, bounds: ScimBounds) -> Res<ScimWritten> {
    take_turn(on, &record.directory).await?;
    let Some(before) = read::one(on, &record.directory, record.kind, &record.id).await? else { return Ok(ScimWritten::Changed) };
    if before.version != record.version - 1 {
        return Ok(ScimWritten::Changed);
    }
    if taken(on, record).await? {
        return Ok(ScimWritten::Taken);
    }
    let (old, new): (BTreeSet<&String>, BTreeSet<&String>) = (before.members.iter().collect(), record.members.iter().collect());
    let owned = |ids: Vec<&&String>| ids.into_iter().map(|id| (*id).clone()).collect::<Vec<String>>();
    let (left, came) = (owned(old.difference(&new).collect()), owned(new.difference(&old).collect()));
    if let Some(nobody) = no_such_member(on, &record.directory, &came).await? {
        return Ok(ScimWritten::NoSuchMember(nobody));
    }
    if let Some(full) = beyond(on, &record.directory, bounds, number(before.members.len()), (came.len(), left.len())).await? {
        return Ok(full);
    }
    let sql = "UPDATE scim_resources SET external_id = $3, name = $4, name_key = $5, display_name = $6, display_key = $7, active = $8,
                 profile = $9, version = $10, modified_ms = $11 WHERE directory = $1 AND id = $2";
    run(
        on,
        sql,
        &[
            &record.directory,
            &record.id,
            &record.external_id,
            &record.name,
            &ScimRecord::name_key(&record.name),
            &record.display_name,
            &ScimRecord::name_key(&record.display_name),
            &i64::from(record.active),
            &record.profile,
            &record.version,
            &record.modified_ms,
        ],
    )
    .await?;
    match record.kind {
        ScimKind::User => mark(on, &record.directory, std::slice::from_ref(&record.id)).await?,
        ScimKind::Group => {
            remove(on, &record.directory, &record.id, &left).await?;
            add(on, &record.directory, &record.id, &came).await?;
            if before.name != record.name {
                mark(on, &record.directory, &owned(old.intersection(&new).collect())).await?;
            }
        }
    }
    let changed = Difference::of_pushed(Some(&before), Some(record));
    let changed = history::with_members(on, &record.directory, changed, &came, &left).await?;
    history::note(on, push, record.kind, ChangeKind::Updated, changed).await?;
    Ok(ScimWritten::Done)
}

pub(crate) async fn change_members(
    on: &Transaction<'_>,
    push: &ScimPush,
    change: &ScimMembers,
    bounds: ScimBounds,
) -> Res<Result<ScimGroupNow, ScimWritten>> {
    let ScimMembers { directory, group, versions, came, left } = change;
    take_turn(on, directory).await?;
    let sql = "SELECT version, member_count, name FROM scim_resources WHERE directory = $1 AND id = $2 AND kind = 'group'";
    let present: Option<(i64, i64, String)> =
        first(on, sql, &[directory, group], |row| Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?))).await?;
    let Some((version, members, name)) = present else { return Ok(Err(ScimWritten::Changed)) };
    if versions.as_ref().is_some_and(|versions| !versions.contains(&version)) {
        return Ok(Err(ScimWritten::Changed));
    }
    let sql = "SELECT user_id FROM scim_members WHERE directory = $1 AND group_id = $2 AND user_id = ANY($3)";
    let there: BTreeSet<String> = all(on, sql, &[directory, group, came], |row| get(row, 0)).await?.into_iter().collect();
    let came: Vec<String> = came.iter().filter(|id| !there.contains(*id)).cloned().collect();
    let left: Vec<String> = all(on, sql, &[directory, group, left], |row| get(row, 0)).await?;
    let now = |version: i64, members: i64| ScimGroupNow { version, members: u32::try_from(members).unwrap_or_default() };
    if came.is_empty() && left.is_empty() {
        return Ok(Ok(now(version, members)));
    }
    if let Some(nobody) = no_such_member(on, directory, &came).await? {
        return Ok(Err(ScimWritten::NoSuchMember(nobody)));
    }
    if let Some(full) = beyond(on, directory, bounds, members, (came.len(), left.len())).await? {
        return Ok(Err(full));
    }
    let members = members + number(came.len()) - number(left.len());
    remove(on, directory, group, &left).await?;
    add(on, directory, group, &came).await?;
    let sql = "UPDATE scim_resources SET version = version + 1, modified_ms = $3 WHERE directory = $1 AND id = $2";
    run(on, sql, &[directory, group, &push.at_ms]).await?;
    let changed = history::with_members(on, directory, Difference::of_group_named(&name), &came, &left).await?;
    history::note(on, push, ScimKind::Group, ChangeKind::Updated, changed).await?;
    Ok(Ok(now(version + 1, members)))
}

pub(crate) async fn delete(
    on: &Transaction<'_>,
    push: &ScimPush,
    directory: &str,
    kind: ScimKind,
    id: &str,
    version: Option<i64>,
) -> Res<ScimWritten> {
    take_turn(on, directory).await?;
    let Some(before) = read::one(on, directory, kind, id).await? else { return Ok(ScimWritten::Changed) };
    if version.is_some_and(|version| version != before.version) {
        return Ok(ScimWritten::Changed);
    }
    let gone = Difference::of_pushed(Some(&before), None);
    let gone = match kind {
        ScimKind::User => {
            let groups = read::groups_of(on, directory, id).await?;
            gone.moved("groups", [], &groups, groups.len())
        }
        ScimKind::Group => history::with_members(on, directory, gone, &[], &before.members).await?,
    };
    match kind {
        ScimKind::User => {
            let sql = "UPDATE scim_resources SET version = version + 1, member_count = member_count - 1 WHERE directory = $1
                       AND id IN (SELECT group_id FROM scim_members WHERE directory = $1 AND user_id = $2)";
            run(on, sql, &[&directory, &id]).await?;
            run(on, "DELETE FROM scim_members WHERE directory = $1 AND user_id = $2", &[&directory, &id]).await?;
            let sql = "UPDATE scim_resources SET deleted = 1, changes = changes + 1 WHERE directory = $1 AND id = $2";
            run(on, sql, &[&directory, &id]).await?;
        }
        ScimKind::Group => {
            mark(on, directory, &before.members).await?;
            run(on, "DELETE FROM scim_members WHERE directory = $1 AND group_id = $2", &[&directory, &id]).await?;
            run(on, "DELETE FROM scim_resources WHERE directory = $1 AND id = $2", &[&directory, &id]).await?;
            fewer(on, directory, kind, 1).await?;
        }
    }
    history::note(on, push, kind, ChangeKind::Deleted, gone).await?;
    Ok(ScimWritten::Done)
}

pub(crate) async fn note_followed(on: &Transaction<'_>, directory: &str, followed: &[(String, i64)]) -> Res<Vec<String>> {
    take_turn(on, directory).await?;
    let (ids, changes): (Vec<&str>, Vec<i64>) = followed.iter().map(|(id, changes)| (id.as_str(), *changes)).unzip();
    let sql = "UPDATE scim_resources r SET followed = r.changes FROM unnest($2::text[], $3::bigint[]) AS f (id, changes)
               WHERE r.directory = $1 AND r.id = f.id AND r.changes = f.changes RETURNING r.id";
    let noted: BTreeSet<String> = all(on, sql, &[&directory, &ids, &changes], |row| get(row, 0)).await?.into_iter().collect();
    let sql = "DELETE FROM scim_resources WHERE directory = $1 AND id = ANY($2) AND deleted = 1 AND followed = changes";
    let gone = run(on, sql, &[&directory, &ids]).await?;
    fewer(on, directory, ScimKind::User, gone).await?;
    Ok(ids.into_iter().filter(|id| !noted.contains(*id)).map(str::to_owned).collect())
}

/// Asks each index for itself: one question with `OR` reads all that the directory has.
async fn taken(on: &Transaction<'_>, record: &ScimRecord) -> Res<bool> {
    let sql = "SELECT 1 FROM scim_resources WHERE directory = $1 AND id = $3 AND (kind <> $2 OR deleted = 1)
               UNION ALL SELECT 1 FROM scim_resources WHERE directory = $1 AND kind = $2 AND name_key = $4 AND id <> $3
               UNION ALL SELECT 1 FROM scim_resources WHERE directory = $1 AND kind = $2 AND external_id = $5 AND id <> $3";
    let (kind, key) = (record.kind.as_str(), ScimRecord::name_key(&record.name));
    finds(on, sql, &[&record.directory, &kind, &record.id, &key, &record.external_id]).await
}

async fn no_such_member(on: &Transaction<'_>, directory: &str, members: &[String]) -> Res<Option<String>> {
    let sql = "SELECT wanted FROM unnest($2::text[]) AS wanted WHERE NOT EXISTS
                 (SELECT 1 FROM scim_resources WHERE directory = $1 AND id = wanted AND kind = 'user' AND deleted = 0)
               ORDER BY wanted COLLATE \"C\"";
    first(on, sql, &[&directory, &members], |row| get(row, 0)).await
}

/// All of these are users, and not in the group yet.
async fn add(on: &Transaction<'_>, directory: &str, group: &str, users: &[String]) -> Res<()> {
    let sql = "INSERT INTO scim_members (directory, group_id, user_id) SELECT $1, $2, unnest($3::text[]) ON CONFLICT DO NOTHING";
    let came = run(on, sql, &[&directory, &group, &users]).await?;
    count_members(on, directory, group, number(came)).await?;
    mark(on, directory, users).await
}

/// All of these are in the group.
async fn remove(on: &Transaction<'_>, directory: &str, group: &str, users: &[String]) -> Res<()> {
    let sql = "DELETE FROM scim_members WHERE directory = $1 AND group_id = $2 AND user_id = ANY($3)";
    let left = run(on, sql, &[&directory, &group, &users]).await?;
    count_members(on, directory, group, -number(left)).await?;
    mark(on, directory, users).await
}

async fn count_members(on: &Transaction<'_>, directory: &str, group: &str, more: i64) -> Res<()> {
    if more != 0 {
        let sql = "UPDATE scim_resources SET member_count = member_count + $3 WHERE directory = $1 AND id = $2";
        run(on, sql, &[&directory, &group, &more]).await?;
    }
    Ok(())
}

/// Why a group can't grow so. All groups are added up from what is kept with each, so that no second count can differ from it.
async fn beyond(
    on: &Transaction<'_>,
    directory: &str,
    bounds: ScimBounds,
    in_group: i64,
    (came, left): (usize, usize),
) -> Res<Option<ScimWritten>> {
    if came <= left {
        return Ok(None);
    }
    let sql = "SELECT coalesce(sum(member_count), 0)::bigint FROM scim_resources WHERE directory = $1 AND kind = 'group'";
    let in_all = first(on, sql, &[&directory], |row| get(row, 0)).await?.unwrap_or_default();
    Ok(bounds.refuse_members((in_group, in_all), came, left))
}

async fn fewer(on: &Transaction<'_>, directory: &str, kind: ScimKind, gone: u64) -> Res<()> {
    if gone > 0 {
        let sql = "UPDATE scim_sizes SET there = there - $3 WHERE directory = $1 AND kind = $2";
        run(on, sql, &[&directory, &kind.as_str(), &number(gone)]).await?;
    }
    Ok(())
}

async fn mark(on: &Transaction<'_>, directory: &str, users: &[String]) -> Res<()> {
    run(on, "UPDATE scim_resources SET changes = changes + 1 WHERE directory = $1 AND id = ANY($2)", &[&directory, &users]).await?;
    Ok(())
}

fn number(of: impl TryInto<i64>) -> i64 {
    of.try_into().unwrap_or_default()
}
