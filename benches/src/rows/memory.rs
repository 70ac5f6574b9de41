//! Resident memory idle, and the start with many clients.

use std::time::Duration;

use anyhow::Result;

use super::Stage;
use crate::data::data_set::{DataSet, SEED, Shape, synthetic_clients};
use crate::figures::report::Outcome;

/// Clients of the large set.
const LARGE: usize = 100_000;
/// Clients on demand.
const MILLION: usize = 1_000_000;
/// Clients that are made at a time.
const PART: usize = 100_000;
/// Idle: what a start leaves to be done is done by then.
const SETTLE: Duration = Duration::from_secs(2);

/// Before any load.
pub(super) fn idle(stage: &mut Stage<'_>) -> Result<()> {
    if stage.wants("memory-small") {
        if stage.subject.can_restart() {
            stage.subject.restart(&[])?;
        }
        resident(stage, "memory-small");
    }
    Ok(())
}

/// Adds clients until there are 100,000, then (on demand) a million. Changes the set, so it comes last.
pub(super) fn large(stage: &mut Stage<'_>) -> Result<()> {
    if stage.shape != Shape::TenThousand || !["start", "memory-large", "memory-million"].iter().any(|id| stage.wants(id)) {
        return Ok(());
    }
    add_clients(stage, 10_000, LARGE)?;
    restart(stage, "start")?;
    if stage.wants("memory-large") {
        resident(stage, "memory-large");
    }
    if stage.wants("memory-million") {
        add_clients(stage, LARGE, MILLION)?;
        if stage.subject.can_restart() {
            stage.subject.restart(&[])?;
        }
        resident(stage, "memory-million");
    }
    Ok(())
}

/// In parts, so that a million of them are never in the memory of this process at once.
fn add_clients(stage: &mut Stage<'_>, from: usize, to: usize) -> Result<()> {
    for first in (from..to).step_by(PART) {
        let mut random = fastrand::Rng::with_seed(SEED ^ first as u64);
        let clients = synthetic_clients(PART.min(to - first), first, 10_000, &mut random);
        crate::data::load_data::load(&stage.subject.api, &DataSet { roles: Vec::new(), clients })?;
    }
    Ok(())
}

fn restart(stage: &mut Stage<'_>, id: &'static str) -> Result<()> {
    if !stage.subject.can_restart() {
        if stage.wants(id) {
            stage.add(Outcome::none(id, "a server that runs already is not restarted"));
        }
        return Ok(());
    }
    // Of three, so that a cold cache of the operating system does not decide.
    let mut took: Vec<f64> = Vec::new();
    for _ in 0..3 {
        took.push(stage.subject.restart(&[])?.as_secs_f64());
    }
    took.sort_unstable_by(f64::total_cmp);
    if stage.wants(id) {
        stage.add(Outcome::figure(id, took.get(1).copied().unwrap_or_default()).noting(format!("median of {took:.2?}")));
    }
    Ok(())
}

fn resident(stage: &mut Stage<'_>, id: &'static str) {
    std::thread::sleep(SETTLE);
    let figure = match stage.subject.resident_mb() {
        Ok(resident) => Outcome::figure(id, resident),
        Err(why) => Outcome::none(id, why.to_string()),
    };
    stage.add(figure);
}
