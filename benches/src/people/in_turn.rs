//! Many who do the same over and over, each when it has done it: how often a second, and what it takes the server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::Line;
use crate::requests::load::at;
use crate::subjects::process;
use crate::subjects::subject::Subject;

/// What was seen.
pub(super) struct Figures {
    /// How often a second.
    pub(super) rate: f64,
    /// CPU of the server each time, milliseconds.
    pub(super) cpu_ms: f64,
    /// Memory pages that the system gave it each time.
    pub(super) faults: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

impl Figures {
    /// The line of a table that says how often, the CPU and the times.
    pub(super) fn line(&self, work: String) -> Line {
        Line {
            work,
            measured: format!("{:.1} a second", self.rate),
            note: format!("{:.2} ms of CPU each; {:.1} ms the median, {:.1} ms p99", self.cpu_ms, self.p50_ms, self.p99_ms),
            bound: None,
        }
    }
}

/// So many at once for so long, against a server. `one` makes what each of them does over and over; it is told how often all together did it before.
pub(super) fn in_turn<F: FnMut(usize) -> Result<()>>(
    subject: &Subject,
    seconds: f64,
    connections: usize,
    one: impl Fn(usize) -> Result<F> + Sync,
) -> Result<Figures> {
    let process = subject.process().context("the server's process is not known")?;
    in_turn_at(process, seconds, connections, one)
}

/// The same against a process and all below it.
pub(super) fn in_turn_at<F: FnMut(usize) -> Result<()>>(
    process: u32,
    seconds: f64,
    connections: usize,
    one: impl Fn(usize) -> Result<F> + Sync,
) -> Result<Figures> {
    let started = AtomicUsize::new(0);
    let (cpu, faults, began) = (process::cpu_us(process)?, process::minor_faults(process)?, Instant::now());
    let until = began + Duration::from_secs_f64(seconds);
    let mut took = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections)
            .map(|number| {
                let (started, one) = (&started, &one);
                scope.spawn(move || -> Result<Vec<Duration>> {
                    let (mut act, mut took) = (one(number)?, Vec::new());
                    while Instant::now() < until {
                        let began = Instant::now();
                        act(started.fetch_add(1, Ordering::Relaxed))?;
                        took.push(began.elapsed());
                    }
                    Ok(took)
                })
            })
            .collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| anyhow!("a person panicked"))??);
        }
        Ok::<_, anyhow::Error>(all)
    })?;
    let (done, span) = (took.len().max(1) as f64, began.elapsed().as_secs_f64());
    took.sort_unstable();
    Ok(Figures {
        rate: done / span,
        cpu_ms: process::cpu_us(process)?.saturating_sub(cpu) as f64 / 1e3 / done,
        faults: process::minor_faults(process)?.saturating_sub(faults) as f64 / done,
        p50_ms: at(&took, 0.5) / 1e3,
        p99_ms: at(&took, 0.99) / 1e3,
    })
}
