//! A directory that only authorizes and gives no answer: who waits, how long, what counts meanwhile, and who does not notice it. Time is the test's own, so that what is
//! waited is exact.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::{DAY_MS, HOUR_MS};
use crate::office::Office;
use crate::standing_clock::StandingClock;
use async_trait::async_trait;
use falconer_login::{Attributes, Directory, Known, ProviderError};
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(5);

/// It knows everybody's group, or never answers.
#[derive(Default)]
struct Phonebook {
    hangs: AtomicBool,
    requests: AtomicUsize,
    /// How many wait for it, and the most at once.
    waiting: Mutex<(usize, usize)>,
}

#[async_trait]
impl Directory for Phonebook {
    async fn look_up(&self, known: &Known<'_>, _: i64) -> Result<Option<Attributes>, ProviderError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            struct Leaves<'p>(&'p Phonebook);
            impl Drop for Leaves<'_> {
                fn drop(&mut self) {
                    self.0.waiting.lock().unwrap().0 -= 1;
                }
            }
            {
                let mut waiting = self.waiting.lock().unwrap();
                waiting.0 += 1;
                waiting.1 = waiting.1.max(waiting.0);
            }
            let _leaves = Leaves(self);
            // As a kind of directory does: its own time is over at some moment.
            tokio::time::sleep(Duration::from_secs(20)).await;
            return Err(ProviderError::Http { what: "directory", error: falconer_login::http::HttpError::TooSlow });
        }
        Ok(known.username.map(|name| Attributes { subject: name.to_owned(), groups: vec!["staff".to_owned()], ..Attributes::default() }))
    }

    fn read_answer(&self, _: &serde_json::Map<String, serde_json::Value>) -> Result<Option<Attributes>, ProviderError> {
        Ok(None)
    }

    async fn probe(&self, _: i64) -> Result<Vec<(&'static str, String)>, ProviderError> {
        Ok(Vec::new())
    }
}

impl Phonebook {
    fn hangs(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::SeqCst);
    }

    fn requests(&self) -> usize {
        self.requests.swap(0, Ordering::SeqCst)
    }
}

async fn office(refresh_ms: Option<i64>) -> (Office, Arc<Phonebook>) {
    let phonebook = Arc::new(Phonebook::default());
    (Office::new(phonebook.clone(), refresh_ms).await, phonebook)
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_waits_a_short_time_once_and_nobody_gains() {
    let (office, phonebook) = office(None).await;
    office.sign_in("ann").await;
    assert!(office.has("ann", "phone:staff") && phonebook.requests() == 1);
    phonebook.hangs(true);
    let begun = Instant::now();
    office.sign_in("ann").await;
    assert_eq!((begun.elapsed().as_secs(), phonebook.requests()), (PATIENCE.as_secs(), 1));
    // What it said last counts, for whom it said it.
    let begun = Instant::now();
    for subject in ["ann", "bob", "cleo"] {
        office.sign_in(subject).await;
    }
    assert_eq!((begun.elapsed().as_secs(), phonebook.requests()), (0, 0), "nobody waits for it twice");
    assert!(office.has("ann", "phone:staff") && office.has("bob", "assume:team:bob"));
    assert!(!office.has("bob", "phone:staff") && !office.has("cleo", "phone:staff"));
    // And no longer than what any provider said: another sign-in does not prolong it.
    office.world.clock.advance(7 * DAY_MS + 1);
    office.sign_in("ann").await;
    assert!(!office.has("ann", "phone:staff") && office.has("ann", "assume:team:ann"));
}

#[tokio::test(start_paused = true)]
async fn whoever_signed_in_meanwhile_is_asked_about_soon() {
    for refresh_ms in [None, Some(24 * HOUR_MS)] {
        let (office, phonebook) = office(refresh_ms).await;
        phonebook.hangs(true);
        office.sign_in("bob").await;
        phonebook.hangs(false);
        office.world.clock.advance(if refresh_ms.is_none() { 60_000 } else { HOUR_MS });
        let round = office.world.login.refresh_due().await.unwrap();
        assert_eq!((round.still, office.has("bob", "phone:staff")), (1, true), "{refresh_ms:?}");
    }
}

/// No sign-in but that of the directory's own people waits, and verification asks neither the directory nor the store.
#[tokio::test(start_paused = true)]
async fn others_do_not_notice_it() {
    let _clock = StandingClock::hold();
    let (office, phonebook) = office(None).await;
    office.world.person("zoe", &[], &[]).await;
    office.sign_in("ann").await;
    phonebook.hangs(true);
    phonebook.requests();
    let waiting = async {
        // Each in a browser of their own, all at once.
        futures_util::future::join_all(["ann", "bob", "cleo", "dan"].map(|subject| office.sign_in(subject))).await;
    };
    let others = async {
        while phonebook.waiting.lock().unwrap().0 < 4 {
            tokio::task::yield_now().await;
        }
        office.others_notice_nothing("phone:staff").await;
        assert_eq!(phonebook.requests.load(Ordering::SeqCst), 4, "nor is the directory asked");
        assert_eq!(phonebook.waiting.lock().unwrap().0, 4, "they wait still");
    };
    tokio::select! {
        () = waiting => panic!("they were answered"),
        () = others => {}
    }
    assert_eq!(phonebook.waiting.lock().unwrap().0, 0, "nothing is left behind");
}

/// A round over many people asks a directory that hangs for those who were on their way, and goes on with the rest.
#[tokio::test(start_paused = true)]
async fn a_round_is_not_held_up_by_each_person() {
    let (office, phonebook) = office(Some(HOUR_MS)).await;
    for number in 0..40 {
        office.sign_in(&format!("p{number}")).await;
    }
    phonebook.requests();
    phonebook.hangs(true);
    office.world.clock.advance(HOUR_MS);
    let begun = Instant::now();
    let round = office.world.login.refresh_due().await.unwrap();
    assert_eq!(round.still, 40);
    assert_eq!(
        (phonebook.requests(), begun.elapsed().as_secs()),
        (8, 20),
        "as many as are asked about at once, and as long as one of them"
    );
    assert!(office.has("p39", "phone:staff"));
    // Whoever wants to know it now asks all the same.
    office.world.login.refresh_person("company/p0").await.unwrap();
    assert_eq!(phonebook.requests(), 1);
    phonebook.hangs(false);
    office.world.clock.advance(HOUR_MS);
    office.world.login.refresh_due().await.unwrap();
    assert_eq!(phonebook.requests(), 40);
}
