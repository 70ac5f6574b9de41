//! Several servers that are driven in turn: what else a machine does moves from second to second, and weighs on all of them then.

use anyhow::{Context, Result};

use crate::requests::load::{Load, drive};
use crate::requests::pool::Pool;

/// How often each of them has its turn.
pub const TURNS: usize = 5;

/// A server, and what it is asked.
pub struct Driven<'a> {
    /// What its figure is called.
    pub name: &'static str,
    /// `host:port`.
    pub address: &'a str,
    /// Its process.
    pub process: Option<u32>,
    /// What it is asked.
    pub pool: &'a Pool,
}

/// CPU of each for a request, microseconds: all its turns together, which count for as many seconds as the load does.
pub fn in_turn(all: &[Driven<'_>], load: Load) -> Result<Vec<(&'static str, f64)>> {
    let load = Load { seconds: load.seconds / TURNS as f64, ..load };
    let mut sums = vec![(0.0, 0); all.len()];
    for _ in 0..TURNS {
        for (driven, (cpu, requests)) in all.iter().zip(&mut sums) {
            let figures = drive(driven.address, driven.process, driven.pool, load)?;
            *cpu += figures.cpu_us.context("no CPU time")? * figures.requests as f64;
            *requests += figures.requests;
        }
    }
    Ok(all.iter().zip(sums).map(|(driven, (cpu, requests))| (driven.name, cpu / requests as f64)).collect())
}
