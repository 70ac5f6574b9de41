//! A transaction that writes. It begins in one round trip with its first statement, and is committed in one with its last ones.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use deadpool_postgres::Object;
use falconer_store::Result;
use futures_util::FutureExt as _;
use futures_util::future::join;
use tokio_postgres::{Error, RowStream};

use crate::connection::columns::{Connection, Values};
use crate::connection::connect::{Sessions, settings};
use crate::connection::fault::{Fault, Res, at_commit, beside_commit};

/// A transaction that writes, in which the settings of connections hold. Dropped before it is committed, it has not happened.
pub(crate) struct Transaction<'c> {
    connection: &'c Object,
    sessions: Sessions,
    /// Whether it was begun, and the database was not told yet how it ends.
    is_open: AtomicBool,
}

impl<'c> Transaction<'c> {
    /// One that is not begun yet.
    pub(crate) fn on(connection: &'c Object, sessions: Sessions) -> Transaction<'c> {
        Transaction { connection, sessions, is_open: AtomicBool::new(false) }
    }

    /// One that is begun, whatever is its first statement.
    pub(crate) async fn begin(connection: &'c Object, sessions: Sessions) -> Res<Transaction<'c>> {
        let transaction = Transaction::on(connection, sessions);
        transaction.begin_with(async { Ok(()) }).await?;
        Ok(transaction)
    }

    /// Begins, unless it is begun, and runs the first statement, which does not wait for the answer to that.
    pub(crate) async fn begin_with<T>(&self, first: impl Future<Output = Res<T>>) -> Res<T> {
        if self.is_open.swap(true, Ordering::AcqRel) {
            return first.await;
        }
        let (begun, found) = join(self.send_begin(), first).await;
        begun?;
        found
    }

    async fn send_begin(&self) -> Res<()> {
        let local = if self.sessions == Sessions::Shared { settings("SET LOCAL") } else { String::new() };
        Ok(self.connection.batch_execute(&format!("BEGIN ISOLATION LEVEL READ COMMITTED;{local}")).await?)
    }

    /// Commits.
    pub(crate) async fn commit(&self) -> Result<()> {
        self.send_commit().await.map_err(|error| at_commit(&error))
    }

    /// Runs the last statements and commits, which does not wait for their answers: where one of them fails, the database commits nothing.
    ///
    /// INVARIANT: `last` sends all its statements when it is first polled, and says at once where one can't be sent.
    pub(crate) async fn commit_with(&self, last: impl Future<Output = Res<()>>) -> Result<()> {
        let mut last = pin!(last);
        match poll_fn(|context| Poll::Ready(last.as_mut().poll(context))).await {
            // Not sent: the rest must not be committed without it.
            Poll::Ready(Err(fault)) => Err(fault.into()),
            Poll::Ready(Ok(())) => self.commit().await,
            Poll::Pending => {
                let (committed, last) = join(self.send_commit(), last).await;
                last.map_err(beside_commit)?;
                committed.map_err(|error| at_commit(&error))
            }
        }
    }

    async fn send_commit(&self) -> std::result::Result<(), Error> {
        self.is_open.store(false, Ordering::Release);
        self.connection.batch_execute("COMMIT").await
    }

    /// Runs statements of our own that have no values.
    pub(crate) async fn batch_execute(&self, sql: &str) -> Res<()> {
        self.connection.batch_execute(sql).await.map_err(Fault::from)
    }
}

impl Connection for Transaction<'_> {
    const COMMITS: bool = false;

    fn rows(&self, sql: &str, values: Values<'_>) -> impl Future<Output = std::result::Result<RowStream, Error>> + Send {
        debug_assert!(self.is_open.load(Ordering::Acquire), "outside of the transaction: {sql}");
        self.connection.rows(sql, values)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if *self.is_open.get_mut() {
            // Sent when it is first polled. Nobody waits for the answer: what follows on the connection comes after it.
            let _answer = self.connection.batch_execute("ROLLBACK").now_or_never();
        }
    }
}
