//! How every mutation happens: decide on the present snapshot, commit, apply, answer; and once more when the ground has moved.

use std::sync::Arc;

use falconer_scopes::RoleSet;
use falconer_store::{Key, Revision, Step, StoreError, Write};

use crate::auth::{Auth, Inner};
use crate::change::turn::Failed;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::verify::caller::{Authentication, Caller};

/// How often a decision is made again before the answer is 503. Within one node mutations take turns, so once is the rule.
const ATTEMPTS: usize = 8;

/// What a mutation decides on.
pub(crate) struct Now {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) now_ms: i64,
}

/// What was decided.
#[expect(clippy::large_enum_variant, reason = "lives for one decision")]
pub(crate) enum Decision<T> {
    /// Nothing is to be written.
    Keep(T),
    /// This is to be written; then the answer holds.
    Write(Step, Write, T),
    /// The same for a batch with roles, and what the roles are with it.
    Batch(Step, Write, RoleSet, T),
}

/// A step that was decided.
pub(crate) struct Change {
    pub(crate) step: Step,
    pub(crate) write: Write,
    /// The compiled roles of the decision's snapshot with those of a batch, which making the batch valid has made already.
    pub(crate) roles: Option<RoleSet>,
}

/// A caller at the very revision of a decision, and the rows that make the caller what it is.
pub(crate) struct Acting {
    pub(crate) caller: Caller,
    pub(crate) depends_on: Vec<Key>,
}

/// A caller and the revision that it was judged at.
pub(crate) struct Reading {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) caller: Caller,
    pub(crate) now_ms: i64,
}

impl Acting {
    /// The step of this caller: it holds only while the roles, the caller's own rows and the `touched` row stay as they are.
    pub(crate) fn step(&self, now: &Now, action: &str, touched: Key) -> Step {
        let mut depends_on = self.depends_on.clone();
        depends_on.push(touched);
        let actor = self.caller.actor();
        Step {
            decided_at: now.snapshot.revision(),
            depends_on,
            at_ms: now.now_ms,
            actor,
            grant: self.caller.grant.clone(),
            action: action.to_owned(),
            detail: None,
        }
    }
}

/// A step of Falconer itself, or of somebody whom another crate has checked.
pub(crate) fn step_by(now: &Now, actor: &str, action: &str, depends_on: Vec<Key>) -> Step {
    Step {
        decided_at: now.snapshot.revision(),
        depends_on,
        at_ms: now.now_ms,
        actor: actor.to_owned(),
        grant: None,
        action: action.to_owned(),
        detail: None,
    }
}

impl Auth {
    /// Runs `decide` in turn, commits what it decided, applies it to the directory, and answers with the revision.
    ///
    /// `decide` sees what is shown with what others of its group have decided before it; it may run several times.
    pub(crate) async fn decide<T: Send>(
        &self,
        mut decide: impl FnMut(&Now) -> Result<Decision<T>, ApiError> + Send,
    ) -> Result<(T, Revision), ApiError> {
        let ended = || ApiError::Unavailable("the server is ending".to_owned());
        let mut alone = false;
        for _ in 0..ATTEMPTS {
            let held = self.inner.turn(alone).await.ok_or_else(ended)?;
            let (shown, tip) = (self.inner.directory.load_full(), held.tip());
            let now = Now { snapshot: tip.as_ref().unwrap_or(&shown).clone(), now_ms: self.inner.clock.now_ms() };
            let (change, answer) = match decide(&now) {
                Ok(Decision::Write(step, write, answer)) => (Some(Change { step, write, roles: None }), Ok(answer)),
                Ok(Decision::Batch(step, write, roles, answer)) => (Some(Change { step, write, roles: Some(roles) }), Ok(answer)),
                // What it rests on is not durable yet: the answer waits for that.
                Ok(Decision::Keep(answer)) if tip.is_some() => (None, Ok(answer)),
                Err(error) if tip.is_some() => (None, Err(error)),
                Ok(Decision::Keep(answer)) => return Ok((answer, now.snapshot.revision())),
                Err(error) => return Err(error),
            };
            let conflict = change.as_ref().and_then(Change::final_conflict);
            match self.inner.join(held, &shown, change, alone).await {
                Ok(Ok(revision)) => return answer.map(|answer| (answer, revision)),
                Ok(Err(Failed { error: StoreError::Stale, shared })) => alone = shared,
                Ok(Err(Failed { error: StoreError::Conflict, shared })) => match conflict {
                    Some(error) if !shared => return Err(error),
                    _ => alone = shared,
                },
                Ok(Err(Failed { error, .. })) => return Err(self.inner.store_error(error)),
                // The task panicked or the runtime is going down: whether the store committed is unknown, so this node must not go on.
                Err(error) => return Err(self.inner.store_error(StoreError::Fatal(error.to_string()))),
            }
        }
        Err(ApiError::Unavailable("records kept changing under the decision".to_owned()))
    }
}

impl Inner {
    /// A store that is away for the moment is no reason to end: nothing is acknowledged then, and the next look takes the change in.
    pub(crate) fn could_not_read_back(&self, error: &StoreError) {
        if !matches!(error, StoreError::Unavailable(_)) {
            (self.settings.on_fatal)("a committed change could not be read back");
        }
    }

    /// Whether a commit whose outcome nobody told has happened: takes in what the store has, where it answers.
    pub(crate) async fn look_again(&self) {
        let looked = async {
            if self.store.revision().await? > self.directory.load().revision() {
                self.reload().await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = looked.await {
            tracing::debug!(%error, "the store does not say whether a change was committed; the next look will");
        }
    }

    /// Ends the process where the store has failed for good.
    pub(crate) fn heed(&self, error: &StoreError) {
        if let StoreError::Fatal(text) = error {
            tracing::error!(reason = %text, "the store failed; this process must end");
            (self.settings.on_fatal)(text);
        }
    }

    /// What a store's error means to the caller; a fatal one ends the process.
    pub(crate) fn store_error(&self, error: StoreError) -> ApiError {
        self.heed(&error);
        match error {
            StoreError::Fatal(text) | StoreError::Unavailable(text) | StoreError::Full(text) => ApiError::Unavailable(text),
            StoreError::Corrupt(text) => ApiError::Internal(text),
            StoreError::Stale | StoreError::Conflict => ApiError::Unavailable("records kept changing under the decision".to_owned()),
        }
    }
}

impl Change {
    /// Whether the step made the revision that the store answered with. One that left only an audit row has the store's present revision,
    /// and that may be of a change that this node has not heard of. What is there is certain here: the step depends on it.
    pub(crate) fn makes_a_revision(&self, before: &Snapshot) -> bool {
        match &self.write {
            // What the second comes to, only the store knows: as a revision that is not expected, it has everything read again.
            Write::NoteRepeat(..) | Write::ReplaceStaticClients(_) => false,
            Write::DeleteClient(client_id) => before.client(client_id).is_some(),
            Write::DeleteRole(role_id) => before.role(role_id).is_some(),
            _ => true,
        }
    }

    /// What the directory is with it.
    pub(crate) fn apply(&self, next: &mut Snapshot) {
        let step = &self.step;
        match &self.write {
            Write::InsertClient(record) | Write::UpdateClient(record) => next.put_client(record),
            Write::DeleteClient(client_id) => next.drop_client(client_id),
            Write::NoteRepeat(..) | Write::ReplaceStaticClients(_) => (),
            Write::InsertRoles(records) => next.put_roles(records.iter().cloned()),
            Write::UpdateRole(record) => next.put_roles([record.clone()]),
            Write::DeleteRole(role_id) => next.drop_role(role_id),
            Write::Batch(roles, clients) => {
                match &self.roles {
                    Some(set) => next.put_validated_roles(roles.iter().cloned(), set.clone()),
                    None => next.put_roles(roles.iter().cloned()),
                }
                clients.iter().for_each(|client| next.put_client(client));
            }
            Write::InsertIssuer(record) => next.put_issuer(record.clone()),
            Write::RetireIssuer(name) => next.retire_issuer(name, step.at_ms),
            Write::InsertGrant(record, replaces) => {
                if let Some(old) = replaces {
                    revoke(next, old, step.at_ms, &step.actor, "replaced");
                }
                next.put_grant(record.clone());
            }
            Write::RevokeGrants { ids, by, reason } => ids.iter().for_each(|id| revoke(next, id, step.at_ms, by, reason)),
            Write::PutIdentity(record)
            | Write::InsertAccount(_, record)
            | Write::UpdateAccount(_, record)
            | Write::CompleteSetup(_, _, record) => next.put_person(record.clone()),
        }
    }

    /// Where a conflict is the caller's to know. Elsewhere it means that the directory was behind, and the decision is made again.
    fn final_conflict(&self) -> Option<ApiError> {
        let text = match &self.write {
            Write::InsertAccount(account, _) => format!("The account name {} is or was in use", account.name),
            Write::UpdateAccount(account, _) => format!("There is no account {}", account.name),
            Write::CompleteSetup(..) => "The set-up link was used or is over, or the account name is taken".to_owned(),
            _ => return None,
        };
        Some(ApiError::RequestConflict(text))
    }
}

fn revoke(next: &mut Snapshot, id: &str, at_ms: i64, by: &str, reason: &str) {
    let Some(grant) = next.grant(id).filter(|grant| grant.record.revoked_ms.is_none()) else {
        return;
    };
    let mut record = grant.record.clone();
    record.revoked_ms = Some(at_ms);
    record.revoked_by = Some(by.to_owned());
    record.reason = Some(reason.to_owned());
    next.put_grant(record);
}

impl Auth {
    /// Who asks, at the revision of a decision: credentials are judged again, a person is looked up.
    pub(crate) fn acting(&self, now: &Now, authentication: &Authentication) -> Result<Acting, ApiError> {
        self.inner.stand(&now.snapshot, authentication, now.now_ms).map(|(caller, depends_on)| Acting { caller, depends_on })
    }

    /// Who asks, and what the answer is read from: one revision for both.
    pub(crate) fn reading(&self, authentication: &Authentication) -> Result<Reading, ApiError> {
        let (snapshot, now_ms) = (self.inner.directory.load_full(), self.inner.clock.now_ms());
        let (caller, _) = self.inner.stand(&snapshot, authentication, now_ms)?;
        Ok(Reading { snapshot, caller, now_ms })
    }

    /// Who asks, at present: for everything that only reads.
    pub fn caller(&self, authentication: &Authentication) -> Result<Caller, ApiError> {
        self.reading(authentication).map(|reading| reading.caller)
    }
}
