//! Group commit: steps that were decided while others waited for their turn are committed together, because making them durable takes as long for
//! many as for one.
//!
//! Whoever has the turn decides on the **tip**: the shown snapshot with the steps of the open group. Nothing outside of the turn sees a tip. The group
//! is committed by a task of its own, which queues for the turn like everybody else, so that all who waited before it have joined; a caller
//! who hangs up strands nobody. Only when the store has committed is the tip shown, and only then is anybody answered: also those whose answer
//! was to write nothing, because they saw what was not durable yet.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use falconer_store::{Revision, StoreError};
use tokio::sync::{OwnedMutexGuard, oneshot};

use crate::auth::Inner;
use crate::change::decide::Change;
use crate::directory::snapshot::Snapshot;

/// More do not join a group.
const MOST: usize = 128;

/// What the turn guards.
#[derive(Default)]
pub(crate) struct Turn {
    /// The open group; none, or one with somebody in it.
    group: Option<Group>,
}

struct Group {
    tip: Arc<Snapshot>,
    members: Vec<Member>,
}

struct Member {
    /// None for somebody who writes nothing.
    change: Option<Change>,
    answer: oneshot::Sender<Result<Revision, Failed>>,
}

/// Why a group was not committed.
pub(crate) struct Failed {
    pub(crate) error: StoreError,
    /// Whether it may have been the fault of somebody else in the group.
    pub(crate) shared: bool,
}

/// Ready when the group was committed, or was not.
pub(crate) type Outcome = oneshot::Receiver<Result<Revision, Failed>>;

/// The right to decide.
pub(crate) type Held = OwnedMutexGuard<Turn>;

impl Turn {
    /// What to decide on; with `None` there is nothing but what is shown.
    pub(crate) fn tip(&self) -> Option<Arc<Snapshot>> {
        self.group.as_ref().map(|group| Arc::clone(&group.tip))
    }

    fn join(&mut self, shown: &Arc<Snapshot>, change: Option<Change>) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        let group = self.group.get_or_insert_with(|| Group { tip: Arc::clone(shown), members: Vec::new() });
        if let Some(change) = &change {
            let revision = group.tip.revision().0.saturating_add(i64::from(change.makes_a_revision(&group.tip)));
            let mut tip = Snapshot::clone(&group.tip);
            change.apply(&mut tip);
            group.tip = Arc::new(tip.at(Revision(revision), change.step.at_ms));
        }
        group.members.push(Member { change, answer });
        outcome
    }
}

impl Inner {
    /// Takes the turn. With `alone` nobody is in the group whose turn it is.
    pub(crate) async fn turn(self: &Arc<Self>, alone: bool) -> Option<Held> {
        let mut held = Arc::clone(&self.queue).lock_owned().await;
        if alone && held.group.is_some() {
            let inner = Arc::clone(self);
            // A task, so that it goes on when the caller does not.
            let committed = tokio::spawn(async move {
                inner.commit_group(&mut held).await;
                held
            });
            held = committed.await.ok()?;
        }
        Some(held)
    }

    /// Adds a step to the open group, or somebody who waits for what the group decides on, and gives up the turn.
    pub(crate) fn join(self: &Arc<Self>, mut held: Held, shown: &Arc<Snapshot>, change: Option<Change>, alone: bool) -> Outcome {
        let outcome = held.join(shown, change);
        let count = held.group.as_ref().map_or(0, |group| group.members.len());
        let inner = Arc::clone(self);
        if alone || count >= MOST {
            tokio::spawn(async move { inner.commit_group(&mut held).await });
        } else if count == 1 {
            drop(held);
            tokio::spawn(async move {
                let mut held = Arc::clone(&inner.queue).lock_owned().await;
                inner.commit_group(&mut held).await;
            });
        }
        outcome
    }

    /// Commits the open group, shows what it came to, and answers its members.
    async fn commit_group(&self, turn: &mut Turn) {
        let Some(Group { tip, members }) = turn.group.take() else { return };
        let shared = members.len() > 1;
        let (mut steps, mut answers) = (Vec::new(), Vec::new());
        for Member { change, answer } in members {
            answers.push((answer, change.is_some()));
            steps.extend(change.map(|change| (change.step, change.write)));
        }
        self.groups.fetch_add(1, Ordering::Relaxed);
        self.steps.fetch_add(steps.len() as u64, Ordering::Relaxed);
        let failed = match self.store.commit(steps).await {
            Ok(revisions) => match self.show_committed(&tip, revisions.last().copied()).await {
                Ok(()) => {
                    let (mut revisions, mut last) = (revisions.into_iter(), self.directory.load().revision());
                    for (answer, has_step) in answers {
                        if has_step {
                            last = revisions.next().unwrap_or(last);
                        }
                        let _ = answer.send(Ok(last));
                    }
                    return;
                }
                Err(error) => error,
            },
            Err(error) => error,
        };
        let failed = self.after(failed).await;
        for (answer, _) in answers {
            let _ = answer.send(Err(Failed { error: failed.clone(), shared }));
        }
    }

    /// Answers from the tip from now on, if it is what the store has.
    async fn show_committed(&self, tip: &Snapshot, committed: Option<Revision>) -> Result<(), StoreError> {
        let (shown, Some(committed)) = (self.directory.load().revision(), committed) else { return Ok(()) };
        if committed == tip.revision() && committed > shown {
            self.show(tip.clone());
        } else if committed > shown {
            // Another process wrote in between. What was decided did not depend on that, but the directory has to have it.
            self.reload().await.inspect_err(|error| self.could_not_read_back(error))?;
        }
        Ok(())
    }

    /// What is left to do when a group was not committed, or nobody knows whether it was.
    async fn after(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Stale | StoreError::Conflict => match self.reload().await {
                Ok(()) => error,
                Err(why) => why,
            },
            StoreError::Unavailable(_) => {
                self.look_again().await;
                error
            }
            _ => error,
        }
    }
}
