//! How every change happens: decide on the present snapshot, commit, apply, answer; and once more when what it depends on has changed.

use std::sync::Arc;

use falconer_scopes::RoleSet;
use falconer_store::{Revision, Step, StoreError, Write};

use crate::change::apply::Change;
use crate::change::group::Failed;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;

/// How often a decision is made again before the answer is 503. Within one node mutations take turns, so once is the rule.
const ATTEMPTS: usize = 8;

/// After so many commits of others that came before its own a node keeps them out while it decides. Whoever is slower than others would never come first else.
const OVERTAKEN: usize = 2;

/// What a mutation decides on.
pub(crate) struct Now {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) now_ms: i64,
}

/// What was decided.
pub(crate) enum Decision<T> {
    /// Nothing is to be written.
    Keep(T),
    /// This is to be written; then the answer holds.
    Write(Step, Write, T),
    /// The same for a batch with roles, and what the roles are with it.
    Batch(Step, Write, RoleSet, T),
}

impl<T> Decision<T> {
    /// The time that it stores without anybody's having confirmed it.
    fn unconfirmed_ms(&self) -> Option<i64> {
        match self {
            Decision::Keep(_) | Decision::Write(_, Write::AcceptTime, _) => None,
            Decision::Write(step, _, _) | Decision::Batch(step, _, _, _) => Some(step.at_ms),
        }
    }
}

impl Auth {
    /// Runs `decide` in turn, commits what it decided, applies it to the directory, and answers with the revision.
    ///
    /// The answer says what is certain: done, not done, or (`OutcomeUnknown`) that nobody knows. A future that is dropped after the change has joined a group
    /// stops nothing: the group is committed all the same.
    ///
    /// `decide` sees what is shown with what others of its group have decided before it; it may run several times.
    pub(crate) async fn decide<T: Send>(
        &self,
        mut decide: impl FnMut(&Now) -> Result<Decision<T>, ApiError> + Send,
    ) -> Result<(T, Revision), ApiError> {
        let ended = || ApiError::Unavailable("the server is ending".to_owned());
        let mut alone = false;
        let is_shared = self.node.store.is_shared();
        let (mut has_looked, mut overtaken) = (!is_shared, 0_usize);
        for _ in 0..ATTEMPTS {
            let is_last = is_shared && overtaken >= OVERTAKEN;
            alone |= is_last;
            let place = self.node.wait_for_turn(alone).await.ok_or_else(ended)?;
            let locked = if is_last { Some(self.node.lock_and_catch_up().await?) } else { None };
            has_looked |= is_last;
            let (shown, tip) = (self.node.directory.load_full(), place.tip());
            let now = Now { snapshot: tip.as_ref().unwrap_or(&shown).clone(), now_ms: self.node.clock.now_ms() };
            let decided = decide(&now).and_then(|decision| {
                match decision.unconfirmed_ms().and_then(|at_ms| self.node.clock_ahead_ms(&now.snapshot, at_ms)) {
                    Some(ahead_ms) => Err(ApiError::ClockAhead { ahead_ms }),
                    None => Ok(decision),
                }
            });
            // Nothing is written, so that no transaction says whether it was decided on what is there: another node may have made what is missing here.
            let may_be_news = match &decided {
                Ok(decision) => matches!(decision, Decision::Keep(_)),
                Err(error) => !error.is_of_nobody_known(),
            };
            if !has_looked && tip.is_none() && may_be_news {
                drop(place);
                has_looked = true;
                match (self.catch_up_from(&now.snapshot).await, decided) {
                    (Ok(true), _) => continue,
                    (Ok(false), Ok(Decision::Keep(answer))) => return Ok((answer, now.snapshot.revision())),
                    (Ok(false), Err(refusal)) => return Err(refusal),
                    // It holds whatever the store has.
                    (Err(_), Err(refusal)) if !refusal.rests_on_records() => return Err(refusal),
                    // Nobody can look, so that nobody knows whether it holds.
                    (Err(error), _) => return Err(self.node.store_error(error)),
                    (Ok(false), Ok(_)) => continue,
                }
            }
            let (change, answer) = match decided {
                Ok(Decision::Write(step, write, answer)) => (Some(Change { step, write, roles: None }), Ok(answer)),
                Ok(Decision::Batch(step, write, roles, answer)) => (Some(Change { step, write, roles: Some(roles) }), Ok(answer)),
                // What it rests on is not durable yet: the answer waits for that.
                Ok(Decision::Keep(answer)) if tip.is_some() => (None, Ok(answer)),
                Err(error) if tip.is_some() => (None, Err(error)),
                Ok(Decision::Keep(answer)) => return Ok((answer, now.snapshot.revision())),
                Err(error) => return Err(error),
            };
            let conflict = change.as_ref().and_then(Change::final_conflict);
            match self.node.join_group(place, &shown, change, alone, locked).await {
                Ok(Ok(revision)) => return answer.map(|answer| (answer, revision)),
                Ok(Err(Failed { error: StoreError::Stale, shared })) => {
                    alone = shared;
                    overtaken = overtaken.saturating_add(1);
                }
                Ok(Err(Failed { error: StoreError::Conflict, shared })) => match conflict {
                    Some(error) if !shared => return Err(error),
                    _ => alone = shared,
                },
                Ok(Err(Failed { error, .. })) => return Err(self.node.commit_error(error)),
                // The task panicked or the runtime is going down: whether the store committed is unknown, so this node must not go on.
                Err(error) => return Err(self.node.commit_error(StoreError::Fatal(error.to_string()))),
            }
        }
        Err(ApiError::Unavailable("records kept changing under the decision".to_owned()))
    }
}
