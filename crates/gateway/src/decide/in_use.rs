use std::sync::{Arc, PoisonError, RwLock};

use super::gateway::Gateway;

/// The gateway that decides at the moment. Another one takes its place as a whole: each request is decided by one of them. Clones are the same.
#[derive(Clone, Debug)]
pub struct InUse(Arc<RwLock<Arc<Gateway>>>);

/// Rules that cannot take the place of those in use, because the program listens and stands where these said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is another one, which takes a new start")]
pub struct TakesNewStart(&'static str);

impl InUse {
    /// Begins with this one.
    #[must_use]
    pub fn new(gateway: Gateway) -> InUse {
        InUse(Arc::new(RwLock::new(Arc::new(gateway))))
    }

    /// Requests from now on are decided by this one; what was counted stays. WebSockets that were opened before end when it is next asked about them.
    pub fn replace(&self, gateway: Gateway) -> Result<(), TakesNewStart> {
        let mut in_use = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let (before, after) = (in_use.settings(), gateway.settings());
        let other = [
            ("listen", before.listen != after.listen),
            ("metrics_listen", before.metrics_listen != after.metrics_listen),
            ("proxy` or `upstream", before.place != after.place),
        ];
        if let Some((name, _)) = other.into_iter().find(|(_, other)| *other) {
            return Err(TakesNewStart(name));
        }
        *in_use = Arc::new(gateway.in_place_of(&in_use));
        Ok(())
    }

    /// The one that decides.
    pub(crate) fn now(&self) -> Arc<Gateway> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether another one took its place.
    pub(crate) fn replaced(&self, gateway: &Arc<Gateway>) -> bool {
        !Arc::ptr_eq(&self.now(), gateway)
    }
}
