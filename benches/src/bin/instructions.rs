//! Runs one workload of `in_process::GATED` under callgrind, which counts only what happens inside [`falconer_counted`]:
//!
//! ```text
//! valgrind --tool=callgrind --toggle-collect='*falconer_counted*' instructions verify-plain
//! ```
//!
//! `cargo xtask bench --instructions` does it for all, and compares with `benches/baseline.toml`. Without arguments it prints the names, each with how
//! often it is run.

use anyhow::{Context, Result};
use falconer_benches::in_process::{GATED, workload};

fn main() -> Result<()> {
    let Some(wanted) = std::env::args().nth(1) else {
        for (name, rounds) in GATED {
            println!("{name} {rounds}");
        }
        return Ok(());
    };
    let (name, rounds) = GATED.iter().find(|(name, _)| *name == wanted).with_context(|| format!("there is no workload `{wanted}`"))?;
    let mut workload = workload(name)?;
    falconer_counted(*rounds, &mut workload.run);
    Ok(())
}

/// What callgrind switches itself on for: it must stay a function, and this name must stay in it.
#[inline(never)]
fn falconer_counted(rounds: usize, run: &mut dyn FnMut()) {
    for _ in 0..rounds {
        run();
    }
    // Not a tail call: callgrind is to see the return.
    std::hint::black_box(rounds);
}
