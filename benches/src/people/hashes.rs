//! Hashes alone, by the library that Falconer has, at the cost that accounts have by default: alone and two at the same time, in memory that is kept, in memory
//! that the system gives anew, and in such memory that is overwritten afterwards, as Falconer's is. So each part of what a sign-in takes is seen by itself.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize as _;

use super::accounts::PASSWORD;
use super::{Line, Options};
use crate::subjects::process;

/// As accounts have it by default.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Above what allocators keep for later (`login/src/accounts/password.rs`).
const ROOM: usize = 33 * 1024;

/// What becomes of the memory of a hash.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    Kept,
    Fresh,
    /// Fresh, and overwritten afterwards.
    Overwritten,
}

/// Milliseconds of CPU of one hash in memory that is kept.
pub(super) struct Floors {
    pub(super) alone_ms: f64,
    pub(super) two_ms: f64,
}

pub(super) fn measure(options: &Options) -> Result<(Floors, Vec<Line>)> {
    let mut lines = Vec::new();
    let mut kept_ms = [0.0; 2];
    for (at, kept) in kept_ms.iter_mut().enumerate() {
        for memory in [Memory::Kept, Memory::Fresh, Memory::Overwritten] {
            let (cpu_ms, faults) = hashes(at + 1, memory, options.seconds / 2.0)?;
            if memory == Memory::Kept {
                *kept = cpu_ms;
            }
            let which = match memory {
                Memory::Kept => "memory that is kept",
                Memory::Fresh => "fresh memory",
                Memory::Overwritten => "fresh memory that is overwritten afterwards",
            };
            lines.push(Line {
                work: format!("a hash and nothing else, {}, in {which}", if at == 0 { "alone" } else { "two at once" }),
                measured: format!("{cpu_ms:.1} ms of CPU each"),
                note: format!("{faults:.0} pages of memory"),
                bound: None,
            });
        }
    }
    let [alone_ms, two_ms] = kept_ms;
    Ok((Floors { alone_ms, two_ms }, lines))
}

/// CPU in milliseconds, and pages, of each of as many hashes as fit into so many seconds.
fn hashes(threads: usize, memory: Memory, seconds: f64) -> Result<(f64, f64)> {
    let own = std::process::id();
    let faults = process::minor_faults(own)?;
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let (done, ns) = std::thread::scope(|scope| {
        let hashing: Vec<_> = (0..threads).map(|_| scope.spawn(move || one_after_the_other(memory, until))).collect();
        let mut sum = (0, 0);
        for thread in hashing {
            let (done, ns) = thread.join().map_err(|_| anyhow!("a hash panicked"))??;
            sum = (sum.0 + done, sum.1 + ns);
        }
        Ok::<_, anyhow::Error>(sum)
    })?;
    let done = f64::from(done.max(1));
    Ok((ns as f64 / 1e6 / done, process::minor_faults(own)?.saturating_sub(faults) as f64 / done))
}

/// How many, and the CPU of this thread in nanoseconds.
fn one_after_the_other(memory: Memory, until: Instant) -> Result<(u32, u64)> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| anyhow!("{error}"))?;
    let blocks = params.block_count();
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (mut room, mut done, mut out) = (Vec::new(), 0, [0; 32]);
    let began = own_cpu_ns()?;
    while Instant::now() < until || done == 0 {
        if memory != Memory::Kept || done == 0 {
            room = Vec::with_capacity(ROOM);
            room.resize(blocks, Block::default());
        }
        let hashed = argon.hash_password_into_with_memory(PASSWORD.as_bytes(), b"a salt of a few bytes", &mut out, &mut room);
        hashed.map_err(|error| anyhow!("{error}"))?;
        if memory == Memory::Overwritten {
            room.iter_mut().zeroize();
        }
        done += 1;
    }
    Ok((done, own_cpu_ns()?.saturating_sub(began)))
}

fn own_cpu_ns() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").context("this needs /proc")?;
    text.split_whitespace().next().and_then(|field| field.parse().ok()).context("no CPU time in /proc/thread-self/schedstat")
}
