//! The one way to write: a transaction that is durable or has not happened.

use falconer_store::{ChangeKind, Committed, Epoch, Key, KeyKind, Result, Revision, Step, StoreError};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::connection::columns::{first, run};
use crate::connection::fault::{Fault, Res};
use crate::connection::migrate::check_schema;
use crate::following::history;
use crate::steps::audit;

/// Runs `body` in a transaction of its own and commits it.
pub(crate) fn write<T>(connection: &mut Connection, body: impl FnOnce(&Connection) -> Res<T>) -> Result<T> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|error| Fault::from(error).named())?;
    match body(&transaction) {
        Ok(value) => match transaction.execute_batch("COMMIT") {
            Ok(()) => Ok(value),
            Err(error) => {
                let named = Fault::from(error).at_commit();
                Err(roll_back(&transaction, named))
            }
        },
        Err(fault) => {
            let named = fault.named();
            Err(roll_back(&transaction, named))
        }
    }
    // The transaction is over either way; dropping it finds nothing to do.
}

/// SQLite has rolled back by itself after some errors. Where neither way works, nobody knows what the connection holds.
fn roll_back(connection: &Connection, error: StoreError) -> StoreError {
    if !connection.is_autocommit() && connection.execute_batch("ROLLBACK").is_err() && !connection.is_autocommit() {
        return StoreError::Fatal(format!("a transaction could not be rolled back after: {error}"));
    }
    error
}

/// A step under way.
pub(crate) struct Writing<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) step: &'a Step,
    present: Revision,
    changed: bool,
    audited: bool,
}

/// Runs steps in one transaction, if the file is in the history that they were decided in. For each step it checks what the step depends on, runs `body`, and takes
/// the next revision if `body` changed something.
pub(crate) fn take_steps<W>(
    connection: &mut Connection,
    decided_in: Epoch,
    steps: &[(Step, W)],
    body: impl Fn(&mut Writing<'_>, &W) -> Res<()>,
) -> Result<Committed> {
    write(connection, |connection| {
        check_schema(connection)?;
        let mut committed = Committed::default();
        if !steps.is_empty() && history::standing(connection)?.history.epoch != decided_in {
            return Err(StoreError::Stale.into());
        }
        for (number, (step, write)) in steps.iter().enumerate() {
            let present = if steps.len() > 1 { check_exact(connection, step)? } else { check_fresh(connection, step)? };
            if number == 0 {
                committed.found = present;
            }
            let mut writing = Writing { connection, step, present, changed: false, audited: false };
            body(&mut writing, write)?;
            let revision = writing.revision();
            if writing.changed || writing.audited {
                let sql = "UPDATE meta SET revision = ?1, highest_ms = max(highest_ms, ?2)";
                run(connection, sql, params![revision.0, step.at_ms])?;
            }
            committed.revisions.push(revision);
        }
        Ok(committed)
    })
}

impl Writing<'_> {
    /// The revision that the step's rows carry: the next one as soon as something has changed.
    fn revision(&self) -> Revision {
        if self.changed { Revision(self.present.0 + 1) } else { self.present }
    }

    /// A row of the change feed. Changes come before the audit rows, so that these carry the new revision.
    ///
    /// A step that touches a record twice leaves one row, of what both come to for somebody who sees revisions only.
    pub(crate) fn changed(&mut self, kind: KeyKind, key: &str, what: ChangeKind) -> Res<()> {
        self.changed = true;
        let sql = "INSERT INTO changes (revision, kind, key, at_ms, what) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT DO UPDATE SET what =
                     CASE WHEN excluded.what = 'deleted' THEN 'deleted' WHEN what = 'created' THEN 'created' ELSE 'updated' END";
        run(self.connection, sql, params![self.revision().0, kind.as_str(), key, self.step.at_ms, what.as_str()])?;
        Ok(())
    }

    /// The step's time is the highest one from now on, also where it is the lower one.
    pub(crate) fn accept_time(&mut self) -> Res<()> {
        run(self.connection, "UPDATE meta SET highest_ms = ?1", params![self.step.at_ms])?;
        self.changed = true;
        self.audit("clock", "clock")
    }

    /// Something was changed that no node keeps: it gets a revision, and no row in the change feed.
    pub(crate) fn changed_silently(&mut self) {
        self.changed = true;
    }

    /// An audit row of the step for an entity.
    pub(crate) fn audit(&mut self, entity_type: &str, entity_id: &str) -> Res<()> {
        self.audit_detail(entity_type, entity_id, self.step.detail_of(entity_type, entity_id))
    }

    /// An audit row of the step for an entity, with another detail.
    pub(crate) fn audit_detail(&mut self, entity_type: &str, entity_id: &str, detail: Option<&serde_json::Value>) -> Res<()> {
        self.audited = true;
        audit::insert(self.connection, self.revision(), self.step, &self.step.action, entity_type, entity_id, detail)
    }

    /// Both rows for a record of a batch, with an action of its own.
    pub(crate) fn changed_in_batch(&mut self, kind: KeyKind, key: &str, what: ChangeKind, action: &str) -> Res<()> {
        self.changed(kind, key, what)?;
        self.audited = true;
        audit::insert(self.connection, self.revision(), self.step, action, kind.as_str(), key, self.step.detail_of(kind.as_str(), key))
    }

    /// Both rows for a record that is its own entity.
    pub(crate) fn changed_and_audited(&mut self, kind: KeyKind, key: &str, what: ChangeKind) -> Res<()> {
        self.changed(kind, key, what)?;
        self.audit(kind.as_str(), key)
    }
}

/// Errors: the step was decided at another revision than the present one, which is the answer. A step of a group was decided on what the steps before it leave.
fn check_exact(connection: &Connection, step: &Step) -> Res<Revision> {
    let (present, _) = revision_and_floor(connection)?;
    if step.decided_at == present { Ok(present) } else { Err(StoreError::Stale.into()) }
}

/// Whether nothing that the step depends on has changed since it was decided; the present revision.
fn check_fresh(connection: &Connection, step: &Step) -> Res<Revision> {
    let (present, floor) = revision_and_floor(connection)?;
    let decided_at = step.decided_at;
    if decided_at == present {
        return Ok(present);
    }
    if decided_at > present || decided_at < floor {
        return Err(StoreError::Stale.into());
    }
    for key in &step.depends_on {
        let (kind, key) = match key {
            Key::Role => (KeyKind::Role, None),
            Key::Client(client_id) => (KeyKind::Client, Some(client_id)),
            Key::Grant(id) => (KeyKind::Grant, Some(id)),
            Key::Identity(identity) => (KeyKind::Identity, Some(identity)),
            Key::Person(id) => (KeyKind::Person, Some(id)),
            Key::Application(id) => (KeyKind::Application, Some(id)),
            Key::ScopeRegistries => (KeyKind::ScopeRegistry, None),
        };
        let sql = "SELECT 1 FROM changes WHERE revision > ?1 AND kind = ?2 AND (?3 IS NULL OR key = ?3) LIMIT 1";
        if first(connection, sql, params![decided_at.0, kind.as_str(), key], |_| Ok(()))?.is_some() {
            return Err(StoreError::Stale.into());
        }
    }
    Ok(present)
}

/// The present revision, and the one up to which the change feed may have been pruned.
pub(crate) fn revision_and_floor(connection: &Connection) -> Res<(Revision, Revision)> {
    first(connection, "SELECT revision, feed_floor FROM meta", [], |row| Ok((Revision(row.get(0)?), Revision(row.get(1)?))))?
        .ok_or_else(|| StoreError::Corrupt("the row of the revision is gone".to_owned()).into())
}

#[cfg(test)]
mod tests;
