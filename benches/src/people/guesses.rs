//! Ten people sign in at once, in browsers that they signed in with before, while somebody tries wrong passwords for the same accounts from changing
//! addresses.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::accounts::{PASSWORD, address_of, name, server_with, timed};
use super::{Line, Options};
use crate::requests::browser::Person;

const PEOPLE: usize = 10;
/// Connections of those who guess.
const GUESSING: usize = 256;
/// Within this, everybody is in.
const WITHIN: Duration = Duration::from_secs(2);
/// How often all ten sign in.
const ROUNDS: usize = 5;

pub(super) fn measure(options: &Options) -> Result<Vec<Line>> {
    let (subject, address) = server_with(&options.binary, PEOPLE, "")?;
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let mut person = Person::at(&address, Some(address_of(number)))?;
        person.sign_in_again(&name(number), PASSWORD)?;
        people.push(person);
    }
    let (stop, sent, looked_at) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let began = Instant::now();
    let rounds = std::thread::scope(|scope| {
        let guessing: Vec<_> = (0..GUESSING)
            .map(|number| {
                let (address, stop, sent, looked_at) = (&address, &stop, &sent, &looked_at);
                let every = Duration::from_secs_f64(GUESSING as f64 / options.guesses);
                scope.spawn(move || -> Result<()> {
                    let mut stranger = Person::at(address, Some(address_of(number)))?;
                    let mut fields = stranger.sign_in_form("/login", &name(0), "a wrong password")?;
                    let mut due = Instant::now() + every.mul_f64(number as f64 / GUESSING as f64);
                    while !stop.load(Ordering::Relaxed) {
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        due += every;
                        let at = sent.fetch_add(1, Ordering::Relaxed);
                        for (field, value) in &mut fields {
                            if field == "name" {
                                *value = name(at % PEOPLE);
                            }
                        }
                        // A server that closes is asked anew.
                        match stranger.send("/login", &fields, &address_of(100 + at)) {
                            Ok(status) if status != 429 && status != 503 => _ = looked_at.fetch_add(1, Ordering::Relaxed),
                            Ok(_) => {}
                            Err(_) => {
                                stranger = Person::at(address, Some(address_of(100 + at)))?;
                                fields = stranger.sign_in_form("/login", &name(0), "a wrong password")?;
                            }
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        // They are at it when the people come.
        std::thread::sleep(Duration::from_secs(2));
        let rounds: Result<Vec<Vec<Duration>>> = (0..ROUNDS).map(|_| all_at_once(&mut people)).collect();
        stop.store(true, Ordering::Relaxed);
        for thread in guessing {
            thread.join().map_err(|_| anyhow!("a stranger panicked"))??;
        }
        rounds
    })?;
    let rate = sent.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64();
    let longest = rounds.iter().flatten().max().copied().context("nobody signed in")?;
    let mut all: Vec<Duration> = rounds.iter().flatten().copied().collect();
    all.sort_unstable();
    let median = all.get(all.len() / 2).copied().unwrap_or_default();
    drop(subject);
    Ok(vec![Line {
        work: format!(
            "ten people sign in at once while {GUESSING} connections try wrong passwords, {:.0} a second where they are answered, {ROUNDS} times",
            options.guesses
        ),
        measured: format!("{:.2} s the longest, {:.2} s the median", longest.as_secs_f64(), median.as_secs_f64()),
        note: format!(
            "{rate:.0} attempts a second were answered, the others waited; {} in all were looked at",
            looked_at.load(Ordering::Relaxed)
        ),
        bound: Some(("all in within 2 s".to_owned(), longest <= WITHIN)),
    }])
}

fn all_at_once(people: &mut [Person]) -> Result<Vec<Duration>> {
    std::thread::scope(|scope| {
        let threads: Vec<_> =
            people.iter_mut().enumerate().map(|(number, person)| scope.spawn(move || timed(person, &name(number)))).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow!("a person panicked"))?).collect()
    })
}
