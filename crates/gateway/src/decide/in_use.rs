use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::gateway::Gateway;

/// The gateway that decides at the moment. Another one takes its place as a whole: each request is decided by one of them. Clones are the same.
#[derive(Clone, Debug)]
pub struct InUse {
    all: Arc<RwLock<GatewayPerThread>>,
    /// Which of the threads that serve; `None`: whoever does not.
    thread: Option<usize>,
}

/// The same gateway, as often as there are threads.
#[derive(Debug)]
struct GatewayPerThread {
    first: Arc<Gateway>,
    of_threads: Vec<Arc<Gateway>>,
}

/// Rules that cannot take the place of those in use, because the program listens and stands where these said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is another one, which takes a new start")]
pub struct NeedsRestart(&'static str);

impl GatewayPerThread {
    fn new(gateway: Gateway, threads: usize) -> GatewayPerThread {
        let mut all = GatewayPerThread { first: Arc::new(gateway), of_threads: Vec::new() };
        all.grow(threads);
        all
    }

    /// So that there are so many.
    fn grow(&mut self, threads: usize) {
        while self.of_threads.len() < threads {
            // Where no connections of its own can be had, a thread uses those of all.
            self.of_threads.push(self.first.for_thread().map_or_else(|_| Arc::clone(&self.first), Arc::new));
        }
    }
}

impl InUse {
    /// Begins with this one.
    #[must_use]
    pub fn new(gateway: Gateway) -> InUse {
        InUse { all: Arc::new(RwLock::new(GatewayPerThread::new(gateway, 0))), thread: None }
    }

    /// Requests from now on are decided by this one; what was counted stays. WebSockets that were opened before end when it is next asked about them.
    pub fn replace(&self, gateway: Gateway) -> Result<(), NeedsRestart> {
        let mut all = self.write();
        let (before, after) = (all.first.settings(), gateway.settings());
        let other = [
            ("listen", before.listen != after.listen),
            ("metrics_listen", before.metrics_listen != after.metrics_listen),
            ("proxy` or `upstream", before.place != after.place),
        ];
        if let Some((name, _)) = other.into_iter().find(|(_, other)| *other) {
            return Err(NeedsRestart(name));
        }
        *all = GatewayPerThread::new(gateway.in_place_of(&all.first), all.of_threads.len());
        Ok(())
    }

    /// The same for each of so many threads that serve: what is asked of Falconer on one of them goes over connections of that thread.
    pub(crate) fn on_threads(&self, threads: usize) -> Vec<InUse> {
        self.write().grow(threads);
        (0..threads).map(|thread| InUse { all: Arc::clone(&self.all), thread: Some(thread) }).collect()
    }

    /// The one that decides.
    pub(crate) fn now(&self) -> Arc<Gateway> {
        let all = self.read();
        let of_thread = self.thread.and_then(|thread| all.of_threads.get(thread));
        Arc::clone(of_thread.unwrap_or(&all.first))
    }

    /// Whether another one took its place.
    pub(crate) fn replaced(&self, gateway: &Arc<Gateway>) -> bool {
        !Arc::ptr_eq(&self.now(), gateway)
    }

    fn read(&self) -> RwLockReadGuard<'_, GatewayPerThread> {
        self.all.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, GatewayPerThread> {
        self.all.write().unwrap_or_else(PoisonError::into_inner)
    }
}
