//! Sign-ins a second with a password: the page, the form, the session. The floor is one hash with the same cost.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use argon2::{Algorithm, Argon2, Params, Version};

use super::accounts::{PASSWORD, address_of, name, server_with};
use super::{Line, Options};
use crate::requests::browser::Person;
use crate::subjects::process;

/// Accounts that sign in in turn.
const PEOPLE: usize = 32;

pub(super) fn measure(options: &Options) -> Result<Vec<Line>> {
    let floor = one_hash()?;
    let (subject, address) = server_with(&options.binary, PEOPLE, "")?;
    let process = subject.process().context("the server's process is not known")?;
    let mut lines = Vec::new();
    for connections in [1, 4, 16] {
        let (done, cpu) = (AtomicUsize::new(0), process::cpu_us(process)?);
        let began = Instant::now();
        let until = began + Duration::from_secs_f64(options.seconds);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..connections)
                .map(|number| {
                    let (address, done) = (&address, &done);
                    scope.spawn(move || -> Result<()> {
                        let mut person = Person::at(address, Some(address_of(number)))?;
                        while Instant::now() < until {
                            person.sign_in_again(&name((number * 2 + done.load(Ordering::Relaxed)) % PEOPLE), PASSWORD)?;
                            done.fetch_add(1, Ordering::Relaxed);
                        }
                        Ok(())
                    })
                })
                .collect();
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a person panicked"))?)
        })?;
        let (done, took) = (done.into_inner().max(1) as f64, began.elapsed().as_secs_f64());
        let cpu_ms = (process::cpu_us(process)?.saturating_sub(cpu)) as f64 / 1e3 / done;
        lines.push(Line {
            work: format!("sign-ins with a password, {connections} at once"),
            measured: format!("{:.1} a second", done / took),
            note: format!("{cpu_ms:.1} ms of CPU each, {:.2} times one hash ({:.1} ms)", cpu_ms / floor, floor),
            bound: None,
        });
    }
    Ok(lines)
}

/// Milliseconds of one hash with the cost that accounts have by default, the median of twenty.
fn one_hash() -> Result<f64> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| anyhow!("{error}"))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut took = Vec::new();
    for _ in 0..20 {
        let (mut out, began) = ([0; 32], Instant::now());
        argon.hash_password_into(PASSWORD.as_bytes(), b"a salt of a few bytes", &mut out).map_err(|error| anyhow!("{error}"))?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    took.get(10).copied().context("nothing was measured")
}
