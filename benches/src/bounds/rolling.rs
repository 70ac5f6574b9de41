//! Servers are restarted one after the other while somebody asks them all the time, through what stands in front of them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;

use super::nodes::{Follows, Nodes};
use super::reverse_proxy::{ReverseProxy, Running, free_address};
use super::{Line, Options, Table};
use crate::requests::api::{Api, segment};
use crate::requests::pool::holds;

/// Who asks; every fourth one changes something.
const WORKERS: usize = 16;
/// Between two restarts, so that the front knows again of a server that is back.
const PAUSE: Duration = Duration::from_secs(2);

/// Behind each front.
pub(super) fn measure(options: &Options, table: &mut Table) -> Result<()> {
    [ReverseProxy::Haproxy, ReverseProxy::Nginx]
        .into_iter()
        .try_for_each(|reverse_proxy| table.add(&measure_behind(options, reverse_proxy)?))
}

fn measure_behind(options: &Options, reverse_proxy: ReverseProxy) -> Result<Line> {
    let address = free_address()?;
    let mut nodes = Nodes::start(options, Follows::Notified, Some(&address))?;
    let running = Running::start(reverse_proxy, &address, &nodes.addresses())?;
    let api = Api { address: running.address.clone(), keys: nodes.keys().clone() };
    let (over, answered, failed, first) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0), Mutex::new(None));
    let note = |said: String| {
        failed.fetch_add(1, Ordering::SeqCst);
        first.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(said);
    };
    let work = |number: usize| {
        let mut connection = None;
        let role = format!("/api/auth/v1/roles/{}", segment(&format!("rolling-{number}")));
        for round in 0_u64.. {
            if over.load(Ordering::SeqCst) {
                return;
            }
            let ask = || -> Result<()> {
                let open = match &mut connection {
                    Some(open) => open,
                    none => none.insert(api.connect()?),
                };
                let (method, path, body) = match number % 4 {
                    0 if round == 0 => ("PUT", role.as_str(), Some(json!({ "description": "", "scopes": [] }))),
                    0 => ("POST", role.as_str(), Some(json!({ "description": format!("round {round}"), "scopes": [] }))),
                    _ => ("GET", "/api/auth/v1/scopes/current", None),
                };
                let request = api.request(method, path, body.as_ref(), &mut fastrand::Rng::new())?;
                let answer = open.exchange(&request)?;
                if answer.status != 200 || !holds(answer.body(), "scopes") {
                    anyhow::bail!("{method} {path} answered {}: {}", answer.status, String::from_utf8_lossy(answer.whole));
                }
                Ok(())
            };
            let outcome = { ask }();
            answered.fetch_add(1, Ordering::SeqCst);
            if let Err(error) = outcome {
                note(format!("{error:#}"));
                connection = None;
            }
        }
    };
    if let Some(upgraded) = &options.upgraded {
        nodes.upgrade(upgraded);
    }
    let began = Instant::now();
    std::thread::scope(|scope| {
        let work = &work;
        for number in 0..WORKERS {
            scope.spawn(move || work(number));
        }
        let restarted = (0..options.nodes).try_for_each(|number| {
            std::thread::sleep(PAUSE);
            nodes.restart(number)
        });
        std::thread::sleep(PAUSE);
        over.store(true, Ordering::SeqCst);
        restarted
    })?;
    let took = began.elapsed().as_secs_f64();
    drop(running);
    nodes.end()?;
    let (answered, failed) = (answered.into_inner(), failed.into_inner());
    let first = first.into_inner().unwrap_or_else(PoisonError::into_inner).map(|said: String| format!("; the first: {said}"));
    Ok(Line {
        work: format!(
            "requests that fail while {} servers are {} one after the other behind {}",
            options.nodes,
            if options.upgraded.is_some() { "upgraded" } else { "restarted" },
            reverse_proxy.name()
        ),
        measured: failed.to_string(),
        note: format!("{answered} requests of {WORKERS} workers in {took:.1} s{}", first.unwrap_or_default()),
        bound: Some(("0".to_owned(), failed == 0)),
    })
}
