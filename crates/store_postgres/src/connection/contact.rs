//! Connections that notify a node. One is notified of what others have changed (`LISTEN`). Another one notices that the database does not answer any more. Nothing
//! else runs on them.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use falconer_store::{Result, Revision, StoreError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::connect::{self, WAIT};
use crate::connection::fault;
use crate::connection::silence::{PAUSE, Silence, until_silent};

type TlsStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

/// How often a lost connection is made again.
const RECONNECT: Duration = Duration::from_millis(500);

/// The name of the channel on which a commit tells its revision, as SQL. One database may hold several Falconers, each in a schema.
pub(crate) const CHANNEL: &str = "'falconer_' || md5(current_schema())";

/// Which node sends a notification, so that a node passes over its own.
#[derive(Clone)]
pub(crate) struct NodeId(String);

impl NodeId {
    /// Of random bytes.
    pub(crate) fn from_random(bytes: [u8; 8]) -> NodeId {
        NodeId(format!("{:016x}", u64::from_be_bytes(bytes)))
    }

    /// The payload of a notification: who sends it. A space and the revision follow, where there is a new one.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a connection is made to.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) config: Config,
    pub(crate) tls: MakeRustlsConnect,
}

impl Connector {
    /// What a URL names. Said at once where a password can't be read.
    pub(crate) fn of(url: &str) -> Result<Connector> {
        let config = connect::config(url)?;
        connect::with_environment(&config)?;
        Ok(Connector { config, tls: connect::tls(url)? })
    }

    /// Connects with the password that there is now.
    pub(crate) async fn connect(&self) -> std::result::Result<(Client, Connection<Socket, TlsStream>), tokio_postgres::Error> {
        let config = connect::with_environment(&self.config).unwrap_or_else(|error| {
            tracing::warn!(%error, "the password of the database can't be read");
            self.config.clone()
        });
        config.connect(self.tls.clone()).await
    }
}

/// Notifications of other nodes.
#[derive(Clone, Copy, Default)]
struct Notifications {
    /// Grows with each.
    count: u64,
    /// The last revision that was told of. None: there may have been any.
    revision: Option<Revision>,
}

/// The connections that notify, for as long as it lives.
pub(crate) struct Contact {
    silence: Silence,
    notifications: watch::Receiver<Notifications>,
    keepers: Vec<JoinHandle<()>>,
}

impl Contact {
    /// Of a node that follows what others write. `direct` is the way to listen. It is given where something that keeps no session, such as pgbouncer, stands in front
    /// of the records.
    pub(crate) fn of_a_node(own: NodeId, records: Connector, direct: Option<Connector>) -> Contact {
        let (silence, (sender, notifications)) = (Silence::new(), watch::channel(Notifications::default()));
        let listener = Listener { own, notifications: Arc::new(sender) };
        let keepers = match direct {
            None => vec![tokio::spawn(keep(records, Some(silence.clone()), Some(listener), Duration::ZERO))],
            Some(direct) => vec![
                tokio::spawn(keep(records, Some(silence.clone()), None, Duration::ZERO)),
                tokio::spawn(keep(direct, None, Some(listener), Duration::ZERO)),
            ],
        };
        Contact { silence, notifications, keepers }
    }

    /// Of a command that uses the database for a moment. It follows nobody. The connection is made after a second, because most commands take less.
    pub(crate) fn of_a_command(records: Connector) -> Contact {
        let silence = Silence::new();
        let keepers = vec![tokio::spawn(keep(records, Some(silence.clone()), None, PAUSE))];
        Contact { silence, notifications: watch::channel(Notifications::default()).1, keepers }
    }

    /// What the connections of the store end with.
    pub(crate) fn silence(&self) -> &Silence {
        &self.silence
    }

    /// Errors: [`Unavailable`](StoreError::Unavailable) while the database is silent; [`Fatal`](StoreError::Fatal) where a keeper has ended, which only a panic
    /// does: nobody would hear of anything, or notice a silence.
    pub(crate) fn check(&self) -> Result<()> {
        if self.keepers.iter().any(JoinHandle::is_finished) {
            return Err(StoreError::Fatal("what looks after the connections to the database has ended".to_owned()));
        }
        self.silence.check()
    }

    /// Waits for more than `count`; the new count, and the last revision that was notified.
    pub(crate) async fn wait_for_notification(&self, count: u64) -> (u64, Option<Revision>) {
        let mut notifications = self.notifications.clone();
        match notifications.wait_for(|now| now.count > count).await.map(|now| *now) {
            Ok(Notifications { count, revision }) => (count, revision),
            // Nobody listens.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Contact {
    fn drop(&mut self) {
        self.keepers.iter().for_each(JoinHandle::abort);
    }
}

/// Keeps a connection, and makes it again when it was lost. Tells `silence` whether the database answers, and `listener` what others have changed.
async fn keep(connector: Connector, silence: Option<Silence>, listener: Option<Listener>, first_pause: Duration) {
    let mut was_lost = false;
    let set_silent = |is_silent: bool| match &silence {
        Some(silence) if is_silent => silence.begin(),
        Some(silence) => silence.end(),
        None => {}
    };
    tokio::time::sleep(first_pause).await;
    loop {
        match tokio::time::timeout(WAIT, Session::open(&connector, listener.as_ref())).await {
            Ok(Ok(mut session)) => {
                set_silent(false);
                if was_lost {
                    tracing::info!("the database is back");
                }
                // What was sent while nobody listened did not arrive.
                if let Some(listener) = &listener {
                    listener.note(None);
                }
                let is_silent = session.until_lost().await;
                was_lost = true;
                set_silent(is_silent);
                match (is_silent, silence.is_some()) {
                    (true, true) => tracing::warn!("the database does not answer: its connections are given up until it answers again"),
                    (_, true) => tracing::warn!("the connection that looks whether the database answers was lost; it is made again"),
                    (_, false) => tracing::warn!(
                        "the connection of notify_url was lost: until it is back, changes of other nodes are looked for twice a second"
                    ),
                }
            }
            // A refusal is an answer. Whoever asks for a connection hears why there is none.
            Ok(Err(error)) => {
                set_silent(false);
                was_lost = true;
                tracing::debug!(error = %fault::text(&error), "not back yet");
            }
            Err(_) => {
                set_silent(true);
                was_lost = true;
            }
        }
        tokio::time::sleep(RECONNECT).await;
    }
}

/// Passes on notifications.
#[derive(Clone)]
struct Listener {
    own: NodeId,
    notifications: Arc<watch::Sender<Notifications>>,
}

impl Listener {
    fn note(&self, revision: Option<Revision>) {
        self.notifications
            .send_modify(|notifications| *notifications = Notifications { count: notifications.count.saturating_add(1), revision });
    }

    fn receive(&self, payload: &str) {
        let (who, revision) = payload.split_once(' ').unwrap_or((payload, ""));
        if who != self.own.as_str() {
            self.note(revision.parse().ok().map(Revision));
        }
    }
}

struct Session {
    client: Client,
    ended: JoinHandle<()>,
}

impl Session {
    async fn open(connector: &Connector, listener: Option<&Listener>) -> std::result::Result<Session, tokio_postgres::Error> {
        let (client, mut connection) = connector.connect().await?;
        let receives = listener.cloned();
        let ended = tokio::spawn(async move {
            loop {
                match poll_fn(|context| connection.poll_message(context)).await {
                    Some(Ok(AsyncMessage::Notification(message))) => {
                        if let Some(listener) = &receives {
                            listener.receive(message.payload());
                        }
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        tracing::debug!(error = %fault::text(&error), "a connection that looks after the database ended");
                        return;
                    }
                    None => return,
                }
            }
        });
        let session = Session { client, ended };
        if listener.is_some() {
            // However long nothing is said on this connection, it must stay.
            session.client.batch_execute("SET idle_session_timeout = 0").await?;
            let messages = session.client.simple_query(&format!("SELECT {CHANNEL}")).await?;
            let channel = messages.iter().find_map(|message| match message {
                tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            });
            // A digest: nothing in it needs to be quoted.
            session.client.batch_execute(&format!("LISTEN {}", channel.unwrap_or("falconer_"))).await?;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A server whose keeper had ended by a panic went on, heard of nothing, and noticed no silence.
    #[tokio::test]
    async fn a_keeper_that_has_ended_is_missed() {
        let (silence, notifications) = (Silence::new(), watch::channel(Notifications::default()).1);
        let (keeps, mut ended) = (tokio::spawn(std::future::pending()), tokio::spawn(async { panic!("expected by the test") }));
        assert!((&mut ended).await.is_err());
        let contact = Contact { silence: silence.clone(), notifications: notifications.clone(), keepers: vec![keeps] };
        assert_eq!(contact.check(), Ok(()));
        let contact = Contact { silence, notifications, keepers: vec![ended] };
        assert!(matches!(contact.check(), Err(StoreError::Fatal(_))));
    }
}
