//! Whether a second worker costs: locks that all requests share would show.

use anyhow::Result;

use super::Stage;
use super::verifying::plain;
use crate::data::data_set::CLIENT;
use crate::figures::report::Outcome;

pub(super) fn measure(stage: &mut Stage<'_>) -> Result<()> {
    const ID: &str = "workers-2";
    if !stage.wants(ID) {
        return Ok(());
    }
    if !stage.subject.ours {
        stage.add(Outcome::none(ID, "how another server is told its number of workers is not known"));
        return Ok(());
    }
    let mut cpu = [0.0; 2];
    for (workers, figure) in [("1", 0), ("2", 1)] {
        // What the runtime of the binary reads.
        stage.subject.restart(&[("TOKIO_WORKER_THREADS", workers)])?;
        let pool = plain(&stage.subject.api, stage.keys(CLIENT)?)?;
        let figures = stage.drive(&pool, stage.load())?;
        if let (Some(slot), Some(us)) = (cpu.get_mut(figure), figures.cpu_us) {
            *slot = us;
        }
    }
    stage.subject.restart(&[])?;
    let [one, two] = cpu;
    stage.add(Outcome::figure(ID, two / one).noting(format!("{one:.2} us with one, {two:.2} us with two")));
    Ok(())
}
