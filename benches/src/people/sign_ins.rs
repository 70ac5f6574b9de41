//! Sign-ins a second with a password: the page, the form, the session. Beside them hashes alone, at the same cost: what a sign-in takes at least.

use anyhow::Result;

use super::accounts::{PASSWORD, address_of, name, server_with};
use super::in_turn::in_turn;
use super::{Line, Options, hashes};
use crate::requests::browser::Person;

/// Accounts that sign in in turn.
const PEOPLE: usize = 32;

pub(super) fn measure(options: &Options) -> Result<Vec<Line>> {
    let (floors, mut lines) = hashes::measure(options)?;
    let (subject, address) = server_with(&options.binary, PEOPLE, "")?;
    for connections in [1, 4, 16] {
        let figures = in_turn(&subject, options.seconds, connections, |number| {
            let mut person = Person::at(&address, Some(address_of(number)))?;
            Ok(move |at: usize| person.sign_in_again(&name((number * 2 + at) % PEOPLE), PASSWORD))
        })?;
        let (floor, which) = if connections == 1 { (floors.alone_ms, "alone") } else { (floors.two_ms, "of two at once") };
        lines.push(Line {
            work: format!("sign-ins with a password, {connections} at once"),
            measured: format!("{:.1} a second", figures.rate),
            note: format!(
                "{:.1} ms of CPU each, {:.2} times a hash {which} in memory that is kept; {:.0} pages of memory; {:.0} ms the median",
                figures.cpu_ms,
                figures.cpu_ms / floor,
                figures.faults,
                figures.p50_ms
            ),
            bound: None,
        });
    }
    // The same page and form, the database and the session, without the hash: what is left of a sign-in.
    let figures = in_turn(&subject, options.seconds, 1, |number| {
        let mut person = Person::at(&address, Some(address_of(number)))?;
        Ok(move |_: usize| person.sign_in_form("/login", "", "").map(drop))
    })?;
    lines.push(Line {
        work: "the page alone, 1 at once".to_owned(),
        measured: format!("{:.0} a second", figures.rate),
        note: format!("{:.2} ms of CPU each; {:.1} ms the median", figures.cpu_ms, figures.p50_ms),
        bound: None,
    });
    Ok(lines)
}
