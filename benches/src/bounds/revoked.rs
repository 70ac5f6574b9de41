//! Something is taken away on one server while it is used on all of them.

use std::time::Duration;

use anyhow::{Context, Result};

use super::nodes::{Follows, Nodes};
use super::reverse_proxy::{ReverseProxy, Running, free_address};
use super::{Line, Options, Table};
use crate::requests::load::at;
use crate::revoking::{InForce, Place, What, run};

/// Later than this after the acknowledgement nothing may be accepted.
fn bound(follows: Follows) -> Duration {
    match follows {
        Follows::Notified => Duration::from_millis(250),
        Follows::Looking => Duration::from_secs(2),
    }
}

/// All kinds, asked about at the servers or through what stands in front of them.
pub(super) fn measure(options: &Options, follows: Follows, reverse_proxy: Option<ReverseProxy>, table: &mut Table) -> Result<()> {
    let nodes = Nodes::start(options, follows, None)?;
    let running = reverse_proxy.map(|reverse_proxy| Running::start(reverse_proxy, &free_address()?, &nodes.addresses())).transpose()?;
    let through = match (reverse_proxy, follows) {
        (Some(reverse_proxy), _) => format!(", asked through {}", reverse_proxy.name()),
        (None, Follows::Notified) => String::new(),
        (None, Follows::Looking) => ", without notifications".to_owned(),
    };
    let bound = bound(follows);
    for what in What::ALL {
        let first = nodes.nodes.first().context("no servers")?;
        let mut kind = what.at(&Place { api: &first.api, command: &|| nodes.command() })?;
        let (addresses, each) = match &running {
            Some(running) => (vec![running.address.clone()], options.workers * options.nodes),
            None => (nodes.addresses(), options.workers),
        };
        let seen = run(&addresses, each, bound, options.revocations, kind.as_mut()).with_context(|| what.id().to_owned())?;
        // Where it was taken away it holds at once: what counts is where somebody else has to hear of it.
        let is_elsewhere = |number: usize| addresses.len() == 1 || !number.is_multiple_of(addresses.len());
        let times = |of: fn(&InForce) -> Duration| {
            let elsewhere = seen.in_force.iter().enumerate().filter(|(number, _)| is_elsewhere(*number));
            let mut times: Vec<Duration> = elsewhere.map(|(_, in_force)| of(in_force)).collect();
            times.sort_unstable();
            let ms = |share| format!("{:.1} ms", at(&times, share) / 1_000.0);
            format!("{}, {}, {}", ms(0.5), ms(0.99), ms(1.0))
        };
        let unavailable = seen.first_unavailable.as_deref().map(|first| first.lines().last().unwrap_or_default().to_owned());
        table.add(&Line {
            work: format!("{}: accepted later than {} ms after the acknowledgement{through}", what.id(), bound.as_millis()),
            measured: seen.late.to_string(),
            note: format!(
                "{} rounds, {each} workers at each of {}; the last one was accepted (p50, p99, longest) {} after the acknowledgement and {} after the request; \
                 {} requests after an acknowledgement, {} answered 503{}",
                options.revocations,
                addresses.len(),
                times(|in_force| in_force.since_acknowledgement),
                times(|in_force| in_force.since_request),
                seen.after,
                seen.unavailable,
                unavailable.map(|said| format!(", the first one: {said}")).unwrap_or_default()
            ),
            bound: Some(("0".to_owned(), seen.late == 0)),
        })?;
    }
    drop(running);
    nodes.end()
}
