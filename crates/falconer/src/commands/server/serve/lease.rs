//! What only one of several servers does: whoever has the lease, which is a row in the database. It is renewed while the server lives and reaches the database; where
//! it does not, another one has it within seconds, and this one knows at the same time that it has it no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use falconer_auth::{Clock as _, Random as _};
use falconer_store::Store;
use tokio::task::JoinHandle;

use super::watched::watched;
use crate::system::{SystemClock, SystemRandom};

/// How long it holds without being renewed.
const FOR_MS: i64 = 10_000;
/// How often it is renewed, or tried for.
const RENEWED: Duration = Duration::from_secs(3);

/// A lease that this server tries to have for as long as the value lives.
pub struct Lease {
    name: &'static str,
    holder: String,
    store: Arc<dyn Store>,
    /// By the steady clock.
    until_ms: Arc<AtomicI64>,
    keeper: Option<JoinHandle<()>>,
}

impl Lease {
    /// Takes it if nobody has it, and tries again and again. Where no other server writes to the store, it is had without asking.
    pub async fn keep(store: Arc<dyn Store>, name: &'static str) -> Lease {
        if !store.is_shared() {
            return Lease { name, holder: String::new(), store, until_ms: Arc::new(AtomicI64::new(i64::MAX)), keeper: None };
        }
        let mut id = [0; 16];
        SystemRandom.fill(&mut id);
        let holder = format!("{:032x}", u128::from_be_bytes(id));
        let until_ms = Arc::new(AtomicI64::new(i64::MIN));
        take(store.as_ref(), name, &holder, &until_ms).await;
        let keeper = {
            let (store, holder, until_ms) = (Arc::clone(&store), holder.clone(), Arc::clone(&until_ms));
            watched("keeping a lease", async move {
                loop {
                    tokio::time::sleep(RENEWED).await;
                    take(store.as_ref(), name, &holder, &until_ms).await;
                }
            })
        };
        Lease { name, holder, store, until_ms, keeper: Some(keeper) }
    }

    /// Whether this server has it at this moment.
    pub fn is_held(&self) -> bool {
        SystemClock.steady_ms() < self.until_ms.load(Ordering::Acquire)
    }

    /// Lets another server have it at once.
    pub async fn end(&self) {
        let Some(keeper) = &self.keeper else { return };
        keeper.abort();
        self.until_ms.store(i64::MIN, Ordering::Release);
        if let Err(error) = self.store.end_lease(self.name, &self.holder).await {
            tracing::debug!(%error, lease = self.name, "a lease can't be given back, and ends by itself");
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.keeper.iter().for_each(JoinHandle::abort);
    }
}

/// Counted from before the database was asked, so that it ends here before it does there.
async fn take(store: &dyn Store, name: &str, holder: &str, until_ms: &AtomicI64) {
    let began_ms = SystemClock.steady_ms();
    match store.take_lease(name, holder, FOR_MS).await {
        Ok(true) => {
            let was_held = began_ms < until_ms.swap(began_ms.saturating_add(FOR_MS), Ordering::AcqRel);
            if !was_held {
                tracing::debug!(lease = name, "this server does what only one does");
            }
        }
        Ok(false) => until_ms.store(i64::MIN, Ordering::Release),
        Err(error) => tracing::debug!(%error, lease = name, "a lease can't be renewed"),
    }
}
