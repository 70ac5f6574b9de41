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
        lines.push(figures.line(format!("sign-ins with an OpenID provider, {connections} at once")));
    }
    Ok(lines)
}
