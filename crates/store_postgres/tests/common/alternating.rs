//! Two stores that have one database open, as one: each call goes to the other one of them than the call before.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use falconer_store::*;
use falconer_store_postgres::PostgresStore;

pub struct Alternating {
    pub stores: [PostgresStore; 2],
    pub calls: AtomicUsize,
}

impl Alternating {
    fn next(&self) -> &PostgresStore {
        let [even, odd] = &self.stores;
        if self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { even } else { odd }
    }
}

macro_rules! delegate {
    ($(fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $ok:ty;)*) => {
        #[async_trait]
        impl Store for Alternating {
            fn is_shared(&self) -> bool {
                true
            }

            async fn wait_for_notification(&self, count: u64) -> (u64, Option<Revision>) {
                self.next().wait_for_notification(count).await
            }

            fn read_keys_with(&self, source: KeySource) {
                self.stores.iter().for_each(|store| store.read_keys_with(source.clone()));
            }

            fn key_prints(&self) -> Vec<String> {
                self.next().key_prints()
            }

            fn refresh_keys(&self) -> Refreshed {
                let [even, odd] = &self.stores;
                even.refresh_keys();
                odd.refresh_keys()
            }

            $(async fn $name(&self $(, $arg: $type)*) -> Result<$ok> {
                self.next().$name($($arg),*).await
            })*
        }
    };
}

falconer_store::store_methods!(delegate);
