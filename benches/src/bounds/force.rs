//! How long after a change on one server it is in force on the others, where these have nothing else to do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::nodes::{Follows, Nodes};
use super::{Line, Options};
use crate::data::data_set::NewClient;
use crate::data::load_data::create_client;
use crate::requests::api::{Api, Keys, segment};
use crate::requests::load::at;
use crate::requests::pool::{authenticate_hawk, holds};

/// Between two questions to a server.
const PAUSE: Duration = Duration::from_micros(200);
/// Longer than this nothing is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client is switched off and on, and all other servers are asked about it until they know.
pub(super) fn measure(options: &Options) -> Result<Line> {
    let nodes = Nodes::start(options, Follows::Notified, None)?;
    let (first, others) = nodes.nodes.split_first().context("no servers")?;
    let mut connection = first.api.connect()?;
    let keys = create_client(
        &first.api,
        &mut connection,
        &NewClient { client_id: "bench/force".to_owned(), scopes: vec!["bench:force".to_owned()] },
    )?;
    let (mut since_request, mut since_acknowledgement) = (Vec::new(), Vec::new());
    for round in 0..=options.changes {
        let (word, is_on) = if round % 2 == 0 { ("enable", true) } else { ("disable", false) };
        let is_acknowledged = AtomicBool::new(false);
        let (sent, acknowledged, seen) = std::thread::scope(|scope| {
            let asking: Vec<_> =
                others.iter().map(|node| scope.spawn(|| until_in_force(&node.api, &keys, is_on, &is_acknowledged))).collect();
            let sent = Instant::now();
            let (status, answer) =
                first.api.call(&mut connection, "POST", &format!("/api/auth/v1/clients/{}/{word}", segment(&keys.id)), None)?;
            let acknowledged = Instant::now();
            is_acknowledged.store(true, Ordering::SeqCst);
            if status != 200 {
                bail!("{word} answered {status}: {answer}");
            }
            let seen: Result<Vec<Instant>> = asking.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("it panicked"))?).collect();
            Ok((sent, acknowledged, seen?))
        })?;
        // The first round makes connections, and all know of the client after it.
        if round > 0 {
            since_request.extend(seen.iter().map(|at| at.saturating_duration_since(sent)));
            since_acknowledgement.extend(seen.iter().map(|at| at.saturating_duration_since(acknowledged)));
        }
    }
    let servers = others.len();
    nodes.end()?;
    let ms = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        let ms = |share| format!("{:.2} ms", at(times, share) / 1_000.0);
        format!("{}, {}, {}", ms(0.5), ms(0.99), ms(1.0))
    };
    Ok(Line {
        work: "from the acknowledgement of a change to its force on the other servers (p50, p99, longest)".to_owned(),
        measured: ms(&mut since_acknowledgement),
        note: format!("{} changes, each looked for on {} servers; {} after the request", options.changes, servers, ms(&mut since_request)),
        bound: None,
    })
}

/// When the answer came that the client is on, or off.
fn until_in_force(api: &Api, keys: &Keys, is_on: bool, is_acknowledged: &AtomicBool) -> Result<Instant> {
    let (mut connection, mut random, began) = (api.connect()?, fastrand::Rng::new(), Instant::now());
    loop {
        let answer = connection.exchange(&authenticate_hawk(&api.address, keys, None, &mut random)?)?;
        let at = Instant::now();
        if answer.status == 200 && holds(answer.body(), "auth-success") == is_on {
            return Ok(at);
        }
        if began.elapsed() > PATIENCE {
            let words = if is_acknowledged.load(Ordering::SeqCst) { "is not in force" } else { "was not answered" };
            bail!("a change {words} after {} s: {}", PATIENCE.as_secs(), String::from_utf8_lossy(answer.whole));
        }
        std::thread::sleep(PAUSE);
    }
}
