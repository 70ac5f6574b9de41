//! Threads that own connections. The async world hands them closures and waits for the answer.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use falconer_store::{Result, StoreError};
use rusqlite::Connection;
use tokio::sync::oneshot;

/// How many calls may wait. One more is answered at once that the store is unavailable.
const QUEUE: usize = 4096;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// What happened that can't be undone, shared by all workers of a store.
pub(crate) type Failed = Arc<OnceLock<String>>;

/// One queue and the threads that serve it, one for each connection. Dropping it finishes what is queued, then closes the connections.
pub(crate) struct Worker {
    queue: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
    failed: Failed,
}

impl Worker {
    /// Starts a thread for each connection. `after` runs on the thread after each job, when its answer is on its way.
    pub(crate) fn start<A>(name: &str, connections: Vec<Connection>, failed: Failed, after: A) -> Result<Worker>
    where
        A: FnMut(&mut Connection, &Failed) + Send + Clone + 'static,
    {
        let (queue, jobs) = sync_channel::<Job>(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        let mut threads = Vec::new();
        for mut connection in connections {
            let (jobs, failed, mut after) = (jobs.clone(), failed.clone(), after.clone());
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                while let Some(job) = next(&jobs) {
                    job(&mut connection);
                    after(&mut connection, &failed);
                }
            });
            threads.push(thread.map_err(|error| StoreError::Unavailable(format!("no thread for the store: {error}")))?);
        }
        Ok(Worker { queue: Some(queue), threads, failed })
    }

    /// Runs `body` on one of the threads. The body runs even when the caller stops waiting.
    pub(crate) async fn call<T: Send + 'static>(&self, body: impl FnOnce(&mut Connection) -> Result<T> + Send + 'static) -> Result<T> {
        let (answer, waiting) = oneshot::channel();
        let failed = self.failed.clone();
        let job: Job = Box::new(move |connection| {
            // INVARIANT: after a failed write nothing is tried again over it.
            let result = match failed.get() {
                Some(why) => Err(StoreError::Fatal(why.clone())),
                None => body(connection),
            };
            if let Err(StoreError::Fatal(why)) = &result {
                tracing::error!(%why, "the store failed");
                let _ = failed.set(why.clone());
            }
            let _ = answer.send(result);
        });
        let queue = self.queue.as_ref().ok_or_else(ended)?;
        match queue.try_send(job) {
            Ok(()) => waiting.await.unwrap_or_else(|_| Err(ended())),
            Err(TrySendError::Full(_)) => Err(StoreError::Unavailable("too many calls wait for the store".to_owned())),
            Err(TrySendError::Disconnected(_)) => Err(ended()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn next(jobs: &Mutex<Receiver<Job>>) -> Option<Job> {
    jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn ended() -> StoreError {
    StoreError::Fatal("the store's thread has ended".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker() -> Worker {
        Worker::start("test", vec![Connection::open_in_memory().unwrap()], Failed::default(), |_, _| ()).unwrap()
    }

    #[tokio::test]
    async fn after_a_fatal_error_nothing_runs_any_more() {
        let worker = worker();
        let fatal = StoreError::Fatal("disk".into());
        assert_eq!(
            worker
                .call({
                    let fatal = fatal.clone();
                    move |_| Err::<(), _>(fatal)
                })
                .await,
            Err(fatal.clone())
        );
        let ran = Arc::new(OnceLock::new());
        let seen = ran.clone();
        assert_eq!(
            worker
                .call(move |_| {
                    let _ = seen.set(());
                    Ok(())
                })
                .await,
            Err(fatal)
        );
        assert_eq!(ran.get(), None);
    }

    #[tokio::test]
    async fn what_a_caller_stopped_waiting_for_runs_all_the_same() {
        let worker = worker();
        let ran = Arc::new(OnceLock::new());
        let seen = ran.clone();
        let mut call = Box::pin(worker.call(move |_| {
            let _ = seen.set(());
            Ok(())
        }));
        std::future::poll_fn(|context| {
            let _ = call.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
        drop(call);
        drop(worker);
        assert_eq!(ran.get(), Some(&()));
    }

    #[tokio::test]
    async fn a_panicking_job_ends_the_worker_and_its_caller_is_told() {
        let worker = worker();
        let outcome: Result<()> = worker.call(|_| panic!("expected by the test")).await;
        assert!(matches!(outcome, Err(StoreError::Fatal(_))));
        let outcome = worker.call(|_| Ok(())).await;
        assert!(matches!(outcome, Err(StoreError::Fatal(_))));
    }
}
