//! What lies between one node and the database: delays, answers that are lost, a way that is cut, and a node that crashes.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use falconer_store::*;
use tokio::sync::watch;

use super::database::{Database, Planted, block_on};
use super::time::Time;

/// The way of one life of a node to the database. A node that crashed has one on which nothing comes back any more.
pub struct Link {
    pub database: Arc<Database>,
    pub time: Arc<Time>,
    /// Nothing comes through before this moment.
    cut_until_ms: AtomicI64,
    /// One way takes at most so long.
    slowness_ms: AtomicI64,
    /// Of a hundred answers so many are lost.
    lost_percent: AtomicI64,
    is_dead: AtomicBool,
    /// When the last call began that was answered with what a node takes for a look.
    pub contact_ms: AtomicI64,
    /// How many notifications have come, and the revision of the last one.
    notified: watch::Sender<(u64, Option<Revision>)>,
}

impl Link {
    pub fn new(database: &Arc<Database>, time: &Arc<Time>) -> Arc<Link> {
        let link = Arc::new(Link {
            database: database.clone(),
            time: time.clone(),
            cut_until_ms: AtomicI64::new(0),
            slowness_ms: AtomicI64::new(5),
            lost_percent: AtomicI64::new(0),
            is_dead: AtomicBool::new(false),
            contact_ms: AtomicI64::new(time.now_ms()),
            notified: watch::Sender::default(),
        });
        database.links.lock().unwrap().push(Arc::downgrade(&link));
        link
    }

    pub fn cut_for(&self, ms: i64) {
        self.cut_until_ms.store(self.time.now_ms() + ms, Ordering::SeqCst);
    }

    pub fn slow_down(&self, most_ms: i64, lost_percent: i64) {
        self.slowness_ms.store(most_ms, Ordering::SeqCst);
        self.lost_percent.store(lost_percent, Ordering::SeqCst);
    }

    pub fn die(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
    }

    pub fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }

    fn is_cut(&self) -> bool {
        self.time.now_ms() < self.cut_until_ms.load(Ordering::SeqCst)
    }

    /// This node has committed: messages to all others are on their way.
    fn tell_others(&self) {
        let revision = self.database.model.lock().unwrap().last().0;
        let links = self.database.links.lock().unwrap();
        for other in links.iter().filter_map(Weak::upgrade).filter(|link| !std::ptr::eq(&**link, self) && !link.is_dead()) {
            tokio::spawn(async move { other.notify(revision).await });
        }
    }

    /// Another node has committed. The message comes later, or never.
    async fn notify(&self, revision: Revision) {
        self.way().await;
        if !self.is_cut() && self.time.roll(4) > 0 {
            let named = Some(revision).filter(|_| self.time.roll(8) > 0);
            self.notified.send_modify(|(count, last)| (*count, *last) = (*count + 1, named));
        }
    }

    async fn way(&self) {
        self.time.sleep(self.time.between(0, self.slowness_ms.load(Ordering::SeqCst))).await;
        self.end_here_if_dead().await;
    }

    /// What a process does after its end.
    async fn end_here_if_dead(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    /// The time after which a driver gives up.
    async fn give_up(&self) {
        self.time.sleep(self.time.between(200, 3000)).await;
        self.end_here_if_dead().await;
    }

    async fn there(&self) -> Result<()> {
        self.way().await;
        if self.is_cut() {
            self.give_up().await;
            return Err(StoreError::Unavailable("the database does not answer".to_owned()));
        }
        Ok(())
    }

    async fn back<T>(&self, method: &str, began_ms: i64, answer: Result<T>) -> Result<T> {
        self.way().await;
        if self.is_cut() || i64::try_from(self.time.roll(100)).unwrap() < self.lost_percent.load(Ordering::SeqCst) {
            self.give_up().await;
            let is_read = method != "commit" || self.database.planted == Some(Planted::CallsUnknownNotDone);
            let text = "the answer was lost".to_owned();
            return Err(if is_read { StoreError::Unavailable(text) } else { StoreError::Unknown(text) });
        }
        if answer.is_ok() && matches!(method, "commit" | "changed_records" | "load_each") {
            self.contact_ms.fetch_max(began_ms, Ordering::SeqCst);
        }
        answer
    }
}

macro_rules! over_the_link {
    ($(fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $ok:ty;)*) => {
        #[async_trait]
        impl Store for Link {
            fn is_shared(&self) -> bool {
                true
            }

            async fn wait_for_notification(&self, count: u64) -> (u64, Option<Revision>) {
                let mut notified = self.notified.subscribe();
                loop {
                    let (now, revision) = *notified.borrow_and_update();
                    if now > count {
                        return (now, revision);
                    }
                    if notified.changed().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            }

            fn read_keys_with(&self, source: KeySource) {
                self.database.read_keys_with(source);
            }

            fn key_prints(&self) -> Vec<String> {
                self.database.key_prints()
            }

            fn refresh_keys(&self) -> Refreshed {
                self.database.refresh_keys()
            }

            $(async fn $name(&self $(, $arg: $type)*) -> Result<$ok> {
                let (method, began_ms) = (stringify!($name), self.time.now_ms());
                // A planted fault: what stands in between answers by itself.
                let is_for_the_database = method == "changed_records" && self.is_cut() && self.database.planted == Some(Planted::AnswersForTheDatabase);
                if !is_for_the_database {
                    self.there().await?;
                }
                self.database.is_away.store(is_for_the_database, Ordering::SeqCst);
                let answer = block_on(self.database.$name($($arg),*));
                if is_for_the_database {
                    return answer;
                }
                if method == "commit" && answer.is_ok() {
                    self.tell_others();
                }
                self.back(method, began_ms, answer).await
            })*
        }
    };
}

falconer_store::store_methods!(over_the_link);
