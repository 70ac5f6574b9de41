//! Grants, and what is kept of the applications that ask for them.

pub(crate) mod applications;
pub(crate) mod consents;
pub(crate) mod devices;
pub(crate) mod identities;
pub(crate) mod initial_tokens;
pub(crate) mod logouts;
pub(crate) mod scope_registries;
pub(crate) mod secrets;

use falconer_store::{ChangeKind, GrantRecord, KeyKind, MOST_DERIVED_GRANTS, StoreError};
use rusqlite::{Connection, Row, params};
use serde_json::json;

use crate::connection::columns::{all, first, list, read_list, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "id, identity, target, target_origin, client_id, scopes, everything, identity_for, created_ms, start_ms,
    expires_ms, issuer, seed, nonce, choices, label, last_used_ms, use_count, revoked_ms, revoked_by, reason, name, parent, purpose, \
    application, widens";

pub(crate) fn one(connection: &Connection, id: &str) -> Res<Option<GrantRecord>> {
    first(connection, &format!("SELECT {COLUMNS} FROM grants WHERE id = ?1"), params![id], read)
}

pub(crate) fn of_identity(connection: &Connection, identity: &str) -> Res<Vec<GrantRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM grants WHERE identity = ?1 ORDER BY created_ms DESC, rowid DESC");
    all(connection, &sql, params![identity], read)
}

/// Those that are neither revoked nor ended.
pub(crate) fn open_of_identity(connection: &Connection, identity: &str, now_ms: i64) -> Res<Vec<GrantRecord>> {
    let open = "identity = ?1 AND revoked_ms IS NULL AND expires_ms > ?2";
    let sql = format!("SELECT {COLUMNS} FROM grants WHERE {open} ORDER BY created_ms DESC, rowid DESC");
    all(connection, &sql, params![identity, now_ms], read)
}

pub(crate) fn last_to(connection: &Connection, identity: &str, target_origin: &str) -> Res<Option<GrantRecord>> {
    let wanted = "identity = ?1 AND target_origin = ?2 AND revoked_ms IS NULL AND parent IS NULL";
    let sql = format!("SELECT {COLUMNS} FROM grants WHERE {wanted} ORDER BY created_ms DESC, rowid DESC LIMIT 1");
    first(connection, &sql, params![identity, target_origin], read)
}

pub(crate) fn by_nonce(connection: &Connection, identity: &str, nonce: &str) -> Res<Option<GrantRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM grants WHERE identity = ?1 AND nonce = ?2 ORDER BY created_ms DESC, rowid DESC LIMIT 1");
    first(connection, &sql, params![identity, nonce], read)
}

/// Those that were made for an application or that codes or tokens of it stand for (records of old do not say the first), and that are neither
/// revoked nor ended.
pub(crate) fn open_for(connection: &Connection, application: &str, now_ms: i64) -> Res<Vec<GrantRecord>> {
    // Each half by an index of its own, which `OR` would keep from both: strangers cause this.
    let of_it = "id IN (SELECT id FROM grants WHERE application = ?1 AND revoked_ms IS NULL
                        UNION SELECT grant_id FROM grant_secrets WHERE application = ?1)";
    let open = format!("{of_it} AND revoked_ms IS NULL AND expires_ms > ?2");
    all(connection, &format!("SELECT {COLUMNS} FROM grants WHERE {open} ORDER BY id"), params![application, now_ms], read)
}

/// Ids of those that were revoked at this time or later, the latest first.
pub(crate) fn revoked_since(connection: &Connection, since_ms: i64, limit: u32) -> Res<Vec<String>> {
    let sql = "SELECT id FROM grants WHERE revoked_ms >= ?1 ORDER BY revoked_ms DESC, id LIMIT ?2";
    all(connection, sql, params![since_ms, limit], |row| Ok(row.get(0)?))
}

/// Grants that count after an instant, by id: neither revoked nor ended.
pub(crate) fn counting_after(connection: &Connection, instant_ms: i64) -> Res<Vec<GrantRecord>> {
    all(
        connection,
        &format!("SELECT {COLUMNS} FROM grants WHERE expires_ms > ?1 AND revoked_ms IS NULL ORDER BY id"),
        params![instant_ms],
        read,
    )
}

pub(crate) fn insert(writing: &mut Writing<'_>, grant: &GrantRecord, replaces: Option<&str>) -> Res<()> {
    // The old one first: both may have the same nonce.
    let mut revoked = None;
    if let Some(old) = replaces {
        if first(writing.connection, "SELECT 1 FROM grants WHERE id = ?1", params![old], |_| Ok(()))?.is_none() {
            return Err(StoreError::Conflict.into());
        }
        if revoke_one(writing, old, &writing.step.actor, "replaced")? {
            writing.changed(KeyKind::Grant, old, ChangeKind::Updated)?;
            revoked = Some(old);
        }
        let by = writing.step.actor.clone();
        revoke_derived(writing, old, &by)?;
    }
    if let Some(parent) = &grant.parent {
        refuse_too_many(writing, parent)?;
    }
    put(writing.connection, grant)?;
    writing.changed_and_audited(KeyKind::Grant, &grant.id, ChangeKind::Created)?;
    if let Some(old) = revoked {
        writing.audit_detail(KeyKind::Grant.as_str(), old, Some(&json!({ "replacedBy": grant.id })))?;
    }
    Ok(())
}

/// Another process may have derived some since it was decided that there is room.
fn refuse_too_many(writing: &Writing<'_>, parent: &str) -> Res<()> {
    // Up to the one that the person gave, and down to what counts of all that is derived from it: below one that has ended nothing does.
    let sql = "WITH RECURSIVE above (id, parent) AS (SELECT id, parent FROM grants WHERE id = ?1
                 UNION SELECT grants.id, grants.parent FROM grants JOIN above ON grants.id = above.parent),
               below (id) AS (SELECT id FROM above WHERE parent IS NULL
                 UNION ALL SELECT grants.id FROM below CROSS JOIN grants
                   ON grants.parent = below.id AND grants.revoked_ms IS NULL AND grants.expires_ms > ?2)
               SELECT count(*) FROM (SELECT 1 FROM below LIMIT ?3)";
    // With the one that the person gave.
    let most = i64::from(MOST_DERIVED_GRANTS).saturating_add(1);
    let living: Option<i64> = first(writing.connection, sql, params![parent, writing.step.at_ms, most], |row| Ok(row.get(0)?))?;
    if living.unwrap_or_default() >= most { Err(StoreError::Stale.into()) } else { Ok(()) }
}

pub(crate) fn revoke(writing: &mut Writing<'_>, ids: &[String], by: &str, reason: &str) -> Res<()> {
    for id in ids {
        if revoke_one(writing, id, by, reason)? {
            writing.changed_and_audited(KeyKind::Grant, id, ChangeKind::Updated)?;
        }
    }
    ids.iter().try_for_each(|id| revoke_derived(writing, id, by))
}

/// What was derived from a grant ends with it, and what was given to its holder beyond it.
fn revoke_derived(writing: &mut Writing<'_>, parent: &str, by: &str) -> Res<()> {
    let derived = "WITH RECURSIVE below (id) AS (SELECT id FROM grants WHERE parent = ?1 OR widens = ?1
        UNION SELECT grants.id FROM grants JOIN below ON grants.parent = below.id OR grants.widens = below.id) SELECT id FROM below ORDER BY id";
    for id in all(writing.connection, derived, params![parent], |row| Ok(row.get::<_, String>(0)?))? {
        if revoke_one(writing, &id, by, "the grant that it came from was revoked")? {
            writing.changed_and_audited(KeyKind::Grant, &id, ChangeKind::Updated)?;
        }
    }
    Ok(())
}

/// Removes up to `limit` of the grants that ended before an instant, oldest first; how many there were.
pub(crate) fn prune(connection: &Connection, before_ms: i64, limit: u32) -> Res<u64> {
    let sql = "DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE expires_ms < ?1 ORDER BY expires_ms, id LIMIT ?2)";
    Ok(run(connection, sql, params![before_ms, limit])? as u64)
}

pub(crate) fn note_use(connection: &Connection, id: &str, at_ms: i64, count: i64) -> Res<()> {
    let sql = "UPDATE grants SET last_used_ms = max(coalesce(last_used_ms, ?2), ?2), use_count = use_count + ?3 WHERE id = ?1";
    run(connection, sql, params![id, at_ms, count])?;
    Ok(())
}

/// Whether there was something to revoke. Whoever takes something back is asked the next time.
fn revoke_one(writing: &Writing<'_>, id: &str, by: &str, reason: &str) -> Res<bool> {
    let sql = "UPDATE grants SET revoked_ms = ?2, revoked_by = ?3, reason = ?4 WHERE id = ?1 AND revoked_ms IS NULL";
    let has_revoked = run(writing.connection, sql, params![id, writing.step.at_ms, by, reason])? > 0;
    if has_revoked {
        consents::forget_beside(writing.connection, id)?;
    }
    Ok(has_revoked)
}

fn put(connection: &Connection, grant: &GrantRecord) -> Res<()> {
    let sql = format!(
        "INSERT INTO grants ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
           ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)"
    );
    let values = params![
        grant.id,
        grant.identity,
        grant.target,
        grant.target_origin,
        grant.client_id,
        list(&grant.scopes)?,
        grant.everything,
        list(&grant.identity_for)?,
        grant.created_ms,
        grant.start_ms,
        grant.expires_ms,
        grant.issuer,
        grant.seed,
        grant.nonce,
        grant.choices,
        grant.label,
        grant.last_used_ms,
        grant.use_count,
        grant.revoked_ms,
        grant.revoked_by,
        grant.reason,
        grant.name,
        grant.parent,
        grant.purpose,
        grant.application,
        grant.widens,
    ];
    run(connection, &sql, values)?;
    Ok(())
}

fn read(row: &Row<'_>) -> Res<GrantRecord> {
    Ok(GrantRecord {
        id: row.get(0)?,
        identity: row.get(1)?,
        target: row.get(2)?,
        target_origin: row.get(3)?,
        client_id: row.get(4)?,
        scopes: read_list(row, 5)?,
        everything: row.get(6)?,
        identity_for: read_list(row, 7)?,
        created_ms: row.get(8)?,
        start_ms: row.get(9)?,
        expires_ms: row.get(10)?,
        issuer: row.get(11)?,
        seed: row.get(12)?,
        nonce: row.get(13)?,
        choices: row.get(14)?,
        label: row.get(15)?,
        last_used_ms: row.get(16)?,
        use_count: row.get(17)?,
        revoked_ms: row.get(18)?,
        revoked_by: row.get(19)?,
        reason: row.get(20)?,
        name: row.get(21)?,
        parent: row.get(22)?,
        purpose: row.get(23)?,
        application: row.get(24)?,
        widens: row.get(25)?,
    })
}
