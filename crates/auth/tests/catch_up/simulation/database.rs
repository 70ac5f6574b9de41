//! The database that all nodes share: the real store in memory, what it has committed beside it in the model, and the faults that are planted in it.

use std::ops::Deref;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Wake, Waker};

use falconer_store::*;

use super::link::Link;
use super::model::Model;
use super::time::Time;

/// A fault that a run must find.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Planted {
    /// The feed leaves out a record that has changed.
    SkipsAChange,
    /// The feed leaves out what was revoked with a grant that it was given beyond.
    SkipsWhatWasGivenBeyond,
    /// The feed gives what a record was before it changed last.
    AppliesOutOfOrder,
    /// A commit is acknowledged and never happens.
    AcknowledgesBeforeCommit,
    /// A commit whose answer was lost is called not done.
    CallsUnknownNotDone,
    /// A step is taken whatever it was decided on.
    TakesStaleSteps,
    /// A commit names the revision that the node expected as the one that it found.
    NamesAnotherRevision,
    /// A node that is cut off is told that nothing has changed.
    AnswersForTheDatabase,
    /// How old the snapshot is, is measured by a clock that is stepped.
    MeasuresByTheWallClock,
}

pub struct Database {
    store: Arc<dyn Store>,
    time: Arc<Time>,
    pub model: Mutex<Model>,
    pub planted: Option<Planted>,
    /// The ways of all nodes to here.
    pub links: Mutex<Vec<Weak<Link>>>,
    /// Whether the next call is answered without the store.
    pub is_away: AtomicBool,
    /// The first thing that was found wrong.
    pub wrong: Mutex<Option<String>>,
}

/// Whatever has no method of its own here is the store's.
impl Deref for Database {
    type Target = dyn Store;

    fn deref(&self) -> &(dyn Store + 'static) {
        &*self.store
    }
}

impl Database {
    pub fn new(store: Arc<dyn Store>, time: &Arc<Time>, planted: Option<Planted>) -> Database {
        let model = Model::new(&block_on(store.load()).unwrap());
        Database {
            store,
            time: time.clone(),
            model: Mutex::new(model),
            planted,
            links: Mutex::default(),
            is_away: AtomicBool::new(false),
            wrong: Mutex::default(),
        }
    }

    /// Ends the run with this, where nothing was wrong before.
    pub fn check(&self, outcome: std::result::Result<(), String>) {
        if let Err(text) = outcome {
            let at_ms = self.time.now_ms();
            self.wrong.lock().unwrap().get_or_insert(format!("after {at_ms} ms: {text}"));
        }
    }

    fn strikes(&self, planted: Planted) -> bool {
        self.planted == Some(planted) && self.time.roll(4) == 0
    }

    pub async fn commit(&self, decided_in: Epoch, mut steps: Vec<(Step, Write)>) -> Result<Committed> {
        let present = self.store.revision().await?;
        if self.strikes(Planted::AcknowledgesBeforeCommit) && !steps.is_empty() {
            let revisions = (1_i64..).zip(&steps).map(|(n, _)| Revision(present.0 + n)).collect();
            return Ok(Committed { found: present, revisions });
        }
        let decided_at = steps.first().map(|(step, _)| step.decided_at);
        if self.planted == Some(Planted::TakesStaleSteps) {
            (0_i64..).zip(&mut steps).for_each(|(n, (step, _))| step.decided_at = Revision(present.0 + n));
        }
        let mut committed = self.store.commit(decided_in, steps.clone()).await?;
        let mut model = self.model.lock().unwrap();
        for ((step, write), revision) in steps.iter().zip(&committed.revisions) {
            self.check(model.take(step, write, *revision, self.time.now_ms()));
        }
        drop(model);
        if self.planted == Some(Planted::NamesAnotherRevision) {
            // What was expected is the present one, and the last revision is as far beyond it as there are steps.
            let ahead = present.0 - decided_at.unwrap_or(present).0;
            committed.found = Revision(committed.found.0 - ahead);
            committed.revisions.iter_mut().for_each(|revision| revision.0 -= ahead);
        }
        Ok(committed)
    }

    pub async fn changed_records(&self, since: Revision, limit: u32) -> Result<Changed> {
        let mut changed = self.store.changed_records(since, limit).await?;
        if self.is_away.load(Ordering::SeqCst) {
            return Ok(Changed { up_to: since, present: since, records: ChangedRecords::default(), newest: Vec::new(), ..changed });
        }
        if !changed.records.is_empty() && self.strikes(Planted::SkipsAChange) {
            drop_one(&mut changed.records);
        }
        if self.planted == Some(Planted::SkipsWhatWasGivenBeyond) {
            changed.records.grants.retain(|grant| grant.widens.is_none() || grant.revoked_ms.is_none());
        }
        if self.strikes(Planted::AppliesOutOfOrder) {
            let model = self.model.lock().unwrap();
            for client in &mut changed.records.clients {
                let before = model.at(Revision(changed.up_to.0 - 1)).and_then(|state| state.clients.get(&client.client_id).cloned());
                *client = before.unwrap_or_else(|| client.clone());
            }
        }
        Ok(changed)
    }
}

/// Leaves out one record that has changed.
fn drop_one(records: &mut ChangedRecords) {
    let ChangedRecords { clients, roles, grants, identities, people, issuers, applications, scope_registries, gone } = records;
    let is_dropped = gone.pop().is_some() || clients.pop().is_some() || roles.pop().is_some() || grants.pop().is_some();
    let _ = is_dropped
        || people.pop().is_some()
        || identities.pop().is_some()
        || issuers.pop().is_some()
        || applications.pop().is_some()
        || scope_registries.pop().is_some();
}

/// Waits on this thread, on which nothing else goes on meanwhile: whatever the store's own threads do takes no time of the run, and has no order of its own.
pub fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}
