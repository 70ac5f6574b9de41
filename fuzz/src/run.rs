//! The driver: inputs, one after the other, until a time is over or one of them fails.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Result;
use fastrand::Rng;

use crate::targets::{Outcome, Target};
use crate::{corpus, mutate};

/// Inputs that are kept beside the committed ones at most.
const KEPT: usize = 2_000;

/// What was tried.
pub struct Tried {
    /// How many inputs.
    pub inputs: u64,
    /// How many different outcomes there were.
    pub outcomes: usize,
    /// The longest that one input took.
    pub longest: Duration,
}

/// An input for which the target failed.
pub struct Found {
    /// Where it was written to, so that it is replayed from now on.
    pub file: PathBuf,
    /// What was asserted.
    pub why: String,
}

/// Tries inputs for `time`. The same seed makes the same inputs. Errors: the corpus can't be read or written.
pub fn run(target: &Target, seed: u64, time: Duration) -> Result<Result<Tried, Found>> {
    let mut rng = Rng::with_seed(seed);
    let mut kept: Vec<Vec<u8>> = corpus::read(target.name)?.into_iter().map(|input| input.bytes).collect();
    let mut outcomes: BTreeSet<Outcome> = BTreeSet::new();
    let mut tried = Tried { inputs: 0, outcomes: 0, longest: Duration::ZERO };
    let committed = kept.len();
    let until = Instant::now() + time;
    let mut next = 0;
    while Instant::now() < until {
        let bytes = match kept.get(next).filter(|_| next < committed) {
            Some(bytes) => bytes.clone(),
            None => {
                let (one, other) = (rng.usize(0..kept.len()), rng.usize(0..kept.len()));
                let empty = Vec::new();
                mutate::mutate(&mut rng, kept.get(one).unwrap_or(&empty), kept.get(other).unwrap_or(&empty))
            }
        };
        next += 1;
        let began = Instant::now();
        match try_one(target, &bytes) {
            Ok(outcome) => {
                if outcomes.insert(outcome) && next > committed && kept.len() < KEPT {
                    kept.push(bytes);
                }
            }
            Err(why) => return Ok(Err(Found { file: corpus::keep(target.name, &bytes)?, why })),
        }
        tried.inputs += 1;
        tried.longest = tried.longest.max(began.elapsed());
    }
    tried.outcomes = outcomes.len();
    Ok(Ok(tried))
}

/// The outcome, or what the target panicked with.
fn try_one(target: &Target, bytes: &[u8]) -> Result<Outcome, String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        text.unwrap_or("it panicked").to_owned()
    })
}
