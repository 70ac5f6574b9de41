//! The decisions without HTTP: the median of many short runs.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{ALL, wanted};
use crate::data::data_set::Shape;
use crate::figures::report::{Outcome, Report};
use crate::in_process::{resolver_runs, workload};
use crate::options::Options;
use crate::requests::load::at;

/// A run is at least this long, so that the clock's own cost does not show.
const RUN: Duration = Duration::from_millis(5);
/// Runs of which the median is taken.
const RUNS: usize = 41;

pub(super) fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let mut add = |id: &'static str, figure: &dyn Fn() -> Result<f64>| -> Result<()> {
        if ALL.iter().any(|row| row.id == id && wanted(options, row)) {
            let outcome = Outcome::figure(id, figure()?);
            eprintln!("   {id}: {:.3}", outcome.figure.clone().unwrap_or_default());
            report.add(true, outcome);
        }
        Ok(())
    };
    add("in-process-verify", &|| Ok(median_us(&mut workload("verify-plain")?.run)))?;
    add("in-process-verify-temporary", &|| Ok(median_us(&mut workload("verify-temporary")?.run)))?;
    add("in-process-verify-real16", &|| Ok(median_us(&mut workload("verify-real16")?.run)))?;
    add("in-process-resolver-10k", &|| Ok(resolver_ms(Shape::TenThousand)))?;
    add("in-process-resolver-real16", &|| Ok(resolver_ms(Shape::Real16)))
}

fn resolver_ms(shape: Shape) -> f64 {
    let mut took = resolver_runs(shape, RUNS);
    took.sort_unstable();
    at(&took, 0.5) / 1e3
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
