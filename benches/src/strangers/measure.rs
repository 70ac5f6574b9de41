//! One kind: a fresh server, the requests, and what they took.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, anyhow, bail};

use super::Options;
use super::kinds::{self, Kind};
use crate::requests::connection::Connection;
use crate::subjects::process;
use crate::subjects::subject::Subject;

/// What the requests of a kind took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    pub(super) status: u16,
    /// Bytes of one request.
    pub(super) sent: usize,
    pub(super) cpu_ms: f64,
    pub(super) peak_mb: f64,
}

pub(super) fn of(options: &Options, kind: &Kind) -> Result<Cost> {
    let subject = Subject::of_binary(&options.binary)?;
    (kind.prepare)(&subject.api)?;
    let process = subject.process().context("the server's process is not known")?;
    // What is made once, and what the allocator keeps of any load, is there before anything counts.
    let plain = (0..options.requests.min(200)).map(|at| kinds::plain(&subject.api, at)).collect::<Result<Vec<_>>>()?;
    send(options, &subject.api.address, &plain, kinds::PLAIN_STATUS)?;
    let requests = (0..options.requests).map(|at| (kind.request)(&subject.api, at)).collect::<Result<Vec<_>>>()?;
    let before = process::cpu_ns(process)?;
    send(options, &subject.api.address, &requests, kind.status)?;
    let cpu_ms = process::cpu_ns(process)?.saturating_sub(before) as f64 / 1e6;
    Ok(Cost { status: kind.status, sent: requests.first().map_or(0, Vec::len), cpu_ms, peak_mb: subject.peak_mb()? })
}

/// Sends all of them, over as many connections as there are to be.
fn send(options: &Options, address: &str, requests: &[Vec<u8>], expected: u16) -> Result<()> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..options.connections.max(1)).map(|_| scope.spawn(|| send_each(address, requests, &next, expected))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a sender panicked"))?)
    })
}

fn send_each(address: &str, requests: &[Vec<u8>], next: &AtomicUsize, expected: u16) -> Result<()> {
    let mut connection = None;
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        let mut open = match connection.take() {
            Some(open) => open,
            None => Connection::open(address)?,
        };
        match open.exchange(request) {
            Ok(answer) if answer.status != expected => {
                bail!("answered {} instead of {expected}: {}", answer.status, String::from_utf8_lossy(&answer.content()))
            }
            Ok(answer) => {
                let closes = answer.headers("connection").iter().any(|value| value.eq_ignore_ascii_case("close"));
                connection = (!closes && !is_large(request)).then_some(open);
            }
            // The server has answered and closed while it was still being sent.
            Err(_) if is_large(request) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the body may not be read to its end, so that the server closes after its answer.
fn is_large(request: &[u8]) -> bool {
    request.len() > 64 * 1024
}
