//! How long other calls wait while many follow the events of an import: `falconer-bench followers`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

use crate::requests::api::Api;
use crate::requests::load::at;
use crate::requests::pool::{authenticate_hawk, holds};
use crate::subjects::subject::Subject;

/// Longer than this nothing is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two of the other calls.
const PAUSE: Duration = Duration::from_millis(2);

/// The options of `falconer-bench followers`.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "falconer-bench followers", about = "How long other calls wait while many follow the events of an import")]
pub struct Options {
    /// The binary to measure
    #[arg(long, env = "FALCONER_BIN")]
    pub binary: PathBuf,
    /// A PostgreSQL whose user may make databases, to measure with instead of SQLite: postgres://user:password@host:port/database
    #[arg(long)]
    pub postgres: Option<String>,
    /// Who follows; each number has a server of its own
    #[arg(long, value_delimiter = ',', default_values_t = [0, 200])]
    pub followers: Vec<usize>,
    /// Clients of the one import
    #[arg(long, default_value_t = 8_000)]
    pub clients: usize,
    /// Seconds of other calls before the import
    #[arg(long, default_value_t = 3.0)]
    pub seconds: f64,
    /// Where the table goes, besides standard output
    #[arg(long)]
    pub markdown: Option<PathBuf>,
}

/// Measures, prints the table.
pub fn run(options: &Options) -> Result<()> {
    let mut table = format!(
        "| followers | import of {} clients | all have heard | `authenticateHawk` meanwhile: median | p99 | longest | before: median | longest |\n",
        options.clients
    );
    table.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for followers in &options.followers {
        let Seen { imported, received, before, meanwhile } = measure(options, *followers)?;
        let ms = |samples: &[Duration], share| format!("{:.2} ms", at(samples, share) / 1_000.0);
        table.push_str(&format!(
            "| {followers} | {:.2} s | {:.2} s | {} | {} | {} | {} | {} |\n",
            imported.as_secs_f64(),
            received.as_secs_f64(),
            ms(&meanwhile, 0.5),
            ms(&meanwhile, 0.99),
            ms(&meanwhile, 1.0),
            ms(&before, 0.5),
            ms(&before, 1.0)
        ));
    }
    print!("\n{table}");
    if let Some(file) = &options.markdown {
        std::fs::write(file, &table)?;
    }
    Ok(())
}

struct Seen {
    /// From the request of the import to its answer.
    imported: Duration,
    /// From the same moment to the last event at the last follower.
    received: Duration,
    /// How long other calls took, sorted.
    before: Vec<Duration>,
    meanwhile: Vec<Duration>,
}

fn measure(options: &Options, followers: usize) -> Result<Seen> {
    let subject = Subject::of_binary_on(&options.binary, options.postgres.as_deref())?;
    let api = &subject.api;
    let client_id = |number: usize| format!("bench/followed/{number:06}");
    let last = client_id(options.clients.saturating_sub(1));
    let clients: Vec<Value> = (0..options.clients)
        .map(|number| json!({ "clientId": client_id(number), "scopes": ["bench:followed"], "expires": "2100-01-01T00:00:00.000Z", "description": "" }))
        .collect();
    let import =
        api.request("POST", "/api/falconer/v1/import", Some(&json!({ "roles": [], "clients": clients })), &mut fastrand::Rng::new())?;
    let (ready, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..followers).map(|_| scope.spawn(|| follow(api, &last, &ready))).collect();
        let until = Instant::now() + PATIENCE;
        while ready.load(Ordering::Relaxed) < followers {
            if Instant::now() > until || threads.iter().any(|thread| thread.is_finished()) {
                bail!("only {} of {followers} follow", ready.load(Ordering::Relaxed));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let others = scope.spawn(|| other_calls(api, &is_over));
        std::thread::sleep(Duration::from_secs_f64(options.seconds));
        let began = Instant::now();
        let mut connection = api.connect()?;
        let answered = connection.exchange(&import).map(|answer| answer.status);
        let imported = began.elapsed();
        let received: Result<Vec<Instant>> =
            threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a follower panicked"))?).collect();
        is_over.store(true, Ordering::Relaxed);
        let calls = others.join().map_err(|_| anyhow!("the caller panicked"))??;
        if answered? != 200 {
            bail!("the import was refused");
        }
        let received = received?.into_iter().max().map_or(imported, |last| last - began);
        let end = began + received.max(imported);
        let of = |wanted: &dyn Fn(Instant, Instant) -> bool| {
            let mut took: Vec<Duration> = calls.iter().filter(|(sent, took)| wanted(*sent, *sent + *took)).map(|(_, took)| *took).collect();
            took.sort_unstable();
            took
        };
        let (before, meanwhile) = (of(&|_, answered| answered < began), of(&|sent, answered| sent <= end && answered >= began));
        Ok(Seen { imported, received, before, meanwhile })
    })
}

/// Follows until the event of the last client has come; answers when that was.
fn follow(api: &Api, last: &str, ready: &AtomicUsize) -> Result<Instant> {
    let mut stream = TcpStream::connect(&api.address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&api.request("GET", "/api/falconer/v1/events", None, &mut fastrand::Rng::new())?)?;
    let (mut buffer, mut seen, mut is_ready) = (vec![0_u8; 64 * 1024], Vec::new(), false);
    loop {
        let length = stream.read(&mut buffer)?;
        seen.extend_from_slice(buffer.get(..length).filter(|read| !read.is_empty()).context("the stream of events ended")?);
        // The events of one revision come in the order of their names, so that the last one is at the end of what has come.
        let end = seen.split_off(seen.len().saturating_sub(1_024));
        if !is_ready && holds(&[seen.as_slice(), end.as_slice()].concat(), "event: ready") {
            is_ready = true;
            ready.fetch_add(1, Ordering::Relaxed);
        }
        if holds(&end, "event: reset") {
            bail!("a follower has missed something: {}", String::from_utf8_lossy(&end));
        }
        if holds(&end, last) {
            return Ok(Instant::now());
        }
        seen = end;
    }
}

/// What a service asks for each of its requests, one after the other: when it was sent, and how long the answer took.
fn other_calls(api: &Api, is_over: &AtomicBool) -> Result<Vec<(Instant, Duration)>> {
    let (mut connection, mut random, mut calls) = (api.connect()?, fastrand::Rng::new(), Vec::new());
    while !is_over.load(Ordering::Relaxed) {
        let request = authenticate_hawk(&api.address, &api.keys, None, &mut random)?;
        let sent = Instant::now();
        let answer = connection.exchange(&request)?;
        if answer.status != 200 || !holds(answer.body(), "auth-success") {
            bail!("authenticateHawk answered {}", answer.status);
        }
        calls.push((sent, sent.elapsed()));
        std::thread::sleep(PAUSE);
    }
    Ok(calls)
}
