//! Group commit: steps that were decided while others waited for their turn are committed together.
//!
//! A task of its own commits the group. It queues for the turn like everybody else, so that all who waited before it have joined. A caller who hangs up
//! holds up nobody. The tip is shown once the store has committed, and only then is anybody answered. Those who had nothing to write wait too, because they
//! have seen what was not durable yet. No step of theirs says what that rests on: where others have written since the group began, they decide again.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use falconer_store::{Committed, StoreError};
use falconer_traces::carry;
use tokio::sync::OwnedMutexGuard;

use crate::change::apply::Change;
use crate::change::group::{Failed, Group, Member, Outcome, Queue};
use crate::change::locked::Locked;
use crate::directory::snapshot::Snapshot;
use crate::node::Node;

/// More do not join a group.
const LARGEST_GROUP: usize = 128;

/// The right to decide: the first place in the queue.
pub(crate) type QueuePlace = OwnedMutexGuard<Queue>;

impl Node {
    /// Takes the turn. With `alone`, or after a member whose change only the store knows, nobody is in the group whose turn it is.
    pub(crate) async fn wait_for_turn(self: &Arc<Self>, alone: bool) -> Option<QueuePlace> {
        let mut place = Arc::clone(&self.queue).lock_owned().await;
        if place.group.as_ref().is_some_and(|group| alone || group.is_closed) {
            let node = Arc::clone(self);
            // A task, so that it goes on when the caller does not.
            let committed = tokio::spawn(carry(async move {
                node.commit_group(&mut place, None).await;
                place
            }));
            place = committed.await.ok()?;
        }
        Some(place)
    }

    /// Adds a step to the open group, or somebody who waits for what the group decides on, and gives up the turn. With `locked` the group is of this one alone.
    pub(crate) fn join_group(
        self: &Arc<Self>,
        mut place: QueuePlace,
        shown: &Arc<Snapshot>,
        change: Option<Change>,
        alone: bool,
        locked: Option<Locked>,
    ) -> Outcome {
        let outcome = place.join(shown, change);
        let (count, is_closed) = place.group.as_ref().map_or((0, false), |group| (group.members.len(), group.is_closed));
        let node = Arc::clone(self);
        if alone || count >= LARGEST_GROUP || (is_closed && count > 1) {
            tokio::spawn(carry(async move { node.commit_group(&mut place, locked).await }));
        } else if count == 1 {
            drop(place);
            // The group is in the trace of whoever began it.
            tokio::spawn(carry(async move {
                let mut place = Arc::clone(&node.queue).lock_owned().await;
                node.commit_group(&mut place, None).await;
            }));
        }
        outcome
    }

    /// Commits the open group, shows what it came to, and answers its members.
    async fn commit_group(&self, queue: &mut Queue, locked: Option<Locked>) {
        let Some(Group { base, tip, members, .. }) = queue.group.take() else { return };
        let shared = members.len() > 1;
        let (mut steps, mut answers) = (Vec::new(), Vec::new());
        for Member { change, answer } in members {
            answers.push((answer, change.is_some()));
            steps.extend(change.map(|change| (change.step, change.write)));
        }
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.steps.fetch_add(steps.len() as u64, Ordering::Relaxed);
        let began_ms = self.clock.steady_ms();
        self.committing_since_ms.store(began_ms, Ordering::Release);
        let committed = match locked {
            Some(locked) => locked.commit(tip.history().epoch, steps).await,
            None => self.store.commit(tip.history().epoch, steps).await,
        };
        self.committing_since_ms.store(i64::MAX, Ordering::Release);
        if committed.is_ok() {
            self.note_room(true);
        }
        let failed = match committed {
            Ok(committed) => match self.show_committed(&tip, &committed).await {
                Ok(()) => {
                    self.contact.note(began_ms);
                    let (mut revisions, mut last) = (committed.revisions.into_iter(), self.directory.load().revision());
                    let is_overtaken = committed.found != base;
                    for (answer, has_step) in answers {
                        if has_step {
                            last = revisions.next().unwrap_or(last);
                        }
                        let decides_again = is_overtaken && !has_step;
                        let _ = answer.send(if decides_again { Err(Failed { error: StoreError::Stale, shared: false }) } else { Ok(last) });
                    }
                    return;
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        let failed = self.after_failure(failed).await;
        for (answer, _) in answers {
            let _ = answer.send(Err(Failed { error: failed.clone(), shared }));
        }
    }

    /// Answers from the tip from now on, if it is what the store has.
    ///
    /// INVARIANT: the tip is what is shown with the group's own steps. It is shown only where the store found them to be the next ones. A revision of another node
    /// may have the same number, and what that changed would be missing here for good.
    async fn show_committed(&self, tip: &Snapshot, committed: &Committed) -> Result<(), StoreError> {
        let shown = self.directory.load().revision();
        let Some(last) = committed.revisions.last().copied().filter(|last| *last > shown) else { return Ok(()) };
        if committed.found == shown && last == tip.revision() {
            self.show(tip.clone());
        } else {
            // Another process wrote in between. What was decided did not depend on that, but the directory has to have it.
            self.catch_up_in_turn().await.map_err(|error| self.could_not_read_back(error))?;
        }
        Ok(())
    }

    /// What is left to do when a group was not committed, or nobody knows whether it was.
    async fn after_failure(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Stale | StoreError::Conflict => match self.catch_up_in_turn().await {
                Ok(()) => error,
                Err(why) => why,
            },
            StoreError::Unavailable(_) | StoreError::Denied(_) | StoreError::Unknown(_) => {
                self.catch_up_after_lost_answer().await;
                error
            }
            _ => error,
        }
    }

    /// A store that is away for the moment is no reason to end: nothing is acknowledged then, and the next look takes the change in. It is there, but this
    /// node does not answer from it yet, so that its caller must neither rely on it nor be told that nothing was done.
    fn could_not_read_back(&self, error: StoreError) -> StoreError {
        if !matches!(error, StoreError::Unavailable(_) | StoreError::Denied(_)) {
            (self.settings.on_fatal)("a committed change could not be read back");
        }
        StoreError::Unknown(format!("it was committed, and this node could not read it back: {error}"))
    }

    /// Whether a commit whose outcome nobody told has happened: takes in what the store has, where it answers.
    async fn catch_up_after_lost_answer(&self) {
        if let Err(error) = self.catch_up_in_turn().await {
            tracing::debug!(%error, "the store does not say whether a change was committed; the next look will");
        }
    }
}
