//! Time that moves when nothing else can, and the order in which those wake up who wait for the same moment.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use falconer_auth::Clock;
use tokio::sync::oneshot;

use crate::common::START_MS;
use crate::dice::Dice;

/// Choices and time of one run. The same seed makes the same choices in the same order.
pub struct Time {
    dice: Mutex<Dice>,
    now_ms: AtomicI64,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    count: u64,
    /// By the moment, then by a number that is drawn: so the seed says who is first.
    due: BTreeMap<(i64, u64, u64), oneshot::Sender<()>>,
}

impl Time {
    pub fn of_seed(seed: u64) -> Arc<Time> {
        Arc::new(Time { dice: Mutex::new(Dice::of(seed)), now_ms: AtomicI64::new(0), waiting: Mutex::default() })
    }

    /// Milliseconds since the run began.
    pub fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    pub fn roll(&self, below: u64) -> u64 {
        self.dice.lock().unwrap().roll(below)
    }

    pub fn between(&self, least_ms: i64, most_ms: i64) -> i64 {
        least_ms + i64::try_from(self.roll(u64::try_from(most_ms - least_ms).unwrap() + 1)).unwrap()
    }

    pub fn pick<T: Clone>(&self, items: &[T]) -> T {
        self.dice.lock().unwrap().pick(items)
    }

    pub async fn sleep(&self, ms: i64) {
        let (wake, woken) = oneshot::channel();
        {
            let order = self.roll(1 << 32);
            let mut waiting = self.waiting.lock().unwrap();
            waiting.count += 1;
            let key = (self.now_ms() + ms, order, waiting.count);
            waiting.due.insert(key, wake);
        }
        let _ = woken.await;
    }

    /// Goes on to the next moment for which somebody waits, and wakes one of them. False: nobody waits.
    pub fn wake_next(&self) -> bool {
        let Some(((at_ms, ..), wake)) = self.waiting.lock().unwrap().due.pop_first() else { return false };
        self.now_ms.store(at_ms, Ordering::SeqCst);
        // Whoever no longer waits was given up.
        let _ = wake.send(());
        true
    }
}

/// The clock of one machine. Its wall clock is stepped; its steady clock never is.
pub struct MachineClock {
    time: Arc<Time>,
    offset_ms: AtomicI64,
    /// A fault that is planted: the steady clock is the wall clock.
    steady_is_wall: bool,
}

impl MachineClock {
    pub fn new(time: &Arc<Time>, steady_is_wall: bool) -> MachineClock {
        MachineClock { time: time.clone(), offset_ms: AtomicI64::new(0), steady_is_wall }
    }

    pub fn set_offset(&self, ms: i64) {
        self.offset_ms.store(ms, Ordering::SeqCst);
    }
}

impl Clock for MachineClock {
    fn now_ms(&self) -> i64 {
        START_MS + self.time.now_ms() + self.offset_ms.load(Ordering::SeqCst)
    }

    fn steady_ms(&self) -> i64 {
        if self.steady_is_wall { self.now_ms() } else { 77 + self.time.now_ms() }
    }
}
