//! How every mutation happens: decide on the present snapshot, commit, apply, answer; and once more when the ground has moved.

use std::sync::Arc;

use falconer_scopes::RoleSet;
use falconer_store::{AccountRecord, ClientRecord, GrantRecord, IdentityRecord, IssuerRecord, Key, Revision, RoleRecord, Step, StoreError};
use tokio::sync::OwnedMutexGuard;

use crate::auth::{Auth, Inner};
use crate::caller::{Authentication, Caller};
use crate::directory::Snapshot;
use crate::error::ApiError;

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
}

/// One atomic business step of the store, together with its effect on the directory.
pub(crate) enum Write {
    InsertClient(ClientRecord),
    UpdateClient(ClientRecord),
    DeleteClient(String),
    NoteRepeat(&'static str, String),
    InsertRole(RoleRecord),
    UpdateRole(RoleRecord),
    DeleteRole(String),
    InsertRoles(Vec<RoleRecord>),
    /// The compiled roles are those of the decision's snapshot with these records; `None` where no role is among them.
    Batch(Vec<RoleRecord>, Vec<ClientRecord>, Option<RoleSet>),
    InsertIssuer(IssuerRecord),
    RetireIssuer(String),
    InsertGrant(GrantRecord, Option<String>),
    RevokeGrants {
        ids: Vec<String>,
        by: String,
        reason: String,
    },
    PutIdentity(IdentityRecord),
    InsertAccount(AccountRecord, IdentityRecord),
    UpdateAccount(AccountRecord, IdentityRecord),
    CompleteSetup(String, AccountRecord, IdentityRecord),
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
    /// `decide` sees the present snapshot each time; it may run several times.
    pub(crate) async fn decide<T: Send>(
        &self,
        mut decide: impl FnMut(&Now) -> Result<Decision<T>, ApiError> + Send,
    ) -> Result<(T, Revision), ApiError> {
        let mut turn = Arc::clone(&self.inner.queue).lock_owned().await;
        for _ in 0..ATTEMPTS {
            let now = Now { snapshot: self.inner.directory.load_full(), now_ms: self.inner.clock.now_ms() };
            let (step, write, answer) = match decide(&now)? {
                Decision::Keep(answer) => return Ok((answer, now.snapshot.revision())),
                Decision::Write(step, write, answer) => (step, write, answer),
            };
            let conflict = write.final_conflict();
            let (next_turn, outcome) = self.commit(turn, step, write).await;
            turn = next_turn;
            match outcome {
                Ok(revision) => return Ok((answer, revision)),
                Err(StoreError::Stale) => (),
                Err(StoreError::Conflict) => {
                    if let Some(error) = conflict {
                        return Err(error);
                    }
                }
                Err(error) => {
                    if matches!(error, StoreError::Unavailable(_)) {
                        self.inner.look_again().await;
                    }
                    return Err(self.inner.store_error(error));
                }
            }
            self.inner.reload().await.map_err(|error| self.inner.store_error(error))?;
        }
        Err(ApiError::Unavailable("records kept changing under the decision".to_owned()))
    }

    /// Commit and application run as one task, so that a caller who hangs up in between leaves no node that does not know its own write.
    async fn commit(&self, turn: OwnedMutexGuard<()>, step: Step, write: Write) -> (OwnedMutexGuard<()>, Result<Revision, StoreError>) {
        let inner = Arc::clone(&self.inner);
        let task = tokio::spawn(async move {
            let outcome = inner.commit_and_apply(&step, write).await;
            (turn, outcome)
        });
        match task.await {
            Ok(done) => done,
            // The task panicked or the runtime is going down: whether the store committed is unknown, so this node must not go on.
            Err(error) => {
                let turn = Arc::clone(&self.inner.queue).lock_owned().await;
                (turn, Err(StoreError::Fatal(error.to_string())))
            }
        }
    }
}

impl Inner {
    async fn commit_and_apply(&self, step: &Step, write: Write) -> Result<Revision, StoreError> {
        let revision = write.commit(self, step).await?;
        let before = self.directory.load_full();
        let is_ours = write.changes(&before);
        if is_ours && revision.0 == before.revision().0.saturating_add(1) {
            let mut next = Snapshot::clone(&before);
            write.apply(step, &mut next);
            self.show(next.at(revision, step.at_ms));
        } else if revision > before.revision() {
            // Another process wrote in between. What we decided did not depend on that, but the directory has to have it.
            self.reload().await.inspect_err(|error| self.could_not_read_back(error))?;
        }
        Ok(revision)
    }

    /// A store that is away for the moment is no reason to end: nothing is acknowledged then, and the next look takes the change in.
    fn could_not_read_back(&self, error: &StoreError) {
        if !matches!(error, StoreError::Unavailable(_)) {
            (self.settings.on_fatal)("a committed change could not be read back");
        }
    }

    /// Whether a commit whose outcome nobody told has happened: takes in what the store has, where it answers.
    async fn look_again(&self) {
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

impl Write {
    async fn commit(&self, inner: &Inner, step: &Step) -> Result<Revision, StoreError> {
        let store = &inner.store;
        match self {
            Write::InsertClient(record) => store.insert_client(step, record).await,
            Write::UpdateClient(record) => store.update_client(step, record).await,
            Write::DeleteClient(client_id) => store.delete_client(step, client_id).await,
            Write::NoteRepeat(kind, id) => store.note_repeat(step, kind, id).await,
            Write::InsertRole(record) => store.insert_role(step, record).await,
            Write::UpdateRole(record) => store.update_role(step, record).await,
            Write::DeleteRole(role_id) => store.delete_role(step, role_id).await,
            Write::InsertRoles(records) => store.insert_roles(step, records).await,
            Write::Batch(roles, clients, _) => store.write_batch(step, roles, clients).await,
            Write::InsertIssuer(record) => store.insert_issuer(step, record).await,
            Write::RetireIssuer(name) => store.retire_issuer(step, name).await,
            Write::InsertGrant(record, replaces) => store.insert_grant(step, record, replaces.as_deref()).await,
            Write::RevokeGrants { ids, by, reason } => store.revoke_grants(step, ids, by, reason).await,
            Write::PutIdentity(record) => store.put_identity(step, record).await,
            Write::InsertAccount(account, identity) => store.insert_account(step, account, identity).await,
            Write::UpdateAccount(account, identity) => store.update_account(step, account, identity).await,
            Write::CompleteSetup(hash, account, identity) => store.complete_setup(step, hash, account, identity).await,
        }
    }

    /// Whether the step made the revision that the store answered with. One that left only an audit row has the store's present revision,
    /// and that may be of a change that this node has not heard of. What is there is certain here: the step depends on it.
    fn changes(&self, before: &Snapshot) -> bool {
        match self {
            Write::NoteRepeat(..) => false,
            Write::DeleteClient(client_id) => before.client(client_id).is_some(),
            Write::DeleteRole(role_id) => before.role(role_id).is_some(),
            _ => true,
        }
    }

    fn apply(self, step: &Step, next: &mut Snapshot) {
        match self {
            Write::InsertClient(record) | Write::UpdateClient(record) => next.put_client(record),
            Write::DeleteClient(client_id) => next.drop_client(&client_id),
            Write::NoteRepeat(..) => (),
            Write::InsertRole(record) | Write::UpdateRole(record) => next.put_roles([record]),
            Write::DeleteRole(role_id) => next.drop_role(&role_id),
            Write::InsertRoles(records) => next.put_roles(records),
            Write::Batch(roles, clients, set) => {
                if let Some(set) = set {
                    next.put_validated_roles(roles, set);
                }
                for client in clients {
                    next.put_client(client);
                }
            }
            Write::InsertIssuer(record) => next.put_issuer(record),
            Write::RetireIssuer(name) => next.retire_issuer(&name, step.at_ms),
            Write::InsertGrant(record, replaces) => {
                if let Some(old) = replaces {
                    revoke(next, &old, step.at_ms, &step.actor, "replaced");
                }
                next.put_grant(record);
            }
            Write::RevokeGrants { ids, by, reason } => {
                for id in &ids {
                    revoke(next, id, step.at_ms, &by, &reason);
                }
            }
            Write::PutIdentity(record)
            | Write::InsertAccount(_, record)
            | Write::UpdateAccount(_, record)
            | Write::CompleteSetup(_, _, record) => next.put_person(record),
        }
    }

    /// Where a conflict is the caller's to know. Elsewhere it means that the directory was behind, and the decision is made again.
    fn final_conflict(&self) -> Option<ApiError> {
        let text = match self {
            Write::InsertAccount(account, _) => {
                format!("The account name {} is or was in use", account.name)
            }
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
