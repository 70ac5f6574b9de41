//! A load of ready-made requests over keep-alive connections, in a closed or an open loop.
//!
//! Closed: each connection sends its next request when it has the answer to the last. Open: requests are due at a fixed rate, whatever the
//! server does, and latencies count from the time at which a request was due: a server that stalls has to answer for all that were due
//! meanwhile (no coordinated omission). One thread a connection: what waits is woken by the kernel, not by a timer of ours.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::requests::connection::Connection;
use crate::requests::pool::Pool;
use crate::subjects::process;

/// How a server is driven.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Keep-alive connections.
    pub connections: usize,
    /// Seconds that count. As long as that, but at most a second, is driven before and not counted.
    pub seconds: f64,
    /// Requests a second of an open loop; none for a closed one.
    pub rate: Option<f64>,
}

/// What a load showed.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Requests that were answered while it counted.
    pub requests: u64,
    /// Of them a second.
    pub rate: f64,
    /// CPU of the server for each request, microseconds; none where the server's process is not known.
    pub cpu_us: Option<f64>,
    /// Median latency, microseconds.
    pub p50_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
    /// Longest.
    pub max_us: f64,
    /// Resident memory under load, KiB.
    pub resident_kib: Option<u64>,
}

/// One answer, in times since the start.
struct Sample {
    /// When the request was sent, or due.
    from: Duration,
    /// When the answer was there.
    to: Duration,
}

struct Shared<'a> {
    address: &'a str,
    pool: &'a Pool,
    load: Load,
    warm: Duration,
    ready: Barrier,
    stop: AtomicBool,
    failed: AtomicBool,
    next: AtomicUsize,
    working: AtomicUsize,
}

/// Drives the server at `address`, whose process (and all below it) is `process`.
pub fn drive(address: &str, process: Option<u32>, pool: &Pool, load: Load) -> Result<Figures> {
    if pool.requests.is_empty() || load.connections == 0 {
        bail!("nothing to send");
    }
    let warm = Duration::from_secs_f64(load.seconds.min(1.0));
    let shared = Shared {
        address,
        pool,
        load,
        warm,
        ready: Barrier::new(load.connections + 1),
        stop: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        next: AtomicUsize::new(0),
        working: AtomicUsize::new(load.connections),
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..load.connections)
            .map(|number| {
                scope.spawn({
                    let shared = &shared;
                    move || connection(shared, number)
                })
            })
            .collect();
        shared.ready.wait();
        let began = Instant::now();
        let cpu = || process.map(process::cpu_us).transpose();
        shared.sleep(warm);
        let (from, cpu_from) = (began.elapsed(), cpu()?);
        shared.sleep(Duration::from_secs_f64(load.seconds));
        let (to, cpu_to) = (began.elapsed(), cpu()?);
        let resident_kib = process.map(process::resident_kib).transpose()?;
        shared.stop.store(true, Ordering::Relaxed);
        let (mut took, mut requests) = (Vec::new(), 0);
        for thread in threads {
            for sample in thread.join().map_err(|_| anyhow::anyhow!("a connection's thread panicked"))?? {
                // What the server did while it counted, and how long those waited that came while it counted.
                requests += u64::from(sample.to >= from && sample.to < to);
                if sample.from >= from && sample.from < to {
                    took.push(sample.to - sample.from);
                }
            }
        }
        figures(took, requests, to - from, cpu_from.zip(cpu_to).map(|(from, to)| to.saturating_sub(from)), resident_kib)
    })
}

fn figures(mut took: Vec<Duration>, requests: u64, span: Duration, cpu_us: Option<u64>, resident_kib: Option<u64>) -> Result<Figures> {
    if took.is_empty() || requests == 0 {
        bail!("no answer came while it counted: give it more seconds");
    }
    took.sort_unstable();
    Ok(Figures {
        requests,
        rate: requests as f64 / span.as_secs_f64(),
        cpu_us: cpu_us.map(|cpu| cpu as f64 / requests as f64),
        p50_us: at(&took, 0.50),
        p99_us: at(&took, 0.99),
        max_us: at(&took, 1.0),
        resident_kib,
    })
}

/// The value below which this share of the sorted durations lies, microseconds.
pub fn at(sorted: &[Duration], share: f64) -> f64 {
    let index = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(index).map(|took| took.as_secs_f64() * 1e6).unwrap_or_default()
}

impl Shared<'_> {
    /// Waits, but not for connections that have all ended.
    fn sleep(&self, time: Duration) {
        let end = Instant::now() + time;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            if self.working.load(Ordering::Relaxed) == 0 {
                return;
            }
            std::thread::sleep(left.min(Duration::from_millis(10)));
        }
    }
}

fn connection(shared: &Shared<'_>, number: usize) -> Result<Vec<Sample>> {
    let opened = Connection::open(shared.address);
    shared.ready.wait();
    let samples = opened.and_then(|connection| exchanges(shared, number, connection));
    if samples.is_err() {
        shared.stop.store(true, Ordering::Relaxed);
        shared.failed.store(true, Ordering::Relaxed);
    }
    shared.working.fetch_sub(1, Ordering::Relaxed);
    samples
}

fn exchanges(shared: &Shared<'_>, number: usize, mut connection: Connection) -> Result<Vec<Sample>> {
    let start = Instant::now();
    let end = start + shared.warm + Duration::from_secs_f64(shared.load.seconds);
    let mut samples = Vec::with_capacity(50_000);
    for at in (number..).step_by(shared.load.connections) {
        let due = shared.load.rate.map(|rate| start + Duration::from_secs_f64(at as f64 / rate));
        if let Some(wait) = due.and_then(|due| due.checked_duration_since(Instant::now())) {
            std::thread::sleep(wait);
        }
        // What is due before the end is sent, however late the server lets it be.
        let over = due.map_or_else(|| shared.stop.load(Ordering::Relaxed), |due| due >= end || shared.failed.load(Ordering::Relaxed));
        if over {
            break;
        }
        let requests = &shared.pool.requests;
        let request = if shared.pool.once {
            let Some(request) = requests.get(shared.next.fetch_add(1, Ordering::Relaxed)) else { break };
            request
        } else {
            requests.get(at % requests.len()).context("an empty pool")?
        };
        let began = due.unwrap_or_else(Instant::now);
        shared.pool.check(&connection.exchange(request)?)?;
        samples.push(Sample { from: began.saturating_duration_since(start), to: start.elapsed() });
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let took: Vec<Duration> = (1..=100).map(Duration::from_micros).collect();
        assert_eq!([at(&took, 0.5), at(&took, 0.99), at(&took, 1.0)].map(f64::round), [50.0, 99.0, 100.0]);
        assert_eq!(at(&[], 0.5), 0.0);
    }

    #[test]
    fn an_open_loop_counts_from_when_a_request_was_due() {
        // A server that stalls half a second once: every request that was due meanwhile waited.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 1024];
            for number in 0.. {
                if std::io::Read::read(&mut stream, &mut buffer).unwrap_or(0) == 0 {
                    return;
                }
                if number == 120 {
                    std::thread::sleep(Duration::from_millis(500));
                }
                if std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_err() {
                    return;
                }
            }
        });
        let pool = Pool::new(vec![b"GET / HTTP/1.1\r\n\r\n".to_vec()], "ok");
        let load = Load { connections: 1, seconds: 1.0, rate: Some(100.0) };
        let figures = drive(&address, None, &pool, load).unwrap();
        assert!(figures.max_us >= 450_000.0, "{figures:?}");
        // A closed loop would have met the stall once; here about fifty requests were due in it.
        assert!(figures.p50_us < figures.p99_us && figures.p99_us >= 200_000.0, "{figures:?}");
    }
}
