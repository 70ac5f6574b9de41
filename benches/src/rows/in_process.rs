//! The decisions without HTTP: the median of many short runs.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{ALL, wanted};
use crate::in_process::workload;
use crate::load::at;
use crate::options::Options;
use crate::report::{Outcome, Report};

/// A run is at least this long, so that the clock's own cost does not show.
const RUN: Duration = Duration::from_millis(5);
/// Runs of which the median is taken.
const RUNS: usize = 41;

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    // Which workload, and how many of the row's unit a microsecond is.
    let rows = [
        ("in-process-verify", "verify-plain", 1.0),
        ("in-process-verify-temporary", "verify-temporary", 1.0),
        ("in-process-resolver-10k", "resolver-10k", 1e-3),
        ("in-process-resolver-real16", "resolver-real16", 1e-3),
    ];
    for (id, name, scale) in rows {
        if ALL.iter().any(|row| row.id == id && wanted(options, row)) {
            let outcome = Outcome::figure(id, median_us(&mut workload(name)?.run) * scale);
            eprintln!("   {id}: {:.3}", outcome.figure.clone().unwrap_or_default());
            report.add(true, outcome);
        }
    }
    Ok(())
}

fn median_us(run: &mut dyn FnMut()) -> f64 {
    let mut rounds = 1_u32;
    loop {
        let began = Instant::now();
        (0..rounds).for_each(|_| run());
        if began.elapsed() >= RUN {
            break;
        }
        rounds *= 2;
    }
    let mut took: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            (0..rounds).for_each(|_| run());
            began.elapsed() / rounds
        })
        .collect();
    took.sort_unstable();
    at(&took, 0.5)
}
