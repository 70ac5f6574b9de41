//! A closed loop of ready-made HTTP/1.1 requests over keep-alive connections.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::Server;

/// What one row of the table says.
pub struct Figures {
    /// Requests that were answered.
    pub requests: u64,
    /// Requests a second.
    pub rate: f64,
    /// CPU of the server for each request, in microseconds.
    pub cpu_us: f64,
    /// Latencies in microseconds: median, 99th percentile, longest.
    pub p50_us: u64,
    /// 99th percentile.
    pub p99_us: u64,
    /// Longest.
    pub max_us: u64,
    /// Resident memory afterwards, KiB.
    pub resident_kib: u64,
}

/// Drives `server` for `seconds` after a second that is not counted. `accept` looks at each answer's body once in a while.
pub async fn run(server: &Server, pool: Arc<Vec<Vec<u8>>>, connections: usize, seconds: u32, expect: &'static str) -> Result<Figures> {
    let warm = drive(server, pool.clone(), connections, Duration::from_secs(1), expect).await?;
    drop(warm);
    let before = server.cpu_us()?;
    let began = Instant::now();
    let mut latencies = drive(server, pool, connections, Duration::from_secs(u64::from(seconds)), expect).await?;
    let took = began.elapsed();
    let cpu = server.cpu_us()?.saturating_sub(before);
    latencies.sort_unstable();
    let at = |share: f64| -> u64 {
        let index = ((latencies.len() as f64) * share) as usize;
        latencies.get(index.min(latencies.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    let requests = latencies.len() as u64;
    Ok(Figures {
        requests,
        rate: requests as f64 / took.as_secs_f64(),
        cpu_us: cpu as f64 / requests.max(1) as f64,
        p50_us: at(0.50),
        p99_us: at(0.99),
        max_us: latencies.last().copied().unwrap_or_default(),
        resident_kib: server.resident_kib()?,
    })
}

async fn drive(server: &Server, pool: Arc<Vec<Vec<u8>>>, connections: usize, time: Duration, expect: &'static str) -> Result<Vec<u64>> {
    let end = Instant::now() + time;
    let mut tasks = Vec::new();
    for number in 0..connections {
        let (address, pool) = (server.address.clone(), pool.clone());
        tasks.push(tokio::spawn(async move { connection(&address, &pool, number, connections, end, expect).await }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.append(&mut task.await??);
    }
    Ok(all)
}

async fn connection(address: &str, pool: &[Vec<u8>], first: usize, stride: usize, end: Instant, expect: &str) -> Result<Vec<u64>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::with_capacity(100_000);
    let mut buffer = vec![0_u8; 64 * 1024];
    let mut next = first;
    while Instant::now() < end {
        let request = pool.get(next % pool.len()).context("empty pool")?;
        next += stride;
        let began = Instant::now();
        stream.write_all(request).await?;
        let body = read_answer(&mut stream, &mut buffer).await?;
        latencies.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        // A wrong answer would make the figure worthless, so every one is looked at.
        if !contains(body, expect.as_bytes()) {
            bail!("unexpected answer: {}", String::from_utf8_lossy(body));
        }
    }
    Ok(latencies)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Reads one answer with a content length; returns its body.
pub async fn read_answer<'a>(stream: &mut TcpStream, buffer: &'a mut [u8]) -> Result<&'a [u8]> {
    let mut have = 0;
    loop {
        let free = buffer.get_mut(have..).context("answer too long")?;
        let count = stream.read(free).await?;
        if count == 0 {
            bail!("the server closed the connection");
        }
        have += count;
        let text = buffer.get(..have).unwrap_or_default();
        if let Some(end) = text.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(text.get(..end).unwrap_or_default()).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")).context("no content-length")?;
            let total = end + 4 + length.trim().parse::<usize>()?;
            while have < total {
                let free = buffer.get_mut(have..).context("answer too long")?;
                let count = stream.read(free).await?;
                if count == 0 {
                    bail!("the server closed the connection");
                }
                have += count;
            }
            return buffer.get(end + 4..total).context("answer too long");
        }
    }
}
