//! One server at a time: an advisory lock on a connection of its own, taken again when that connection was lost. The same connection notices when the
//! database does not answer any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use falconer_store::{Result, StoreError};
use tokio::task::JoinHandle;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::connect::WAIT;
use crate::connection::fault;
use crate::connection::silence::{PAUSE, Silence, until_silent};

/// The class of the lock: `FALC`. The other half is the schema, so that one database can hold several Falconers.
const LOCK: i32 = 0x4641_4c43;
/// How often a lost lock is tried for again.
const AGAIN: Duration = Duration::from_millis(500);

/// Whether this process may write, for as long as it lives.
pub(crate) struct Ownership {
    may_write: Arc<AtomicBool>,
    silence: Silence,
    keeper: JoinHandle<()>,
}

impl Ownership {
    /// As the server of the database.
    ///
    /// Errors: [`StoreError::Unavailable`] when another server has it.
    pub(crate) async fn take(config: Config, tls: MakeRustlsConnect) -> Result<Ownership> {
        let mut session = lock(&config, &tls, None).await.unwrap_or_else(|_| Err(unavailable("the database does not answer")))?;
        let (may_write, silence) = (Arc::new(AtomicBool::new(true)), Silence::new());
        let (kept, silent) = (Arc::clone(&may_write), silence.clone());
        let keeper = tokio::spawn(async move {
            loop {
                let is_silent = session.until_lost().await;
                kept.store(false, Ordering::Release);
                if is_silent {
                    silent.begin();
                    tracing::warn!(
                        "the database does not answer: its connections are given up, and nothing is written until it answers again"
                    );
                } else {
                    tracing::warn!(
                        "the connection that says that this is the server of its database was lost; nothing is written until it is back"
                    );
                }
                let before = session.backend.clone();
                drop(session);
                session = loop {
                    match lock(&config, &tls, Some(&before)).await {
                        Ok(Ok(again)) => break again,
                        Ok(Err(error)) => {
                            silent.end();
                            tracing::debug!(%error, "not back yet");
                        }
                        Err(_) => silent.begin(),
                    }
                    tokio::time::sleep(AGAIN).await;
                };
                silent.end();
                kept.store(true, Ordering::Release);
                tracing::info!("the database is back");
            }
        });
        Ok(Ownership { may_write, silence, keeper })
    }

    /// Beside a server: without the lock. The connection that notices a silence is made after a second, which most commands don't take.
    pub(crate) fn beside(config: Config, tls: MakeRustlsConnect) -> Ownership {
        let silence = Silence::new();
        let silent = silence.clone();
        let keeper = tokio::spawn(async move {
            loop {
                tokio::time::sleep(PAUSE).await;
                let is_silent = match tokio::time::timeout(WAIT, Session::open(&config, &tls)).await {
                    Ok(Ok(mut session)) => {
                        silent.end();
                        session.until_lost().await
                    }
                    // Whoever asks for a connection hears why there is none.
                    Ok(Err(_)) => false,
                    Err(_) => true,
                };
                if is_silent {
                    silent.begin();
                }
            }
        });
        Ownership { may_write: Arc::new(AtomicBool::new(true)), silence, keeper }
    }

    /// What the connections of the store end with.
    pub(crate) fn silence(&self) -> &Silence {
        &self.silence
    }

    /// Errors: [`StoreError::Unavailable`] while the lock is lost or the database is silent.
    pub(crate) fn check(&self) -> Result<()> {
        self.silence.check()?;
        if self.may_write.load(Ordering::Acquire) {
            return Ok(());
        }
        Err(unavailable("the connection to the database was lost, and is being made again"))
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// The process of PostgreSQL behind a connection.
#[derive(Clone)]
struct Backend {
    pid: i32,
    /// When it was started, in seconds: the number of a process may be given again.
    started: String,
}

/// A connection on which nothing else is asked. A lock that it holds goes with it.
struct Session {
    client: tokio_postgres::Client,
    backend: Backend,
    ended: JoinHandle<()>,
}

impl Session {
    async fn open(config: &Config, tls: &MakeRustlsConnect) -> std::result::Result<Session, tokio_postgres::Error> {
        let (client, connection) = config.connect(tls.clone()).await?;
        let ended = tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %fault::text(&error), "the connection of the lock ended");
            }
        });
        let mut session = Session { client, backend: Backend { pid: 0, started: String::new() }, ended };
        // However long nothing is said on this connection, it must stay.
        session.client.batch_execute("SET idle_session_timeout = 0").await?;
        let sql = "SELECT pid, extract(epoch FROM backend_start)::text FROM pg_stat_activity WHERE pid = pg_backend_pid()";
        let row = session.client.query_one(sql, &[]).await?;
        session.backend = Backend { pid: row.try_get(0)?, started: row.try_get(1)? };
        Ok(session)
    }

    /// Whether the database was silent; the connection was closed otherwise.
    async fn until_lost(&mut self) -> bool {
        tokio::select! {
            _ = &mut self.ended => false,
            () = until_silent(&self.client) => true,
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.ended.abort();
    }
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.to_owned())
}

/// Takes the lock on a connection of its own, unless the database is silent. `before` is who had it for this process: a database that was cut off may not
/// have noticed that the connection is gone, and would keep the lock for hours.
async fn lock(
    config: &Config,
    tls: &MakeRustlsConnect,
    before: Option<&Backend>,
) -> std::result::Result<Result<Session>, tokio::time::error::Elapsed> {
    let locking = async {
        let session = Session::open(config, tls).await?;
        if let Some(Backend { pid, started }) = before {
            let sql =
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND extract(epoch FROM backend_start)::text = $2";
            session.client.execute(sql, &[pid, started]).await?;
        }
        let row = session.client.query_one("SELECT pg_try_advisory_lock($1, hashtext(current_schema()))", &[&LOCK]).await?;
        Ok::<_, tokio_postgres::Error>((row.try_get::<_, bool>(0)?, session))
    };
    Ok(match tokio::time::timeout(WAIT, locking).await? {
        Ok((true, session)) => Ok(session),
        Ok((false, _)) => Err(unavailable("the database is in use by another process")),
        Err(error) => Err(unavailable(&fault::text(&error))),
    })
}
