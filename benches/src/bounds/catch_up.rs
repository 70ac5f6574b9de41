//! A server that does not reach the database while very much changes: how long it takes afterwards until it knows all of it, and whether it says anything wrong until then.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::nodes::{Follows, Nodes};
use super::{Line, Options};
use crate::data::data_set::NewClient;
use crate::data::load_data::create_client;
use crate::requests::api::{Api, Keys, segment};
use crate::requests::pool::{authenticate_hawk, holds};

/// Clients of one import.
const BATCH: usize = 5_000;
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(2);
/// Longer than this nothing is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// The way of one server to the database falls silent, one client is disabled and many are made, and the way is free again.
pub(super) fn measure(options: &Options) -> Result<Vec<Line>> {
    let nodes = Nodes::start(options, Follows::Notified, None)?;
    let (there, node) = (&nodes.nodes.first().context("no servers")?.api, nodes.nodes.get(1).context("one server")?);
    let mut connection = there.connect()?;
    let client = |client_id: &str| NewClient { client_id: client_id.to_owned(), scopes: vec!["bench:caught-up".to_owned()] };
    let revoked = create_client(there, &mut connection, &client("bench/caught-up/revoked"))?;
    let _ = until_known(&node.api, &revoked, &revoked)?;
    node.way.fall_silent();
    there.expect("POST", &format!("/api/auth/v1/clients/{}/disable", segment(&revoked.id)), None)?;
    let silent = Instant::now();
    for from in (0..options.missed).step_by(BATCH) {
        let clients: Vec<Value> = (from..options.missed.min(from + BATCH))
            .map(|number| json!({ "clientId": format!("bench/missed/{number:07}"), "scopes": ["bench:missed"], "expires": "2100-01-01T00:00:00.000Z", "description": "" }))
            .collect();
        let (status, answer) =
            there.call(&mut connection, "POST", "/api/falconer/v1/import", Some(&json!({ "roles": [], "clients": clients })))?;
        if status != 200 {
            bail!("the import answered {status}: {answer}");
        }
    }
    let last = create_client(there, &mut connection, &client("bench/caught-up/last"))?;
    until_refused(&node.api, &revoked)?;
    let away = silent.elapsed();
    node.way.go_on();
    let Seen { took, wrong, refused, longest } = until_known(&node.api, &last, &revoked)?;
    nodes.end()?;
    Ok(vec![
        Line {
            work: format!("a server that was away takes in {} changes", options.missed),
            measured: format!("{:.2} s", took.as_secs_f64()),
            note: format!(
                "away for {:.1} s; from the moment that its way to the database is free until it knows the last change; {refused} questions were answered 503 until then, \
                 and the longest answer took {:.1} ms",
                away.as_secs_f64(),
                longest.as_secs_f64() * 1_000.0
            ),
            bound: None,
        },
        Line {
            work: "accepted by it meanwhile, although revoked before".to_owned(),
            measured: wrong.to_string(),
            note: format!("of a client that was disabled before those {} changes", options.missed),
            bound: Some(("0".to_owned(), wrong == 0)),
        },
    ])
}

struct Seen {
    took: Duration,
    /// Answers by which somebody is let in who was revoked.
    wrong: u64,
    /// Answers that say that the server is not there yet.
    refused: u64,
    longest: Duration,
}

/// Waits until it says that it is cut off: before, it may answer by what it remembers.
fn until_refused(api: &Api, keys: &Keys) -> Result<()> {
    let (mut connection, mut random, began) = (api.connect()?, fastrand::Rng::new(), Instant::now());
    while connection.exchange(&authenticate_hawk(&api.address, keys, None, &mut random)?)?.status != 503 {
        if began.elapsed() > PATIENCE {
            bail!("a server that is cut off does not say so");
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// Asks about both until the first one is known.
fn until_known(api: &Api, wanted: &Keys, revoked: &Keys) -> Result<Seen> {
    let (mut connection, mut random, began) = (api.connect()?, fastrand::Rng::new(), Instant::now());
    let mut seen = Seen { took: Duration::ZERO, wrong: 0, refused: 0, longest: Duration::ZERO };
    loop {
        for keys in [revoked, wanted] {
            let request = authenticate_hawk(&api.address, keys, None, &mut random)?;
            let sent = Instant::now();
            let answer = connection.exchange(&request)?;
            seen.longest = seen.longest.max(sent.elapsed());
            let is_let_in = holds(answer.body(), "auth-success");
            match answer.status {
                200 if keys.id == wanted.id && is_let_in => {
                    seen.took = began.elapsed();
                    return Ok(seen);
                }
                200 => seen.wrong += u64::from(is_let_in && keys.id == revoked.id),
                503 => seen.refused += 1,
                status => bail!("unexpected answer {status}: {}", String::from_utf8_lossy(answer.whole)),
            }
        }
        if began.elapsed() > PATIENCE {
            bail!("the server does not catch up");
        }
        std::thread::sleep(PAUSE);
    }
}
