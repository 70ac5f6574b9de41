//! A few nodes over one database: how they live, what is done to them, and how one run goes.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use falconer_auth::{Auth, AuthSettings, DAY_MS, HOUR_MS, Revision};

use super::calls;
use super::database::{Database, Planted};
use super::link::Link;
use super::model::State;
use super::people;
use super::time::{MachineClock, Time};
use crate::common::{Counting, Keys, memory_store, person, settings};

/// How old what a node answers from may be.
pub const MAX_STALENESS_MS: i64 = 5000;
/// So long things go wrong, and so long it takes at most until all is well afterwards.
const TROUBLE_MS: i64 = 20_000;
const RECOVERY_MS: i64 = 12_000;

/// Room for remembered expansions takes longer to make than all that happens in a run.
fn small_settings() -> AuthSettings {
    AuthSettings { cache_mib: 1, ..settings() }
}

/// One of the nodes, in its present life.
pub struct Machine {
    pub clock: Arc<MachineClock>,
    pub link: Arc<Link>,
    /// None while it starts.
    pub auth: Option<Auth>,
    /// What its callers have been told of in this life.
    pub acknowledged: Revision,
    /// The snapshot that was compared last.
    compared: Option<Revision>,
}

pub struct World {
    pub time: Arc<Time>,
    pub database: Arc<Database>,
    pub machines: Mutex<Vec<Machine>>,
    pub root: Keys,
    /// Grants that were answered: id, whose they are, credentials.
    pub granted: Mutex<Vec<(String, String, Keys)>>,
    random: Arc<Counting>,
    is_trouble: AtomicBool,
    /// Everything that happened, in order.
    story: Mutex<(DefaultHasher, Vec<String>)>,
    tells: bool,
}

/// What came of a run.
pub struct Outcome {
    pub wrong: Option<String>,
    /// The same for two runs of one seed.
    pub fingerprint: u64,
    pub story: Vec<String>,
}

/// The run of this number, from the beginning to the end.
pub fn run(seed: u64, planted: Option<Planted>, tells: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let world = runtime.block_on(async {
        let world = World::install(seed, planted, tells).await;
        world.go().await;
        world
    });
    // Ends what the crashed have left.
    drop(runtime);
    world.machines.lock().unwrap().clear();
    let (hasher, story) = std::mem::take(&mut *world.story.lock().unwrap());
    let wrong = world.database.wrong.lock().unwrap().take();
    Outcome { wrong, fingerprint: hasher.finish(), story }
}

impl World {
    async fn install(seed: u64, planted: Option<Planted>, tells: bool) -> Arc<World> {
        let time = Time::of_seed(seed);
        let store = memory_store();
        let random = Arc::new(Counting::default());
        let clock = Arc::new(crate::common::FixedClock::at(crate::common::START_MS));
        let auth = Auth::open(store.clone(), small_settings(), clock, random.clone()).await.unwrap();
        let root = auth.fresh_install(true).await.unwrap();
        let root = Keys { id: root.client_id, token: root.access_token, certificate: None };
        for who in people::PEOPLE {
            auth.put_identity("provider", &person(who, &people::SCOPES, crate::common::START_MS)).await.unwrap();
        }
        let database = Arc::new(Database::new(store, &time, planted));
        let machines = (0..1 + time.roll(3)).map(|_| {
            let clock = Arc::new(MachineClock::new(&time, planted == Some(Planted::MeasuresByTheWallClock)));
            Machine { clock, link: Link::new(&database, &time), auth: None, acknowledged: Revision(0), compared: None }
        });
        let machines = Mutex::new(machines.collect());
        Arc::new(World {
            time,
            database,
            machines,
            root,
            granted: Mutex::default(),
            random,
            is_trouble: AtomicBool::new(true),
            story: Mutex::default(),
            tells,
        })
    }

    async fn go(self: &Arc<World>) {
        let count = self.machines.lock().unwrap().len();
        (0..count).for_each(|number| self.start(number));
        tokio::spawn(self.clone().trouble());
        for _ in 0..3 {
            tokio::spawn(calls::keep_calling(self.clone()));
        }
        self.until(TROUBLE_MS).await;
        self.is_trouble.store(false, Ordering::SeqCst);
        self.heal();
        self.until(TROUBLE_MS + RECOVERY_MS / 2).await;
        self.accept_time().await;
        self.until(TROUBLE_MS + RECOVERY_MS).await;
        self.check_all_is_well().await;
    }

    /// Lets time pass until this moment, or until something is wrong.
    async fn until(&self, end_ms: i64) {
        while self.time.now_ms() < end_ms && self.database.wrong.lock().unwrap().is_none() {
            let mut turns = 0;
            while !self.time.wake_next() {
                tokio::task::yield_now().await;
                turns += 1;
                if turns > 1000 {
                    self.database.check(Err("nobody waits for anything any more".to_owned()));
                    return;
                }
            }
            // Some get their turn before the next one wakes up, others not.
            for _ in 0..=self.time.roll(6) {
                tokio::task::yield_now().await;
            }
            self.compare();
        }
    }

    pub fn is_over(&self) -> bool {
        self.time.now_ms() >= TROUBLE_MS + RECOVERY_MS / 2 || self.database.wrong.lock().unwrap().is_some()
    }

    pub fn tell(&self, text: impl FnOnce() -> String) {
        let mut story = self.story.lock().unwrap();
        let line = format!("{:>6} {}", self.time.now_ms(), text());
        line.hash(&mut story.0);
        if self.tells {
            story.1.push(line);
        }
    }

    /// What every node answers from is what the model is at its revision.
    fn compare(&self) {
        for (number, machine) in self.machines.lock().unwrap().iter_mut().enumerate() {
            let Some(auth) = &machine.auth else { continue };
            let snapshot = auth.directory();
            if machine.compared == Some(snapshot.revision()) {
                continue;
            }
            let revision = snapshot.revision();
            self.tell(|| format!("node {number} is at {}", revision.0));
            let is_back = machine.compared.is_some_and(|before| before > revision);
            machine.compared = Some(revision);
            let (expected, highest_ms) = {
                let model = self.database.model.lock().unwrap();
                (model.at(revision), model.highest_ever_ms)
            };
            self.database.check(match expected {
                _ if is_back => Err(format!("node {number} went back to {revision:?}")),
                Some(expected) if expected.is_held_as(&State::of_snapshot(&snapshot), highest_ms) => Ok(()),
                Some(expected) => Err(format!(
                    "node {number} is not what the model is at {revision:?}: {:?} instead of {expected:?}",
                    State::of_snapshot(&snapshot)
                )),
                None => Err(format!("node {number} is at {revision:?}, which was never committed")),
            });
        }
    }

    /// Another life of a node begins.
    fn start(self: &Arc<World>, number: usize) {
        let link = {
            let mut machines = self.machines.lock().unwrap();
            let machine = &mut machines[number];
            machine.link = Link::new(&self.database, &self.time);
            (machine.auth, machine.acknowledged, machine.compared) = (None, Revision(0), None);
            machine.link.clone()
        };
        tokio::spawn(self.clone().live(number, link));
    }

    fn crash(self: &Arc<World>, number: usize, why: &str) {
        {
            let mut machines = self.machines.lock().unwrap();
            // What has crashed already begins another life by itself, and only one.
            if machines[number].link.is_dead() {
                return;
            }
            machines[number].link.die();
            machines[number].auth = None;
        }
        self.tell(|| format!("node {number} crashes: {why}"));
        let world = self.clone();
        tokio::spawn(async move {
            world.time.sleep(world.time.between(10, 2000)).await;
            world.start(number);
        });
    }

    async fn live(self: Arc<World>, number: usize, link: Arc<Link>) {
        let clock = self.machines.lock().unwrap()[number].clock.clone();
        let (world, dying) = (Arc::downgrade(&self), link.clone());
        let on_fatal = move |why: &str| {
            if let Some(world) = world.upgrade().filter(|_| !dying.is_dead()) {
                world.crash(number, why);
            }
        };
        let settings = AuthSettings { max_staleness_ms: Some(MAX_STALENESS_MS), on_fatal: Arc::new(on_fatal), ..small_settings() };
        let auth = loop {
            match Auth::open(link.clone(), settings.clone(), clock.clone(), self.random.clone()).await {
                Ok(auth) => break auth,
                Err(error) => {
                    self.tell(|| format!("node {number} does not start: {error}"));
                    self.time.sleep(300).await;
                }
            }
            if link.is_dead() {
                return;
            }
        };
        if link.is_dead() {
            return;
        }
        self.machines.lock().unwrap()[number].auth = Some(auth.clone());
        self.tell(|| format!("node {number} is up"));
        let (following, of_following) = (auth.clone(), link.clone());
        tokio::spawn(async move {
            let mut count = 0;
            while !of_following.is_dead() {
                count = following.follow_notifications(count).await.0;
            }
        });
        let mut looks = 0_u32;
        while !link.is_dead() {
            let _ = auth.catch_up().await;
            looks += 1;
            // Grants that have ended leave memory, and what was given beyond them stays.
            if looks.is_multiple_of(4) {
                let _ = auth.flush_uses().await;
            }
            self.time.sleep(500).await;
        }
    }

    /// What goes wrong.
    async fn trouble(self: Arc<World>) {
        while self.is_trouble.load(Ordering::SeqCst) {
            self.time.sleep(self.time.between(100, 3000)).await;
            if !self.is_trouble.load(Ordering::SeqCst) {
                return;
            }
            let count = self.machines.lock().unwrap().len();
            let number = usize::try_from(self.time.roll(count as u64)).unwrap();
            let for_ms = self.time.between(100, 9000);
            let link = |number: usize| self.machines.lock().unwrap()[number].link.clone();
            match self.time.roll(12) {
                0..=2 => {
                    self.tell(|| format!("node {number} is cut off for {for_ms} ms"));
                    link(number).cut_for(for_ms);
                }
                3 => {
                    self.tell(|| format!("the database is away for {for_ms} ms"));
                    (0..count).for_each(|number| link(number).cut_for(for_ms));
                }
                4..=5 => self.crash(number, "killed"),
                6..=7 => {
                    let (most_ms, percent) = (self.time.pick(&[5, 50, 400, 1500]), self.time.pick(&[0, 5, 30, 60]));
                    self.tell(|| format!("node {number} is up to {most_ms} ms away and loses {percent} of 100 answers"));
                    link(number).slow_down(most_ms, percent);
                }
                _ => {
                    // Steps of between a minute and 90 days are for an operator to put right, and shut everybody out until then.
                    let steps = [0, 0, 900, -900, 50_000, -30_000, -50_000, -HOUR_MS, -400 * DAY_MS, 100 * DAY_MS];
                    let step_ms = if self.time.roll(20) == 0 { 20 * HOUR_MS } else { self.time.pick(&steps) };
                    self.tell(|| format!("the clock of node {number} is {step_ms} ms off"));
                    self.machines.lock().unwrap()[number].clock.set_offset(step_ms);
                }
            }
        }
    }

    fn heal(&self) {
        self.tell(|| "the trouble is over".to_owned());
        for machine in self.machines.lock().unwrap().iter() {
            machine.clock.set_offset(0);
            machine.link.cut_for(0);
            machine.link.slow_down(5, 0);
        }
    }

    /// What an operator does where a clock that was wrong has been written down.
    async fn accept_time(&self) {
        let behind =
            self.machines.lock().unwrap().iter().find_map(|machine| machine.auth.clone().filter(|auth| auth.clock_behind_ms().is_some()));
        if let Some(auth) = behind {
            self.tell(|| "an operator accepts the time".to_owned());
            let accepted = tokio::spawn(async move { auth.accept_time().await.map(drop) });
            self.until(self.time.now_ms() + 1000).await;
            self.database.check(match accepted.is_finished() {
                true => accepted.await.unwrap().map_err(|error| format!("the time is not accepted: {error}")),
                false => Err("the time is not accepted for a second".to_owned()),
            });
        }
    }

    async fn check_all_is_well(self: &Arc<World>) {
        let (last, state) = self.database.model.lock().unwrap().last();
        let stored = State::of_loaded(&self.database.load().await.unwrap());
        let highest_ms = self.database.model.lock().unwrap().highest_ever_ms;
        self.database.check(if state.is_held_as(&stored, highest_ms) {
            Ok(())
        } else {
            Err("the database is not what was committed".to_owned())
        });
        let count = self.machines.lock().unwrap().len();
        for number in 0..count {
            let auth = self.machines.lock().unwrap()[number].auth.clone();
            let all_is_well =
                auth.is_some_and(|auth| auth.revision() == last && auth.cut_off_ms().is_none() && auth.clock_behind_ms().is_none());
            self.database.check(if all_is_well { Ok(()) } else { Err(format!("node {number} does not recover")) });
            calls::verify(self, number);
        }
        let wrong = || self.database.wrong.lock().unwrap().is_some();
        for number in 0..count {
            if !wrong() {
                let written = tokio::spawn(calls::write(self.clone(), number, true));
                self.until(self.time.now_ms() + 1000).await;
                self.database.check(if written.is_finished() { Ok(()) } else { Err(format!("node {number} takes no change")) });
            }
        }
    }
}
