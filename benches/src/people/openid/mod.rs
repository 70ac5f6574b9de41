//! Sign-ins a second with an OpenID provider: the way out, the way back, the session.

mod stand_in;

use anyhow::Result;

use super::accounts::{address_of, server_with};
use super::in_turn::in_turn;
use super::{Line, Options};
use crate::requests::browser::Person;
use stand_in::StandIn;

/// Who signs in in turn.
const PEOPLE: usize = 32;

pub(super) fn measure(options: &Options) -> Result<Vec<Line>> {
    let provider = StandIn::start()?;
    let (subject, address) = server_with(&options.binary, 0, &provider.section())?;
    let mut lines = Vec::new();
    for connections in [1, 4, 16] {
        let figures = in_turn(&subject, options.seconds, connections, |number| {
            let mut person = Person::at(&address, Some(address_of(number)))?;
            let provider = &provider;
            Ok(move |at: usize| person.sign_in_away("company", |away| provider.lets_in(away, at % PEOPLE)))
        })?;
        lines.push(Line {
            work: format!("sign-ins with an OpenID provider, {connections} at once"),
            measured: format!("{:.0} a second", figures.rate),
            note: format!("{:.2} ms of CPU each; {:.1} ms the median, {:.1} ms p99", figures.cpu_ms, figures.p50_ms, figures.p99_ms),
            bound: None,
        });
    }
    Ok(lines)
}
