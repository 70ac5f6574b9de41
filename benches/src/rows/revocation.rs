//! Revocation: while 64 workers use a credential as fast as they are answered, it is taken away. A request is a violation when it was accepted
//! although its first byte was sent after the acknowledgement of the revocation had been read.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Stage;
use crate::figures::report::Outcome;
use crate::revoking::{Place, What, run};

const WORKERS: usize = 64;

pub(super) fn measure(stage: &mut Stage<'_>) -> Result<()> {
    let (mut rounds, mut violations, mut kinds) = (0, 0, Vec::new());
    for what in What::ALL {
        let id = what.id();
        if !stage.wants(id) && !stage.wants("revocation") {
            continue;
        }
        if what.needs_falconer() && !stage.subject.ours {
            stage.add(Outcome::none(id, "another server has no such call"));
            continue;
        }
        let began = Instant::now();
        let mut kind = what.at(&Place { api: &stage.subject.api, command: &|| stage.subject.command() })?;
        let addresses = [stage.subject.api.address.clone()];
        let seen = run(&addresses, WORKERS, Duration::ZERO, stage.options.revocations, kind.as_mut()).with_context(|| id.to_owned())?;
        if let Some(unavailable) = seen.first_unavailable {
            bail!("{id}: unexpected answer {unavailable}");
        }
        let note = format!(
            "{} rounds, {WORKERS} workers, {} requests after an acknowledgement, {:.1} s",
            stage.options.revocations,
            seen.after,
            began.elapsed().as_secs_f64()
        );
        stage.add(Outcome::figure(id, seen.late as f64).noting(note));
        rounds += stage.options.revocations;
        violations += seen.late;
        kinds.push(id);
    }
    if stage.wants("revocation") {
        stage.add(Outcome::figure("revocation", violations as f64).noting(format!("{rounds} rounds of {}", kinds.join(", "))));
    }
    Ok(())
}
