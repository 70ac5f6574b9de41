//! People with local accounts.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::requests::browser::Person;
use crate::subjects::account;
use crate::subjects::subject::Subject;

pub(super) const PASSWORD: &str = "only-for-this-measurement";

pub(super) fn name(number: usize) -> String {
    format!("person{number}")
}

/// A server with accounts from [`name`] 0 on, that believes what a proxy on this machine says; and the address that its cookies go by.
pub(super) fn server_with(binary: &Path, count: usize, provider: &str) -> Result<(Subject, String)> {
    let mut subject = Subject::of_binary(binary)?;
    for number in 0..count {
        account::create(subject.command()?, &name(number), PASSWORD)?;
    }
    subject.restart_configured(&format!("trusted_proxies = [\"127.0.0.1\", \"::1\"]\n{provider}"))?;
    let address = subject.api.address.replace("127.0.0.1", "localhost");
    Ok((subject, address))
}

/// How long one sign-in takes, from the page on.
pub(super) fn timed(person: &mut Person, name: &str) -> Result<Duration> {
    let began = Instant::now();
    person.sign_in_again(name, PASSWORD)?;
    Ok(began.elapsed())
}

/// An address of documentation and test networks, another one for each number.
pub(super) fn address_of(number: usize) -> String {
    let [_, a, b, c] = (number as u32).to_be_bytes();
    format!("10.{a}.{b}.{c}")
}
