//! Many connections at once.

use std::sync::Barrier;
use std::time::Instant;

use anyhow::{Context, Result};

use super::Stage;
use super::verifying::plain;
use crate::data::data_set::CLIENT;
use crate::figures::report::Outcome;
use crate::requests::connection::Connection;

const CONNECTIONS: usize = 1_024;
/// Threads that only wait need little.
const STACK: usize = 256 * 1024;

pub(super) fn measure(stage: &mut Stage<'_>) -> Result<()> {
    if !stage.wants("arrival-1024") {
        return Ok(());
    }
    let pool = plain(&stage.subject.api, stage.keys(CLIENT)?)?;
    let address = stage.subject.api.address.as_str();
    let ready = Barrier::new(CONNECTIONS + 1);
    let seconds = std::thread::scope(|scope| -> Result<f64> {
        let mut threads = Vec::with_capacity(CONNECTIONS);
        for request in pool.requests.iter().cycle().take(CONNECTIONS) {
            let (ready, pool) = (&ready, &pool);
            let arrive = move || -> Result<()> {
                ready.wait();
                pool.check(&Connection::open(address)?.exchange(request)?)
            };
            threads.push(std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, arrive)?);
        }
        ready.wait();
        let began = Instant::now();
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a connection's thread panicked"))?.context("one of 1,024 connections")?;
        }
        Ok(began.elapsed().as_secs_f64())
    })?;
    stage.add(Outcome::figure("arrival-1024", seconds).noting("each connects, asks once and is answered"));
    Ok(())
}
