//! Grants, and what is kept of the applications that ask for them.

pub(crate) mod applications;
pub(crate) mod consents;
pub(crate) mod devices;
pub(crate) mod identities;
pub(crate) mod initial_tokens;
pub(crate) mod logouts;
pub(crate) mod scope_registries;
pub(crate) mod secrets;

use std::collections::BTreeSet;

use falconer_store::{ChangeKind, GrantRecord, KeyKind, MOST_DERIVED_GRANTS, StoreError};
use serde_json::json;
use tokio_postgres::Row;

use crate::connection::columns::{Connection, all, finds, first, get, run};
use crate::connection::fault::Res;
use crate::steps::writing::Writing;

const COLUMNS: &str = "id, identity, target, target_origin, client_id, scopes, everything, identity_for, created_ms, start_ms,
    expires_ms, issuer, seed, nonce, choices, label, last_used_ms, use_count, revoked_ms, revoked_by, reason, name, parent, purpose, \
    application, widens";

pub(crate) async fn one(on: &impl Connection, id: &str) -> Res<Option<GrantRecord>> {
    first(on, &format!("SELECT {COLUMNS} FROM grants WHERE id = $1"), &[&id], read).await
}

/// Those of these grants that there are.
pub(crate) async fn among(on: &impl Connection, ids: &[&str]) -> Res<Vec<GrantRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM grants WHERE id = ANY($1)"), &[&ids], read).await
}

pub(crate) async fn of_identity(on: &impl Connection, identity: &str) -> Res<Vec<GrantRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM grants WHERE identity = $1 ORDER BY created_ms DESC, number DESC");
    all(on, &sql, &[&identity], read).await
}

/// Those that are neither revoked nor ended.
pub(crate) async fn open_of_identity(on: &impl Connection, identity: &str, now_ms: i64) -> Res<Vec<GrantRecord>> {
    let open = "identity = $1 AND revoked_ms IS NULL AND expires_ms > $2";
    let sql = format!("SELECT {COLUMNS} FROM grants WHERE {open} ORDER BY created_ms DESC, number DESC");
    all(on, &sql, &[&identity, &now_ms], read).await
}

pub(crate) async fn last_to(on: &impl Connection, identity: &str, target_origin: &str) -> Res<Option<GrantRecord>> {
    let wanted = "identity = $1 AND target_origin = $2 AND revoked_ms IS NULL AND parent IS NULL";
    let sql = format!("SELECT {COLUMNS} FROM grants WHERE {wanted} ORDER BY created_ms DESC, number DESC LIMIT 1");
    first(on, &sql, &[&identity, &target_origin], read).await
}

pub(crate) async fn by_nonce(on: &impl Connection, identity: &str, nonce: &str) -> Res<Option<GrantRecord>> {
    let sql = format!("SELECT {COLUMNS} FROM grants WHERE identity = $1 AND nonce = $2 ORDER BY created_ms DESC, number DESC LIMIT 1");
    first(on, &sql, &[&identity, &nonce], read).await
}

/// Those that were made for an application or that codes or tokens of it stand for (records of old do not say the first), and that are neither
/// revoked nor ended.
pub(crate) async fn open_for(on: &impl Connection, application: &str, now_ms: i64) -> Res<Vec<GrantRecord>> {
    // Each half by an index of its own, which `OR` would keep from both: strangers cause this.
    let of_it = "id IN (SELECT id FROM grants WHERE application = $1 AND revoked_ms IS NULL
                        UNION SELECT grant_id FROM grant_secrets WHERE application = $1)";
    let open = format!("{of_it} AND revoked_ms IS NULL AND expires_ms > $2");
    all(on, &format!("SELECT {COLUMNS} FROM grants WHERE {open} ORDER BY id"), &[&application, &now_ms], read).await
}

/// Ids of those that were revoked at this time or later, the latest first.
pub(crate) async fn revoked_since(on: &impl Connection, since_ms: i64, limit: u32) -> Res<Vec<String>> {
    let sql = "SELECT id FROM grants WHERE revoked_ms >= $1 ORDER BY revoked_ms DESC, id LIMIT $2";
    all(on, sql, &[&since_ms, &i64::from(limit)], |row| get(row, 0)).await
}

/// Grants that count after an instant, by id: neither revoked nor ended.
pub(crate) async fn counting_after(on: &impl Connection, instant_ms: i64) -> Res<Vec<GrantRecord>> {
    all(on, &format!("SELECT {COLUMNS} FROM grants WHERE expires_ms > $1 AND revoked_ms IS NULL ORDER BY id"), &[&instant_ms], read).await
}

pub(crate) async fn insert(writing: &mut Writing<'_>, grant: &GrantRecord, replaces: Option<&str>) -> Res<()> {
    // The old one first: both may have the same nonce.
    let mut revoked = None;
    if let Some(old) = replaces {
        if !finds(&writing.transaction, "SELECT 1 FROM grants WHERE id = $1", &[&old]).await? {
            return Err(StoreError::Conflict.into());
        }
        let by = writing.step.actor.clone();
        if !revoke_those(writing, "id = ANY($4)", &[old], &by, "replaced").await?.is_empty() {
            writing.changed(KeyKind::Grant, old, ChangeKind::Updated);
            revoked = Some(old);
        }
        revoke_derived(writing, &[old], &by).await?;
    }
    if let Some(parent) = &grant.parent {
        refuse_too_many(writing, parent).await?;
    }
    put(&writing.transaction, grant).await?;
    writing.changed_and_audited(KeyKind::Grant, &grant.id, ChangeKind::Created);
    if let Some(old) = revoked {
        writing.audit_detail(KeyKind::Grant.as_str(), old, Some(&json!({ "replacedBy": grant.id })));
    }
    Ok(())
}

/// Another server may have derived some since it was decided that there is room. Whoever writes holds the lock of the revision, so that nobody derives one meanwhile.
async fn refuse_too_many(writing: &Writing<'_>, parent: &str) -> Res<()> {
    // Up to the one that the person gave, and down to what counts of all that is derived from it: below one that has ended nothing does. For OFFSET and COLLATE
    // see `revoke_derived`.
    let sql = "WITH RECURSIVE above (id, parent) AS (SELECT id, parent FROM grants WHERE id = $1
                 UNION SELECT grants.id, grants.parent FROM grants JOIN above ON grants.id = above.parent),
               below (id) AS (SELECT id FROM above WHERE parent IS NULL
                 UNION ALL SELECT living.id FROM below CROSS JOIN LATERAL
                   (SELECT id FROM grants WHERE parent = below.id COLLATE \"default\" AND revoked_ms IS NULL AND expires_ms > $2 OFFSET 0) living)
               SELECT count(*) FROM (SELECT FROM below LIMIT $3) tree";
    // With the one that the person gave.
    let most = i64::from(MOST_DERIVED_GRANTS).saturating_add(1);
    let living: Option<i64> = first(&writing.transaction, sql, &[&parent, &writing.step.at_ms, &most], |row| get(row, 0)).await?;
    if living.unwrap_or_default() >= most { Err(StoreError::Stale.into()) } else { Ok(()) }
}

pub(crate) async fn revoke(writing: &mut Writing<'_>, ids: &[String], by: &str, reason: &str) -> Res<()> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut revoked: BTreeSet<String> = revoke_those(writing, "id = ANY($4)", &ids, by, reason).await?.into_iter().collect();
    for id in ids.iter().filter(|id| revoked.remove(**id)) {
        writing.changed_and_audited(KeyKind::Grant, id, ChangeKind::Updated);
    }
    revoke_derived(writing, &ids, by).await
}

/// What was derived from grants ends with them, and what was given to their holders beyond them.
async fn revoke_derived(writing: &mut Writing<'_>, parents: &[&str], by: &str) -> Res<()> {
    // Each is found by an index, and all grants are never read. For that OFFSET and ARRAY keep the planner from joining, which takes the tree to have thousands; and
    // an id is compared in the order of these columns and of their indexes, which is not that of ids.
    let derived = "id = ANY(ARRAY(WITH RECURSIVE below (id) AS (SELECT unnest($4::text[]) COLLATE \"C\"
        UNION SELECT next.id FROM below CROSS JOIN LATERAL
          (SELECT id FROM grants WHERE parent = below.id COLLATE \"default\"
           UNION ALL SELECT id FROM grants WHERE widens = below.id COLLATE \"default\" OFFSET 0) next)
        SELECT id FROM below))";
    let mut revoked = revoke_those(writing, derived, parents, by, "the grant that it came from was revoked").await?;
    revoked.sort();
    for id in &revoked {
        writing.changed_and_audited(KeyKind::Grant, id, ChangeKind::Updated);
    }
    Ok(())
}

/// Removes up to `limit` of the grants that ended before an instant, oldest first; how many there were.
pub(crate) async fn prune(on: &impl Connection, before_ms: i64, limit: u32) -> Res<u64> {
    let sql = "DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE expires_ms < $1 ORDER BY expires_ms, id LIMIT $2)";
    run(on, sql, &[&before_ms, &i64::from(limit)]).await
}

/// Notes last uses and counts them. Whoever does not wait gets those that are being changed at this moment, and that were not noted. Whoever waits has the lock of the
/// revision.
pub(crate) async fn note_uses(on: &impl Connection, uses: &[(String, i64, i64)], waits: bool) -> Res<Vec<(String, i64, i64)>> {
    if uses.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = uses.iter().map(|(id, ..)| id.as_str()).collect();
    let (times, counts): (Vec<i64>, Vec<i64>) = uses.iter().map(|(_, at_ms, count)| (*at_ms, *count)).unzip();
    let busy = if waits { "" } else { "SKIP LOCKED" };
    let sql = format!(
        "WITH used AS (SELECT id, max(at_ms) AS at_ms, sum(count)::bigint AS count
                 FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS u (id, at_ms, count) GROUP BY id),
               free AS MATERIALIZED (SELECT g.id FROM grants g JOIN used USING (id) FOR NO KEY UPDATE OF g {busy}),
               noted AS (UPDATE grants g SET last_used_ms = greatest(coalesce(g.last_used_ms, used.at_ms), used.at_ms),
                   use_count = g.use_count + used.count FROM used WHERE g.id = used.id AND used.id IN (SELECT id FROM free))
               SELECT used.id, used.at_ms, used.count FROM used JOIN grants USING (id) WHERE id NOT IN (SELECT id FROM free)"
    );
    all(on, &sql, &[&ids, &times, &counts], |row| Ok((get(row, 0)?, get(row, 1)?, get(row, 2)?))).await
}

/// Revokes those that are not revoked yet of the ones that a condition says of `$4`, in no order. Whoever takes something back is asked the next time.
async fn revoke_those(writing: &Writing<'_>, which: &str, ids: &[&str], by: &str, reason: &str) -> Res<Vec<String>> {
    let sql = format!("UPDATE grants SET revoked_ms = $1, revoked_by = $2, reason = $3 WHERE revoked_ms IS NULL AND {which} RETURNING id");
    let revoked: Vec<String> = all(&writing.transaction, &sql, &[&writing.step.at_ms, &by, &reason, &ids], |row| get(row, 0)).await?;
    if !revoked.is_empty() {
        consents::forget_beside(&writing.transaction, &revoked).await?;
    }
    Ok(revoked)
}

async fn put(on: &impl Connection, grant: &GrantRecord) -> Res<()> {
    let sql = format!(
        "INSERT INTO grants ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
           $19, $20, $21, $22, $23, $24, $25, $26)"
    );
    run(
        on,
        &sql,
        &[
            &grant.id,
            &grant.identity,
            &grant.target,
            &grant.target_origin,
            &grant.client_id,
            &grant.scopes,
            &grant.everything,
            &grant.identity_for,
            &grant.created_ms,
            &grant.start_ms,
            &grant.expires_ms,
            &grant.issuer,
            &grant.seed,
            &grant.nonce,
            &grant.choices,
            &grant.label,
            &grant.last_used_ms,
            &grant.use_count,
            &grant.revoked_ms,
            &grant.revoked_by,
            &grant.reason,
            &grant.name,
            &grant.parent,
            &grant.purpose,
            &grant.application,
            &grant.widens,
        ],
    )
    .await?;
    Ok(())
}

fn read(row: &Row) -> Res<GrantRecord> {
    Ok(GrantRecord {
        id: get(row, 0)?,
        identity: get(row, 1)?,
        target: get(row, 2)?,
        target_origin: get(row, 3)?,
        client_id: get(row, 4)?,
        scopes: get(row, 5)?,
        everything: get(row, 6)?,
        identity_for: get(row, 7)?,
        created_ms: get(row, 8)?,
        start_ms: get(row, 9)?,
        expires_ms: get(row, 10)?,
        issuer: get(row, 11)?,
        seed: get(row, 12)?,
        nonce: get(row, 13)?,
        choices: get(row, 14)?,
        label: get(row, 15)?,
        last_used_ms: get(row, 16)?,
        use_count: get(row, 17)?,
        revoked_ms: get(row, 18)?,
        revoked_by: get(row, 19)?,
        reason: get(row, 20)?,
        name: get(row, 21)?,
        parent: get(row, 22)?,
        purpose: get(row, 23)?,
        application: get(row, 24)?,
        widens: get(row, 25)?,
    })
}
