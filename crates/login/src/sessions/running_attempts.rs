//! Attempts that are being made at this moment: many at once are no more than in a row.
//!
//! Whoever gives up waiting for what is being checked has failed, else the limits would bind only those who wait. Such an attempt goes on counting here until it
//! is noted: at once, by a task; and where the store did not take it, before the next attempt of anybody.
//!
//! What moves a failure from here to the store owns what it moves, so that it can be a task that nobody has to wait for: a failure that was noted counts here no
//! more, whatever becomes of the others, and of whoever asked for it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use falconer_auth::Clock;
use falconer_store::{Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, RwLock};

use super::attempts::Counts;

/// By the name of each count.
#[derive(Default)]
pub(crate) struct RunningAttempts {
    state: Mutex<State>,
    /// One after the other notes what was abandoned.
    noting: Arc<AsyncMutex<()>>,
}

#[derive(Default)]
struct State {
    running: HashMap<String, Running>,
    /// What nobody waited for, and nobody has noted yet: one entry for each of its names.
    abandoned: VecDeque<Abandoned>,
}

/// Those that count against one name.
#[derive(Default)]
struct Running {
    attempts: u32,
    /// Attempts that hold `moving`.
    users: u32,
    /// A failure moves from here to the store while nobody looks: whoever looks finds it in one of the two.
    moving: Arc<RwLock<()>>,
}

/// An attempt that is over and still counts here against this name.
#[derive(Clone)]
struct Abandoned {
    key: String,
    /// When it was begun, milliseconds since 1970.
    at_ms: i64,
    moving: Arc<RwLock<()>>,
}

/// The right to note what was abandoned.
pub(super) struct Noting {
    running: Arc<RunningAttempts>,
    _turn: OwnedMutexGuard<()>,
}

/// How a failure is noted.
#[derive(Clone)]
pub(crate) struct Note {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) window_ms: i64,
}

/// An attempt that is being made. Dropping it ends it.
pub(crate) struct Attempt {
    running: Arc<RunningAttempts>,
    pub(super) counts: Counts,
    /// What belongs to each of its names, in the order of names: so that two attempts never wait for each other. A failure that is noted takes its name away.
    pub(super) moving: Vec<(String, Arc<RwLock<()>>)>,
    begun_ms: i64,
    note: Note,
    is_counted: AtomicBool,
    /// It is being checked, or has failed and is not noted yet.
    is_open: AtomicBool,
}

impl RunningAttempts {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn attempt(self: &Arc<Self>, counts: Counts, note: Note) -> Attempt {
        let mut state = self.state();
        let mut moving: Vec<_> = counts
            .limits
            .iter()
            .map(|(key, _)| {
                let of_name = state.running.entry(key.clone()).or_default();
                of_name.users += 1;
                (key.clone(), Arc::clone(&of_name.moving))
            })
            .collect();
        drop(state);
        moving.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (running, begun_ms) = (Arc::clone(self), note.clock.now_ms());
        Attempt { running, counts, moving, begun_ms, note, is_counted: AtomicBool::new(false), is_open: AtomicBool::new(false) }
    }

    /// `None`: there is nothing to note.
    pub(super) async fn note_abandoned(self: &Arc<Self>) -> Option<Noting> {
        if self.state().abandoned.is_empty() {
            return None;
        }
        Some(Noting { running: Arc::clone(self), _turn: Arc::clone(&self.noting).lock_owned().await })
    }
}

impl Noting {
    /// Notes all, the oldest first. Each counts here until it is noted.
    pub(super) async fn run(self, note: Note) -> Result<(), StoreError> {
        while let Some(abandoned) = self.next() {
            let _move = abandoned.moving.write().await;
            let counts_still = note.clock.now_ms().saturating_sub(abandoned.at_ms) < note.window_ms;
            let noted = if counts_still { note.write(&abandoned.key).await } else { Ok(()) };
            if may_be_written(&noted) {
                let mut state = self.running.state();
                state.abandoned.pop_front();
                state.end(&abandoned.key);
                state.leave(&abandoned.key);
            }
            noted?;
        }
        Ok(())
    }

    fn next(&self) -> Option<Abandoned> {
        self.running.state().abandoned.front().cloned()
    }
}

impl Note {
    async fn write(&self, key: &str) -> Result<(), StoreError> {
        self.store.note_attempt(key, self.clock.now_ms(), self.window_ms).await.map(|_| ())
    }
}

/// What may have been written is not written again: each answer that is lost would be one failure more.
fn may_be_written(noted: &Result<(), StoreError>) -> bool {
    matches!(noted, Ok(()) | Err(StoreError::Unknown(_) | StoreError::Fatal(_)))
}

/// Nobody waits for it. Where the store does not take it, the next who writes to it hears of that.
async fn note_now(running: Arc<RunningAttempts>, note: Note) {
    if let Some(noting) = running.note_abandoned().await {
        drop(noting.run(note).await);
    }
}

impl State {
    /// An attempt counts against this name no more.
    fn end(&mut self, key: &str) {
        if let Some(of_name) = self.running.get_mut(key) {
            of_name.attempts = of_name.attempts.saturating_sub(1);
        }
    }

    /// An attempt does not hold what belongs to this name any more.
    fn leave(&mut self, key: &str) {
        if let Some(of_name) = self.running.get_mut(key) {
            of_name.users = of_name.users.saturating_sub(1);
            if of_name.users == 0 {
                self.running.remove(key);
            }
        }
    }
}

impl Attempt {
    /// Counts it. For each of the limits: how many are being made, with itself.
    pub(super) fn begin(&self) -> Vec<u32> {
        let mut state = self.running.state();
        let mut rank = |key: &String| {
            let of_name = state.running.entry(key.clone()).or_default();
            of_name.attempts += 1;
            of_name.attempts
        };
        let ranks = self.counts.limits.iter().map(|(key, _)| rank(key)).collect();
        self.is_counted.store(true, Ordering::Relaxed);
        ranks
    }

    /// What is being checked. Whoever does not wait for the outcome has failed.
    pub(crate) async fn checked<T>(&self, check: impl Future<Output = T>) -> T {
        self.is_open.store(true, Ordering::Relaxed);
        let outcome = check.await;
        self.is_open.store(false, Ordering::Relaxed);
        outcome
    }

    /// Notes that it has failed. What can't be noted is noted with what was abandoned.
    pub(crate) async fn note(mut self, note: Note) -> Result<(), StoreError> {
        self.is_open.store(true, Ordering::Relaxed);
        let mut moves = Vec::with_capacity(self.moving.len());
        for (_, moving) in &self.moving {
            moves.push(Arc::clone(moving).write_owned().await);
        }
        while let Some((key, _)) = self.moving.last() {
            let noted = note.write(key).await;
            if may_be_written(&noted) {
                self.forget_last();
            }
            noted?;
        }
        Ok(())
    }

    /// It counts here no more against the last of its names.
    fn forget_last(&mut self) {
        let mut state = self.running.state();
        if let Some((key, _)) = self.moving.pop() {
            if self.is_counted.load(Ordering::Relaxed) {
                state.end(&key);
            }
            state.leave(&key);
        }
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.is_open.load(Ordering::Relaxed) && self.is_counted.load(Ordering::Relaxed) {
            let entry = |(key, moving): (String, Arc<RwLock<()>>)| Abandoned { key, at_ms: self.begun_ms, moving };
            self.running.state().abandoned.extend(self.moving.drain(..).map(entry));
            if let Ok(runtime) = Handle::try_current() {
                runtime.spawn(note_now(Arc::clone(&self.running), self.note.clone()));
            }
            return;
        }
        while !self.moving.is_empty() {
            self.forget_last();
        }
    }
}
