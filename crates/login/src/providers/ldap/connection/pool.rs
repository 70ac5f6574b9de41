//! A few connections for the next question, and a bound of how many there are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::address::Address;
use super::servers::{Servers, Watch};
use super::talk::{Connection, refusal};
use crate::providers::error::short;
use crate::providers::ldap::error::LdapError;
use crate::providers::ldap::protocol::code;
use crate::providers::ldap::settings::ServiceAccount;

/// A connection is kept so long without a question. Firewalls forget idle ones after minutes.
const KEPT: Duration = Duration::from_secs(30);
/// So many questions wait for each connection before others are refused.
const WAITING: usize = 8;

/// Connections to one directory, on whichever of its servers.
pub(crate) struct Pool {
    servers: Arc<Servers>,
    tls: Arc<rustls::ClientConfig>,
    service: Option<ServiceAccount>,
    timeout: Duration,
    /// Those who use a connection or wait for one.
    queue: Arc<Semaphore>,
    /// Those who use one.
    places: Arc<Semaphore>,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

/// A connection on which the service account speaks, and the right to it.
pub(crate) struct PooledConnection {
    pub(crate) connection: Connection,
    _place: Place,
}

/// The right to use a connection.
pub(crate) struct Place {
    _queue: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
    /// When the time of a question is over that began with waiting for it.
    until: Instant,
}

impl Place {
    pub(crate) fn until(&self) -> Instant {
        self.until
    }
}

impl Pool {
    pub(crate) fn new(
        addresses: Vec<Address>,
        tls: Arc<rustls::ClientConfig>,
        service: Option<ServiceAccount>,
        timeout: Duration,
        connections: usize,
    ) -> Pool {
        Pool {
            servers: Servers::new(addresses),
            tls,
            service,
            timeout,
            queue: Arc::new(Semaphore::new(connections * WAITING)),
            places: Arc::new(Semaphore::new(connections)),
            idle: Mutex::default(),
        }
    }

    /// Where a connection leads to.
    pub(crate) fn address_of(&self, taken: &PooledConnection) -> Option<&Address> {
        self.servers.address(taken.connection.server())
    }

    /// As whom questions are asked.
    pub(crate) fn service_name(&self) -> Option<&str> {
        self.service.as_ref().map(|service| service.dn.as_str())
    }

    /// Runs a question, which ends within the time whatever the server does. A connection that is in the middle of something is closed then.
    pub(crate) async fn within<T>(&self, question: impl Future<Output = Result<T, LdapError>>) -> Result<T, LdapError> {
        self.until(Instant::now() + self.timeout, question).await
    }

    /// The same, for one that has begun before.
    pub(crate) async fn until<T>(&self, until: Instant, question: impl Future<Output = Result<T, LdapError>>) -> Result<T, LdapError> {
        tokio::time::timeout_at(until, question).await.unwrap_or(Err(LdapError::TooSlow))
    }

    /// Seconds, for the server.
    pub(crate) fn seconds(&self) -> i32 {
        i32::try_from(self.timeout.as_secs()).unwrap_or(i32::MAX).saturating_add(1)
    }

    /// Waits for the right to use a connection; no server hears of it. Whoever has to wait longer than a question may take is refused.
    pub(crate) async fn place(&self) -> Result<Place, LdapError> {
        let until = Instant::now() + self.timeout;
        let queue = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| LdapError::Busy)?;
        let place = async { Arc::clone(&self.places).acquire_owned().await.map_err(|_| LdapError::Busy) };
        Ok(Place { _queue: queue, _place: self.until(until, place).await?, until })
    }

    /// A connection of one's own.
    pub(crate) async fn take(&self) -> Result<PooledConnection, LdapError> {
        self.take_at(self.place().await?).await
    }

    /// The same for whoever has the right to it.
    pub(crate) async fn take_at(&self, place: Place) -> Result<PooledConnection, LdapError> {
        let order = self.servers.in_order();
        while let Some(mut connection) = self.idle_one() {
            // Of a server that is passed over by now, or of one that was asked while the first one was: not any more.
            if order.first() == Some(&connection.server()) && connection.is_quiet().await {
                connection.begin_anew();
                return Ok(PooledConnection { connection, _place: place });
            }
        }
        Ok(PooledConnection { connection: self.open_first(&order).await?, _place: place })
    }

    /// A connection to the first of the servers with which there is one. Whatever the others say of it, one that answers and refuses the service account is asked: it is
    /// the configuration that is wrong.
    async fn open_first(&self, order: &[usize]) -> Result<Connection, LdapError> {
        let mut failed = LdapError::Busy;
        for number in order {
            let opened = match self.servers.opening(self.timeout) {
                Some(limit) => tokio::time::timeout(limit, self.open(*number)).await.unwrap_or(Err(LdapError::TooSlow)),
                None => self.open(*number).await,
            };
            match opened {
                Err(error) if error.is_of_this_server() => failed = error,
                opened => return opened,
            }
        }
        Err(failed)
    }

    async fn open(&self, number: usize) -> Result<Connection, LdapError> {
        let watch = Watch::new(&self.servers, number);
        let address = self.servers.address(number).ok_or(LdapError::Busy)?;
        let mut connection = Connection::open(address, &self.tls, watch).await?;
        if self.service.is_some() {
            self.speak_as_service(&mut connection).await?;
        }
        connection.is_open();
        Ok(connection)
    }

    /// Keeps a connection on which nothing is under way, and on which the service account speaks.
    pub(crate) fn give_back(&self, taken: PooledConnection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push((taken.connection, Instant::now()));
    }

    /// From now on the service account speaks, or nobody.
    pub(crate) async fn speak_as_service(&self, connection: &mut Connection) -> Result<(), LdapError> {
        let outcome = match &self.service {
            Some(service) => connection.bind(&service.dn, service.password.expose().as_bytes()).await?,
            None => connection.bind("", b"").await?,
        };
        match outcome.code {
            code::SUCCESS => Ok(()),
            code::BUSY | code::UNAVAILABLE | code::REFERRAL => Err(refusal("the bind of the configuration", outcome)),
            code => Err(LdapError::ServiceBind { code, said: short(&outcome.said) }),
        }
    }

    /// The one that was used last; the others end by and by.
    fn idle_one(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        idle.retain(|(_, since)| now.duration_since(*since) < KEPT);
        idle.pop().map(|(connection, _)| connection)
    }
}
