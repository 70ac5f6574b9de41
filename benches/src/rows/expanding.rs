//! expandScopes: lists that were expanded before, and lists that never were.

use anyhow::Result;

use super::Stage;
use crate::data::data_set::{EXPANDER, SEED, Shape, hundred_scopes};
use crate::figures::report::Outcome;
use crate::requests::pool::{ENCODINGS, expand_scopes};

/// Lists that come again and again.
const WARM: usize = 16;
/// Lists that come once. The load ends when they are used up.
const COLD: usize = 20_000;

/// How much the lists may take where the most is measured: by default that depends on the machine.
const BOUNDED: &str = "cache_mib = 64";

pub(super) fn measure(stage: &mut Stage<'_>) -> Result<()> {
    let (warm, cold, roles) = match stage.shape {
        Shape::Thousand => ("expand-1k-warm", "expand-1k-cold", 1_000),
        Shape::TenThousand => ("expand-10k-warm", "expand-10k-cold", 10_000),
        _ => return Ok(()),
    };
    let api = stage.subject.api.with(stage.keys(EXPANDER)?);
    let mut random = fastrand::Rng::with_seed(SEED);
    let lists: Vec<Vec<String>> = (0..WARM).map(|_| hundred_scopes(roles, &mut random)).collect();
    // What compressing the answer takes shows in the difference.
    for (id, encoding) in [(warm, ENCODINGS), ("expand-1k-identity", "identity")] {
        if stage.wants(id) {
            let outcome = stage.cpu_row(id, &expand_scopes(&api, encoding, &lists, false)?)?;
            stage.add(outcome);
        }
    }
    let highest = stage.wants("memory-cold");
    if stage.wants(cold) || highest {
        if highest && stage.subject.ours {
            stage.subject.restart_configured(BOUNDED)?;
        } else if highest && stage.subject.can_restart() {
            stage.subject.restart(&[])?;
        }
        let api = stage.subject.api.with(stage.keys(EXPANDER)?);
        let lists: Vec<Vec<String>> = (0..COLD).map(|_| hundred_scopes(roles, &mut random)).collect();
        let outcome = stage.cpu_row(cold, &expand_scopes(&api, ENCODINGS, &lists, true)?)?;
        let note = format!("{}; a list that was never asked for before", outcome.note);
        if stage.wants(cold) {
            stage.add(outcome.noting(note));
        }
        if highest {
            let figure = match stage.subject.peak_mb() {
                Ok(peak) => Outcome::figure("memory-cold", peak),
                Err(why) => Outcome::none("memory-cold", why.to_string()),
            };
            stage.add(figure.noting(format!("up to {COLD} different lists since the start, with `{BOUNDED}`")));
            if stage.subject.ours {
                stage.subject.restart_configured("")?;
            }
        }
    }
    Ok(())
}
