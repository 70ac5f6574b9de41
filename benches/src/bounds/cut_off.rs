//! A server that does not reach the database: until when it answers by what it remembers, and when it is back.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::nodes::{Follows, Nodes};
use super::{Line, Options};
use crate::data::data_set::NewClient;
use crate::data::load_data::create_client;
use crate::requests::load::at;
use crate::requests::pool::{authenticate_hawk, holds};

/// What a server that is cut off may remember (`max_staleness`), and how late one question may come.
const REMEMBERS: Duration = Duration::from_millis(5_000);
const PAUSE: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(60);

/// What is said of a credential.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Said {
    Right,
    Wrong,
    NotNow,
}

/// One server after the other is cut off while something is revoked.
pub(super) fn measure(options: &Options) -> Result<Vec<Line>> {
    let nodes = Nodes::start(options, Follows::Notified, None)?;
    let there = &nodes.nodes.first().context("no servers")?.api;
    let (mut late, mut wrong_order, mut until_refused, mut until_back) = (0_u64, 0_u64, Vec::new(), Vec::new());
    for round in 0..options.cuts {
        let node = nodes.nodes.get(1 + round % (nodes.nodes.len() - 1)).context("no such server")?;
        let client_id = format!("bench/cut-{round}");
        let keys =
            create_client(there, &mut there.connect()?, &NewClient { client_id: client_id.clone(), scopes: vec!["bench:cut".to_owned()] })?;
        let (mut connection, mut random) = (node.api.connect()?, fastrand::Rng::new());
        let mut ask = || -> Result<Said> {
            let request = authenticate_hawk(&node.api.address, &keys, None, &mut random)?;
            let answer = connection.exchange(&request)?;
            Ok(match answer.status {
                503 => Said::NotNow,
                200 if holds(answer.body(), "auth-success") => Said::Right,
                200 => Said::Wrong,
                status => bail!("unexpected answer {status}: {}", String::from_utf8_lossy(answer.whole)),
            })
        };
        let mut until = |wanted: Said, each: &mut dyn FnMut(Said)| -> Result<Duration> {
            let began = Instant::now();
            loop {
                let said = ask()?;
                if said == wanted {
                    return Ok(began.elapsed());
                }
                each(said);
                if began.elapsed() > PATIENCE {
                    bail!("never {wanted:?}");
                }
                std::thread::sleep(PAUSE);
            }
        };
        until(Said::Right, &mut |_| ())?;
        node.way.fall_silent();
        let silent = Instant::now();
        there.expect("POST", &format!("/api/auth/v1/clients/{}/disable", crate::requests::api::segment(&client_id)), None)?;
        // What it has been asked after this time it must not answer by what it remembers.
        until(Said::NotNow, &mut |said| late += u64::from(said == Said::Right && silent.elapsed() > REMEMBERS + PAUSE))?;
        until_refused.push(silent.elapsed());
        node.way.go_on();
        until_back.push(until(Said::Wrong, &mut |said| wrong_order += u64::from(said == Said::Right))?);
    }
    nodes.end()?;
    let longest = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        format!("{:.2} s", at(times, 1.0) / 1_000_000.0)
    };
    Ok(vec![
        Line {
            work: "accepted by a server later than 5 s after it was cut off".to_owned(),
            measured: late.to_string(),
            note: format!("{} times; it refuses after {} at most", options.cuts, longest(&mut until_refused)),
            bound: Some(("0".to_owned(), late == 0)),
        },
        Line {
            work: "accepted by it once it is back, although revoked meanwhile".to_owned(),
            measured: wrong_order.to_string(),
            note: format!("it answers {} after the way is free at most", longest(&mut until_back)),
            bound: Some(("0".to_owned(), wrong_order == 0)),
        },
    ])
}
