//! Runs of nodes over one database, in which things go wrong in an order that a seed says: nodes crash, answers are lost or late, ways are cut, clocks are stepped.
//!
//! | file | what is in it |
//! |---|---|
//! | `time` | time that moves when nothing else can, and the order of those who wake up at one moment |
//! | `link` | what lies between a node and the database |
//! | `database` | the real store in memory, and faults that can be planted in it |
//! | `model` | what the committed writes come to, by the plainest rules |
//! | `calls` | what callers do, and what must hold of each answer |
//! | `people` | the same for people and their grants |
//! | `world` | the nodes, the trouble, and what must hold in the end |
//!
//! Everything is on one thread, and whatever has a choice takes it from the seed. So a run is repeated by its number: `FALCONER_SIMULATION_SEED=17` prints all that
//! happens in it.

mod calls;
mod database;
mod link;
mod model;
mod people;
mod time;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{environment, number};
use database::Planted;
use world::run;

/// How many runs; `FALCONER_SIMULATIONS` says otherwise, for a soak. They begin at seed 1, or at `FALCONER_FIRST_SEED`, so that a long soak can be done in parts.
const RUNS: u64 = 100;

/// The seeds that the environment asks for.
fn seeds(variable: impl Fn(&str) -> Option<String>) -> std::ops::Range<u64> {
    let first = number(&variable, "FALCONER_FIRST_SEED", 1);
    first..first + number(&variable, "FALCONER_SIMULATIONS", RUNS)
}

/// Runs these seeds on as many threads as there are processors, until one of them finds something.
fn first_wrong(seeds: std::ops::Range<u64>, planted: Option<Planted>) -> Option<(u64, String)> {
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
    let next = AtomicU64::new(seeds.start);
    let found = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while found.lock().unwrap().is_none() {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end {
                        return;
                    }
                    if let Some(text) = run(seed, planted, false).wrong {
                        found.lock().unwrap().get_or_insert((seed, text));
                    }
                }
            });
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn whatever_goes_wrong_every_answer_is_true() {
    if let Some(seed) = std::env::var("FALCONER_SIMULATION_SEED").ok().and_then(|text| text.parse().ok()) {
        let outcome = run(seed, None, true);
        println!("{}", outcome.story.join("\n"));
        assert_eq!(outcome.wrong, None, "seed {seed}");
        return;
    }
    let seeds = seeds(environment);
    let (first, runs) = (seeds.start, seeds.end - seeds.start);
    if let Some((seed, text)) = first_wrong(seeds, None) {
        panic!("FALCONER_SIMULATION_SEED={seed} shows it: {text}");
    }
    println!("{runs} runs, from seed {first} on");
}

#[test]
fn a_soak_is_done_in_parts() {
    let part = |first: Option<&str>, runs: Option<&str>| {
        let values = [("FALCONER_FIRST_SEED", first), ("FALCONER_SIMULATIONS", runs)];
        seeds(|name| values.iter().find(|(each, _)| *each == name).and_then(|(_, value)| value.map(str::to_owned)))
    };
    assert_eq!(part(None, None), 1..101);
    assert_eq!(part(None, Some("5000")), 1..5001);
    assert_eq!(part(Some("5001"), Some("5000")), 5001..10001);
    assert!(std::panic::catch_unwind(|| part(None, Some("5,000"))).is_err());
}

#[test]
fn a_seed_is_the_same_run_each_time() {
    for seed in 1..6 {
        let (first, second) = (run(seed, None, true), run(seed, None, true));
        assert_eq!(first.story, second.story, "seed {seed}");
        assert_eq!(first.fingerprint, second.fingerprint);
        assert!(first.story.len() > 20, "seed {seed}: {:?}", first.story);
    }
    assert_ne!(run(1, None, false).fingerprint, run(2, None, false).fingerprint);
}

/// A simulation that finds nothing in what is broken shows nothing of what is whole.
#[test]
fn planted_faults_are_found() {
    for (planted, within) in [
        (Planted::SkipsAChange, 20),
        (Planted::AppliesOutOfOrder, 20),
        (Planted::SkipsWhatWasGivenBeyond, 60),
        (Planted::AcknowledgesBeforeCommit, 20),
        (Planted::CallsUnknownNotDone, 60),
        (Planted::TakesStaleSteps, 60),
        (Planted::NamesAnotherRevision, 60),
        (Planted::AnswersForTheDatabase, 60),
        (Planted::MeasuresByTheWallClock, 60),
    ] {
        let found = first_wrong(1..within + 1, Some(planted));
        assert!(found.is_some(), "{planted:?} is not found in {within} runs");
        println!("{planted:?}: {found:?}");
    }
}
