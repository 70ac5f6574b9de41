//! The row that each push leaves in the history.

use falconer_store::{ChangeKind, Difference, Revision, ScimKind, ScimPush, Step, StoreError};

use crate::connection::columns::{all, first, get};
use crate::connection::fault::Res;
use crate::connection::transaction::Transaction;
use crate::steps::audit;
use crate::steps::writing::AuditRow;

/// Notes what was changed, at the end of the transaction. The revision is the one that is found: no node has anything of it in memory.
///
/// INVARIANT: its row is locked from here on, so that rows of the history become visible in the order of their numbers. Whoever has it waits for no directory's turn.
pub(super) async fn note(on: &Transaction<'_>, push: &ScimPush, kind: ScimKind, what: ChangeKind, changed: Difference) -> Res<()> {
    let sql = "UPDATE meta SET highest_ms = greatest(highest_ms, $1) RETURNING revision";
    let found = first(on, sql, &[&push.at_ms], |row| Ok(Revision(get(row, 0)?))).await?;
    let found = found.ok_or_else(|| StoreError::Corrupt("the row of the revision is gone".to_owned()))?;
    let step = Step::of_push(found, push, kind, what, changed);
    let (entity_type, entity_id) = (kind.entity_type().to_owned(), push.entity_id.clone());
    let row = AuditRow { action: step.action.clone(), entity_type, entity_id, detail: step.detail.clone() };
    audit::insert(on, found, &step, &[row]).await
}

/// With who came into a group and who left it, by the names that the directory has for them, as many as are kept.
pub(super) async fn with_members(
    on: &Transaction<'_>,
    directory: &str,
    changed: Difference,
    came: &[String],
    left: &[String],
) -> Res<Difference> {
    let (came_names, left_names) = (names(on, directory, came).await?, names(on, directory, left).await?);
    Ok(changed.moved("members", &came_names, &left_names, came.len() + left.len()))
}

async fn names(on: &Transaction<'_>, directory: &str, users: &[String]) -> Res<Vec<String>> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let first = users.get(..Difference::MOST_KEPT).unwrap_or(users);
    let sql = "SELECT name FROM scim_resources WHERE directory = $1 AND id = ANY($2) ORDER BY name COLLATE \"C\"";
    all(on, sql, &[&directory, &first], |row| get(row, 0)).await
}
