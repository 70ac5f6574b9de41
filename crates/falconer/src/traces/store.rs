//! A store whose calls are parts of the traces of requests: the name of the method, how long it took, and whether it failed. Only where there are traces.

use std::sync::Arc;

use async_trait::async_trait;
use falconer_store::*;
use falconer_traces::{Kind, step};

/// The same store.
pub struct TracedStore(pub Arc<dyn Store>);

/// An answer such as Stale is none of the store's faults.
fn has_failed<T>(outcome: &Result<T>) -> bool {
    !matches!(outcome, Ok(_) | Err(StoreError::Stale | StoreError::Conflict))
}

macro_rules! traced {
    ($(fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $ok:ty;)*) => {
        #[async_trait]
        impl Store for TracedStore {
            fn is_shared(&self) -> bool {
                self.0.is_shared()
            }

            fn read_keys_with(&self, source: KeySource) {
                self.0.read_keys_with(source);
            }

            fn key_prints(&self) -> Vec<String> {
                self.0.key_prints()
            }

            fn refresh_keys(&self) -> Refreshed {
                self.0.refresh_keys()
            }

            async fn commit_locked(&self, deciding: Deciding) -> Result<Committed> {
                step("store.commit_locked", Kind::Client, has_failed, self.0.commit_locked(deciding)).await
            }

            async fn wait_for_notification(&self, count: u64) -> (u64, Option<Revision>) {
                self.0.wait_for_notification(count).await
            }

            $(async fn $name(&self $(, $arg: $type)*) -> Result<$ok> {
                step(concat!("store.", stringify!($name)), Kind::Client, has_failed, self.0.$name($($arg),*)).await
            })*
        }
    };
}

store_methods!(traced);
