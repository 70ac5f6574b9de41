//! The one way to take a step: a transaction that is durable or has not happened.

use std::collections::BTreeMap;

use falconer_store::{ChangeKind, ClientRecord, Epoch, Key, KeyKind, Result, Revision, RoleRecord, Sealer, Step, StoreError};
use futures_util::future::try_join;
use serde_json::Value as Json;

use crate::aggregates::{clients, roles};
use crate::connection::columns::{AT_ONCE, Connection, Value, Values, all_at_once, finds, first, get, run};
use crate::connection::connect::STILL_GOOD;
use crate::connection::contact::{CHANNEL, NodeId};
use crate::connection::fault::{Fault, Res};
use crate::connection::hash;
use crate::connection::migrate::{NEEDED, check_schema, known};
use crate::connection::transaction::Transaction;
use crate::steps::audit::{AUDIT_ROWS, AuditColumns};

/// A step under way. Dropped before [`Writing::commit`], it has not happened.
pub(crate) struct Writing<'a> {
    pub(crate) transaction: Transaction<'a>,
    pub(crate) step: &'a Step,
    node: &'a NodeId,
    present: Revision,
    changed: bool,
    audited: bool,
    /// Written at the end of the step, all in one round trip with the revision that they carry: new records, then what is noted of the step.
    new_records: Vec<NewRecord<'a>>,
    changes: Vec<ChangeRow>,
    audits: Vec<AuditRow>,
}

/// A record that is still to be written, and that is in nobody's way but of one of the same id.
pub(crate) enum NewRecord<'a> {
    Role(&'a RoleRecord),
    Client(&'a ClientRecord, &'a Sealer),
}

/// A row of the change feed that is still to be written.
struct ChangeRow {
    kind: KeyKind,
    key: String,
    what: ChangeKind,
}

/// An audit row that is still to be written.
pub(crate) struct AuditRow {
    /// That of the step, where a batch does not name one for each record.
    pub(crate) action: String,
    pub(crate) entity_type: String,
    pub(crate) entity_id: String,
    pub(crate) detail: Option<Json>,
}

impl<'a> Writing<'a> {
    /// Takes the lock of the revision, and checks that nothing that the step depends on has changed since it was decided. Where others follow it in its group, nothing
    /// at all may have changed. Errors: Stale, also where the step was decided in another history.
    pub(crate) async fn begin(
        transaction: Transaction<'a>,
        node: &'a NodeId,
        decided_in: Epoch,
        step: &'a Step,
        others_follow: bool,
    ) -> Res<Writing<'a>> {
        let sql = format!(
            "SELECT revision, feed_floor, (SELECT count(*) FROM falconer_migrations), epoch = $1, {STILL_GOOD} FROM meta FOR UPDATE OF meta"
        );
        let epoch = decided_in.to_string();
        let values: Values<'_> = &[&epoch];
        let meta = first(&transaction, &sql, values, |row| {
            Ok((Revision(get(row, 0)?), Revision(get(row, 1)?), get::<i64>(row, 2)?, get::<bool>(row, 3)?))
        });
        let found = transaction.begin_with(meta).await?;
        let (present, floor, applied, is_same_history) = found.ok_or_else(no_revision)?;
        // The question takes the database longer than all else of this.
        if applied > known() {
            let needed = first(&transaction, &format!("SELECT {NEEDED}"), &[&known()], |row| get(row, 0)).await?;
            check_schema(needed.unwrap_or_default())?;
        }
        if !is_same_history {
            return Err(StoreError::Stale.into());
        }
        if others_follow && step.decided_at != present {
            return Err(StoreError::Stale.into());
        }
        check_fresh(&transaction, step, present, floor).await?;
        Ok(Writing {
            transaction,
            node,
            step,
            present,
            changed: false,
            audited: false,
            new_records: Vec::new(),
            changes: Vec::new(),
            audits: Vec::new(),
        })
    }

    /// The revision that was found.
    pub(crate) fn present(&self) -> Revision {
        self.present
    }

    /// Ends this step, whose revision is the answer, and begins the next one, which must have been decided at that revision.
    pub(crate) async fn next(&mut self, step: &'a Step) -> Res<Revision> {
        self.end().await?;
        let revision = self.revision();
        if step.decided_at != revision {
            return Err(StoreError::Stale.into());
        }
        (self.step, self.present, self.changed, self.audited) = (step, revision, false, false);
        self.new_records.clear();
        self.changes.clear();
        self.audits.clear();
        Ok(revision)
    }

    /// Writes the rows of the step, and the next revision if something has changed. None of these statements waits for another's answer: where one fails, nothing of
    /// the transaction is kept.
    async fn end(&self) -> Res<()> {
        if !self.changed && !self.audited {
            return Ok(());
        }
        // The first one that failed says why; what is behind it the transaction takes no more.
        try_join(self.write_new(), self.write_notes()).await.map(drop)
    }

    async fn write_new(&self) -> Res<()> {
        let written = self.new_records.iter().map(|new| async move {
            match new {
                NewRecord::Role(role) => roles::add(&self.transaction, role).await,
                NewRecord::Client(client, sealer) => clients::add(&self.transaction, sealer, client).await,
            }
        });
        all_at_once(written).await
    }

    /// Leaves a new record to the end of the step.
    pub(crate) async fn add(&mut self, kind: KeyKind, id: &str, record: NewRecord<'a>) -> Res<()> {
        // A few go out together with what is noted of them.
        if self.new_records.len() >= AT_ONCE {
            self.write_new().await?;
            self.new_records.clear();
        }
        self.new_records.push(record);
        self.changed_and_audited(kind, id, ChangeKind::Created);
        Ok(())
    }

    /// The rows of the change feed, those of the audit in the order given, and the revision, all in one statement: each would be answered by itself. The other nodes hear of it
    /// when it is committed, and not before. A step that touches a record twice leaves one row in the feed, of what both come to for somebody who sees revisions only.
    async fn write_notes(&self) -> Res<()> {
        let mut rows: BTreeMap<(&str, &str), ChangeKind> = BTreeMap::new();
        for ChangeRow { kind, key, what } in &self.changes {
            rows.entry((kind.as_str(), key)).and_modify(|both| *both = of_both(*both, *what)).or_insert(*what);
        }
        let (kinds, keys): (Vec<&str>, Vec<&str>) = rows.keys().copied().unzip();
        let hashes: Vec<Vec<u8>> = keys.iter().map(|key| hash::of(key)).collect();
        let whats: Vec<&str> = rows.values().map(|what| what.as_str()).collect();
        let (columns, actor_hash) = (AuditColumns::of(&self.audits), hash::of(&self.step.actor));
        let (revision, node) = (self.revision(), self.node.as_str());
        let sql = format!(
            "WITH audited AS ({AUDIT_ROWS}),
             changed AS (INSERT INTO changes (revision, kind, key, key_hash, at_ms, what)
               SELECT $1, kind, key, key_hash, $2, what FROM unnest($11::text[], $12::text[], $13::bytea[], $14::text[]) AS c (kind, key, key_hash, what)),
             moved AS (UPDATE meta SET revision = $1, highest_ms = greatest(highest_ms, $2) RETURNING revision)
             SELECT pg_notify({CHANNEL}, $15 || ' ' || revision) FROM moved"
        );
        let feed: [&dyn Value; 5] = [&kinds, &keys, &hashes, &whats, &node];
        let values: Vec<&dyn Value> = columns.values(&revision.0, self.step, &actor_hash).into_iter().chain(feed).collect();
        run(&self.transaction, &sql, &values).await.map(drop)
    }

    /// The same for the last one, and commits.
    pub(crate) async fn commit(self) -> Result<Revision> {
        self.transaction.commit_with(self.end()).await?;
        Ok(self.revision())
    }

    /// The revision that the step's rows carry: the next one as soon as something has changed.
    fn revision(&self) -> Revision {
        if self.changed { Revision(self.present.0.saturating_add(1)) } else { self.present }
    }

    /// A row of the change feed.
    pub(crate) fn changed(&mut self, kind: KeyKind, key: &str, what: ChangeKind) {
        self.changed = true;
        self.changes.push(ChangeRow { kind, key: key.to_owned(), what });
    }

    /// The step's time is the highest one from now on, also where it is the lower one.
    pub(crate) async fn accept_time(&mut self) -> Res<()> {
        run(&self.transaction, "UPDATE meta SET highest_ms = $1", &[&self.step.at_ms]).await?;
        self.changed = true;
        self.audit("clock", "clock");
        Ok(())
    }

    /// Something was changed that no node keeps: it gets a revision, and no row in the change feed.
    pub(crate) fn changed_silently(&mut self) {
        self.changed = true;
    }

    /// An audit row of the step for an entity.
    pub(crate) fn audit(&mut self, entity_type: &str, entity_id: &str) {
        self.audit_detail(entity_type, entity_id, self.step.detail_of(entity_type, entity_id));
    }

    /// An audit row of the step for an entity, with another detail.
    pub(crate) fn audit_detail(&mut self, entity_type: &str, entity_id: &str, detail: Option<&Json>) {
        self.audit_action(&self.step.action, entity_type, entity_id, detail);
    }

    fn audit_action(&mut self, action: &str, entity_type: &str, entity_id: &str, detail: Option<&Json>) {
        self.audited = true;
        let (action, entity_type, entity_id) = (action.to_owned(), entity_type.to_owned(), entity_id.to_owned());
        self.audits.push(AuditRow { action, entity_type, entity_id, detail: detail.cloned() });
    }

    /// Both rows for a record that is its own entity.
    pub(crate) fn changed_and_audited(&mut self, kind: KeyKind, key: &str, what: ChangeKind) {
        self.changed(kind, key, what);
        self.audit(kind.as_str(), key);
    }

    /// Both rows for each record of a batch, with an action of its own.
    pub(crate) fn changed_in_batch(&mut self, changes: &[(KeyKind, &str, ChangeKind, &str)]) {
        for (kind, key, what, action) in changes {
            self.changed(*kind, key, *what);
            self.audit_action(action, kind.as_str(), key, self.step.detail_of(kind.as_str(), key));
        }
    }
}

/// What two changes of one record come to for somebody who sees revisions only.
fn of_both(first: ChangeKind, then: ChangeKind) -> ChangeKind {
    match (first, then) {
        (_, ChangeKind::Deleted) => ChangeKind::Deleted,
        (ChangeKind::Created, _) => ChangeKind::Created,
        _ => ChangeKind::Updated,
    }
}

/// Whether nothing that the step depends on has changed since it was decided.
async fn check_fresh(on: &impl Connection, step: &Step, present: Revision, floor: Revision) -> Res<()> {
    let decided_at = step.decided_at;
    if decided_at == present {
        return Ok(());
    }
    if decided_at > present || decided_at < floor {
        return Err(StoreError::Stale.into());
    }
    for key in &step.depends_on {
        let (kind, key) = match key {
            Key::Role => (KeyKind::Role, None),
            Key::Client(client_id) => (KeyKind::Client, Some(hash::of(client_id))),
            Key::Grant(id) => (KeyKind::Grant, Some(hash::of(id))),
            Key::Identity(identity) => (KeyKind::Identity, Some(hash::of(identity))),
            Key::Person(id) => (KeyKind::Person, Some(hash::of(id))),
            Key::Application(id) => (KeyKind::Application, Some(hash::of(id))),
            Key::ScopeRegistries => (KeyKind::ScopeRegistry, None),
        };
        let sql = "SELECT 1 FROM changes WHERE revision > $1 AND kind = $2 AND ($3::bytea IS NULL OR key_hash = $3) LIMIT 1";
        if finds(on, sql, &[&decided_at.0, &kind.as_str(), &key]).await? {
            return Err(StoreError::Stale.into());
        }
    }
    Ok(())
}

/// Takes the lock of the revision. INVARIANT: whoever writes to more than one row of what a step writes takes it first, so that nobody waits in a circle. What directories
/// push lies in tables that nobody else writes, and takes it last. A statement that is a transaction of its own, such as the end of a person's sessions, takes no lock besides its
/// rows; where it meets the upkeep, PostgreSQL ends one of both, which is done again.
pub(crate) async fn lock_revision(on: &Transaction<'_>) -> Res<()> {
    run(on, "SELECT revision FROM meta FOR UPDATE", &[]).await.map(drop)
}

/// The present revision, and the one up to which the change feed may have been pruned.
pub(crate) async fn revision_and_floor(on: &impl Connection, sql: &str) -> Res<(Revision, Revision)> {
    let found = first(on, sql, &[], |row| Ok((Revision(get(row, 0)?), Revision(get(row, 1)?)))).await?;
    found.ok_or_else(no_revision)
}

fn no_revision() -> Fault {
    StoreError::Corrupt("the row of the revision is gone".to_owned()).into()
}
