//! A database that takes what it is sent and never answers. The kernel does not notice, so a question does, and every connection is given up.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::Connect;
use falconer_store::{Result, StoreError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, Error};

use crate::connection::connect::SILENCE;
use crate::connection::contact::Connector;
use crate::connection::fault;

/// How often a database that has answered is asked again.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// Whether the database answers, shared by all connections of a store.
///
/// When it does not, the tasks behind the connections end. Whoever waits on one of them hears that the connection was closed, as if the peer had closed it:
/// a statement has not happened, and of a commit nobody knows.
#[derive(Clone)]
pub(crate) struct Silence {
    is_silent: Arc<AtomicBool>,
    begun: Arc<watch::Sender<()>>,
}

impl Silence {
    /// Of a database that answers as far as anybody knows.
    pub(crate) fn new() -> Silence {
        Silence { is_silent: Arc::default(), begun: Arc::new(watch::Sender::new(())) }
    }

    /// The database does not answer: ends all connections that there are.
    pub(crate) fn begin(&self) {
        self.is_silent.store(true, Ordering::Release);
        self.begun.send_replace(());
    }

    /// The database answers again.
    pub(crate) fn end(&self) {
        self.is_silent.store(false, Ordering::Release);
    }

    /// Errors: [`StoreError::Unavailable`] while the database is silent, so that nobody waits for it in vain.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_silent.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("the database does not answer".to_owned()));
        }
        Ok(())
    }
}

/// Asks every second; ends when an answer takes longer than five seconds. An error is an answer: where the connection was closed, who holds it knows; otherwise the
/// database refused a question, and is asked again.
pub(crate) async fn until_silent(client: &Client) {
    loop {
        tokio::time::sleep(PAUSE).await;
        match tokio::time::timeout(SILENCE, client.batch_execute("")).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) if client.is_closed() => std::future::pending().await,
            Ok(Err(_)) => {}
            Err(_) => return,
        }
    }
}

/// Makes connections that end when the database is silent.
pub(crate) struct Connecting {
    pub(crate) connector: Connector,
    pub(crate) silence: Silence,
}

impl Connect for Connecting {
    fn connect(&self, _: &Config) -> Pin<Box<dyn Future<Output = std::result::Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        let (connector, silence) = (self.connector.clone(), self.silence.clone());
        Box::pin(async move {
            // Before it is made, so that no silence is missed.
            let mut begun = silence.begun.subscribe();
            let (client, connection) = connector.connect().await?;
            let task = tokio::spawn(async move {
                tokio::select! {
                    ended = connection => if let Err(error) = ended {
                        tracing::debug!(error = %fault::text(&error), "a connection to the database ended");
                    },
                    _ = begun.changed() => {}
                }
                // INVARIANT: the sender lives as long as the task, so that `changed` means that a silence has begun.
                drop(silence);
            });
            Ok((client, task))
        })
    }
}
