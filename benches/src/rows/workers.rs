//! Whether a second worker costs: locks that all requests share would show.

use anyhow::{Context, Result};

use super::Stage;
use super::verifying::plain;
use crate::data::data_set::CLIENT;
use crate::figures::report::Outcome;
use crate::requests::load::Load;
use crate::requests::turns::TURNS;

pub(super) fn measure(stage: &mut Stage<'_>) -> Result<()> {
    const ID: &str = "workers-2";
    if !stage.wants(ID) {
        return Ok(());
    }
    if !stage.subject.ours {
        stage.add(Outcome::none(ID, "how another server is told its number of workers is not known"));
        return Ok(());
    }
    let load = stage.load();
    let load = Load { seconds: load.seconds / TURNS as f64, ..load };
    let mut sums = [(0.0, 0); 2];
    for _ in 0..TURNS {
        for (workers, (cpu, requests)) in ["1", "2"].into_iter().zip(&mut sums) {
            // What the runtime of the binary reads.
            stage.subject.restart(&[("TOKIO_WORKER_THREADS", workers)])?;
            let pool = plain(&stage.subject.api, stage.keys(CLIENT)?)?;
            let figures = stage.drive(&pool, load)?;
            *cpu += figures.cpu_us.context("no CPU time")? * figures.requests as f64;
            *requests += figures.requests;
        }
    }
    stage.subject.restart(&[])?;
    let [one, two] = sums.map(|(cpu, requests)| cpu / requests as f64);
    stage.add(Outcome::figure(ID, two / one).noting(format!("{one:.2} us with one, {two:.2} us with two")));
    Ok(())
}
