//! The row that each push leaves in the history.

use falconer_store::{ChangeKind, Difference, Revision, ScimKind, ScimPush, Step, StoreError};
use rusqlite::{Connection, params};

use crate::connection::columns::{all, first, list};
use crate::connection::fault::Res;
use crate::steps::audit;

/// Notes what was changed. The revision is the one that is found: no node has anything of it in memory.
pub(super) fn note(connection: &Connection, push: &ScimPush, kind: ScimKind, what: ChangeKind, changed: Difference) -> Res<()> {
    let sql = "UPDATE meta SET highest_ms = max(highest_ms, ?1) RETURNING revision";
    let found = first(connection, sql, params![push.at_ms], |row| Ok(Revision(row.get(0)?)))?;
    let found = found.ok_or_else(|| StoreError::Corrupt("the row of the revision is gone".to_owned()))?;
    let step = Step::of_push(found, push, kind, what, changed);
    audit::insert(connection, found, &step, &step.action, kind.entity_type(), &push.entity_id, step.detail.as_ref())
}

/// With who came into a group and who left it, by the names that the directory has for them, as many as are kept.
pub(super) fn with_members(
    connection: &Connection,
    directory: &str,
    changed: Difference,
    came: &[String],
    left: &[String],
) -> Res<Difference> {
    let (came_names, left_names) = (names(connection, directory, came)?, names(connection, directory, left)?);
    Ok(changed.moved("members", &came_names, &left_names, came.len() + left.len()))
}

fn names(connection: &Connection, directory: &str, users: &[String]) -> Res<Vec<String>> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let first = users.get(..Difference::MOST_KEPT).unwrap_or(users);
    let sql = "SELECT name FROM scim_resources WHERE directory = ?1 AND id IN (SELECT value FROM json_each(?2)) ORDER BY name";
    all(connection, sql, params![directory, list(first)?], |row| Ok(row.get(0)?))
}
