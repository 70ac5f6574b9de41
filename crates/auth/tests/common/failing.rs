//! A store around another one: it fails where it is told to, counts its calls, and can be made to wait.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use falconer_store::*;
use tokio::sync::Semaphore;

/// How many calls may be under way.
pub const WIDTH: u32 = 1000;

pub struct Failing {
    /// Can be exchanged, as when a backup is restored below a running server.
    pub inner: Mutex<Arc<dyn Store>>,
    /// The method and the error of its next calls; `after commit` is done before the error is answered.
    pub errors: Mutex<VecDeque<(&'static str, StoreError)>>,
    /// A method, and how many calls of it go well before one does not.
    pub later: Mutex<Option<(&'static str, usize)>>,
    /// A method whose next call is never answered.
    pub hangs: Mutex<Option<&'static str>>,
    /// What the next call of `note_uses` leaves.
    pub left: Mutex<UsesLeft>,
    /// How often each method was called.
    pub calls: Mutex<BTreeMap<&'static str, usize>>,
    /// Whoever takes all of it keeps calls waiting.
    pub gate: Semaphore,
    /// Whether other nodes may write to it, as far as this one knows.
    pub is_shared: bool,
}

impl Failing {
    pub fn new(inner: Arc<dyn Store>) -> Failing {
        let gate = Semaphore::new(WIDTH as usize);
        Failing {
            inner: Mutex::new(inner),
            errors: Mutex::default(),
            later: Mutex::default(),
            hangs: Mutex::default(),
            left: Mutex::default(),
            calls: Mutex::default(),
            gate,
            is_shared: false,
        }
    }

    pub fn calls_of(&self, method: &str) -> usize {
        self.calls.lock().unwrap().get(method).copied().unwrap_or(0)
    }

    /// The store does not answer one call of this method, after so many that it answers.
    pub fn lose_after(&self, method: &'static str, answered: usize) {
        *self.later.lock().unwrap() = Some((method, answered));
    }

    fn hangs(&self, method: &'static str) -> bool {
        self.hangs.lock().unwrap().take_if(|name| *name == method).is_some()
    }

    fn before(&self, method: &'static str) -> Result<()> {
        *self.calls.lock().unwrap().entry(method).or_default() += 1;
        let mut later = self.later.lock().unwrap();
        match later.as_mut().filter(|(name, _)| *name == method) {
            Some((_, 0)) => {
                *later = None;
                return Err(StoreError::Unavailable("away".to_owned()));
            }
            Some((_, answered)) => *answered -= 1,
            None => {}
        }
        drop(later);
        let mut errors = self.errors.lock().unwrap();
        match errors.front() {
            Some((name, _)) if *name == method => {
                let error = errors.pop_front().unwrap().1;
                drop(errors);
                assert_ne!(error, StoreError::Fatal("panic".to_owned()), "asked to panic");
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

macro_rules! delegate {
    ($(fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $ok:ty;)*) => {
        #[async_trait]
        impl Store for Failing {
            fn is_shared(&self) -> bool {
                self.is_shared
            }

            async fn wait_for_notification(&self, count: u64) -> (u64, Option<Revision>) {
                let inner = self.inner.lock().unwrap().clone();
                inner.wait_for_notification(count).await
            }

            /// What goes wrong with other commits does not with this one: nobody comes in between.
            async fn commit_locked(&self, deciding: Deciding) -> Result<Committed> {
                self.before("commit_locked")?;
                let inner = self.inner.lock().unwrap().clone();
                inner.commit_locked(deciding).await
            }

            fn read_keys_with(&self, source: KeySource) {
                self.inner.lock().unwrap().read_keys_with(source);
            }

            fn key_prints(&self) -> Vec<String> {
                self.inner.lock().unwrap().key_prints()
            }

            fn refresh_keys(&self) -> Refreshed {
                self.inner.lock().unwrap().refresh_keys()
            }

            $(async fn $name(&self $(, $arg: $type)*) -> Result<$ok> {
                let _through = self.gate.acquire().await.unwrap();
                self.before(stringify!($name))?;
                if self.hangs(stringify!($name)) {
                    std::future::pending::<()>().await;
                }
                let inner = self.inner.lock().unwrap().clone();
                let mut done = inner.$name($($arg),*).await;
                if let Some(Ok(left)) = (&mut done as &mut dyn Any).downcast_mut::<Result<UsesLeft>>() {
                    *left = std::mem::take(&mut *self.left.lock().unwrap());
                }
                self.before(concat!("after ", stringify!($name)))?;
                done
            })*
        }
    };
}

falconer_store::store_methods!(delegate);
