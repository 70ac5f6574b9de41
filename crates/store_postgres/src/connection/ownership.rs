//! One server at a time: an advisory lock on a connection of its own, taken again when that connection was lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use falconer_store::{Result, StoreError};
use tokio::task::JoinHandle;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::connect::WAIT;
use crate::connection::fault;

/// The class of the lock: `FALC`. The other half is the schema, so that one database can hold several Falconers.
const LOCK: i32 = 0x4641_4c43;
/// How often a lost lock is tried for again.
const AGAIN: Duration = Duration::from_millis(500);

/// Says that this process is the server of its database, for as long as it lives.
pub(crate) struct Ownership {
    is_owner: Arc<AtomicBool>,
    keeper: JoinHandle<()>,
}

impl Ownership {
    /// Errors: [`StoreError::Unavailable`] when another server has it.
    pub(crate) async fn take(config: Config, tls: MakeRustlsConnect) -> Result<Ownership> {
        let mut connection = lock(&config, &tls).await?;
        let is_owner = Arc::new(AtomicBool::new(true));
        let kept = Arc::clone(&is_owner);
        let keeper = tokio::spawn(async move {
            loop {
                // Ends when the connection is lost.
                let _ = (&mut connection.ended).await;
                kept.store(false, Ordering::Release);
                tracing::warn!(
                    "the connection that says that this is the server of its database was lost; nothing is written until it is back"
                );
                connection = loop {
                    match lock(&config, &tls).await {
                        Ok(again) => break again,
                        Err(error) => tracing::debug!(%error, "not back yet"),
                    }
                    tokio::time::sleep(AGAIN).await;
                };
                kept.store(true, Ordering::Release);
                tracing::info!("the database is back");
            }
        });
        Ok(Ownership { is_owner, keeper })
    }

    /// Errors: [`StoreError::Unavailable`] while the lock is lost.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_owner.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(StoreError::Unavailable("the connection to the database was lost, and is being made again".to_owned()))
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

struct Locked {
    /// The lock goes with it.
    client: tokio_postgres::Client,
    ended: JoinHandle<()>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.ended.abort();
    }
}

async fn lock(config: &Config, tls: &MakeRustlsConnect) -> Result<Locked> {
    let away = |error: tokio_postgres::Error| StoreError::Unavailable(fault::text(&error));
    let (client, connection) = config.connect(tls.clone()).await.map_err(away)?;
    let ended = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(error = %fault::text(&error), "the connection of the lock ended");
        }
    });
    let locked = Locked { client, ended };
    let locking = async {
        // However long nothing is said on this connection, it must stay.
        locked.client.batch_execute("SET idle_session_timeout = 0").await?;
        locked.client.query_one("SELECT pg_try_advisory_lock($1, hashtext(current_schema()))", &[&LOCK]).await
    };
    let late = |_| StoreError::Unavailable("the database does not answer".to_owned());
    let row = tokio::time::timeout(WAIT, locking).await.map_err(late)?.map_err(away)?;
    if row.try_get::<_, bool>(0).map_err(away)? {
        return Ok(locked);
    }
    Err(StoreError::Unavailable("the database is in use by another process".to_owned()))
}
