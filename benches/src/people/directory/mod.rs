//! Asking a real directory (OpenLDAP) about many people without them: how long it takes and what, and whether `authenticateHawk` waits meanwhile; also while the
//! directory is frozen, and when it is stopped.

mod slapd;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rusqlite::Connection;

use super::{Line, Options};
use crate::clock;
use crate::requests::load::{Figures, Load, drive};
use crate::requests::pool::authenticate_hawks;
use crate::subjects::process;
use crate::subjects::subject::Subject;
use slapd::{Slapd, entry_uuid};

/// Nobody waits longer for a round.
const PATIENCE: Duration = Duration::from_secs(1_200);
/// Of the calls beside it, a second.
const CALLS: f64 = 1_000.0;
const DAY_MS: i64 = 86_400_000;

pub(super) fn measure(options: &Options) -> Result<Vec<Line>> {
    let people = options.people;
    let mut directory = Slapd::start(people)?;
    let mut subject = Subject::of_binary(&options.binary)?;
    let database = open(&subject.data_dir())?;
    add_people(&database, people)?;
    subject.restart_configured(&directory.section())?;
    let alone = verify(options, &subject)?;
    let mut lines = vec![line("authenticateHawk, 1,000 a second, nothing else".to_owned(), &alone, String::new(), None)];
    for what in ["whose groups have all changed", "of whom nothing has changed"] {
        let round = round(options, &subject, &directory, &database, &alone)?;
        let found: i64 =
            database.query_row("SELECT count(*) FROM identities WHERE provider = 'company' AND groups <> '[]'", [], |row| row.get(0))?;
        if found != i64::try_from(people)? {
            bail!("only {found} of {people} were found in the directory");
        }
        let seconds = round.took.as_secs_f64();
        let note = format!(
            "{seconds:.1} s, {:.0} people a second; {:.2} ms of CPU each in Falconer, {:.2} ms in slapd",
            people as f64 / seconds,
            round.cpu_ms / people as f64,
            round.directory_cpu_ms / people as f64
        );
        lines.push(line(format!("the same while {people} people are asked about, {what}"), &round.beside, note, Some(&alone)));
    }
    for what in ["frozen", "stopped"] {
        if what == "frozen" {
            directory.freeze()?
        } else {
            directory.stop()?
        }
        make_due(&database)?;
        wait_for_the_first(&database)?;
        let beside = verify(options, &subject)?;
        let note = format!("{} of them tried so far", people as i64 - due(&database, clock::now_ms()?)?);
        lines.push(line(format!("the same while {people} people are due and slapd is {what}"), &beside, note, Some(&alone)));
    }
    Ok(lines)
}

fn line(work: String, figures: &Figures, note: String, alone: Option<&Figures>) -> Line {
    let bound = alone.map(|alone| ("p99 at most twice, or 1 ms".to_owned(), figures.p99_us <= (2.0 * alone.p99_us).max(1_000.0)));
    Line { work, measured: format!("p50 {:.0} us, p99 {:.0} us", figures.p50_us, figures.p99_us), note, bound }
}

/// One round over all people.
struct Round {
    took: Duration,
    /// Of the server, without what verification took of it beside the round.
    cpu_ms: f64,
    directory_cpu_ms: f64,
    /// Verification meanwhile, in its slowest part.
    beside: Figures,
}

fn round(options: &Options, subject: &Subject, directory: &Slapd, database: &Connection, alone: &Figures) -> Result<Round> {
    let server = subject.process().context("the server's process is not known")?;
    let due_ms = make_due(database)?;
    wait_for_the_first(database)?;
    let (began, cpu, directory_cpu) = (Instant::now(), process::cpu_us(server)?, process::cpu_us(directory.id())?);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let verifying = scope.spawn(|| {
            let mut slowest = verify(options, subject)?;
            while !is_over.load(Ordering::Relaxed) {
                let more = verify(options, subject)?;
                if more.p99_us > slowest.p99_us && !is_over.load(Ordering::Relaxed) {
                    slowest = more;
                }
            }
            Ok::<_, anyhow::Error>(slowest)
        });
        let waited = wait_for(|| Ok(due(database, due_ms)? == 0), "somebody was not asked about");
        is_over.store(true, Ordering::Relaxed);
        let took = began.elapsed();
        let (cpu, directory_cpu) =
            (process::cpu_us(server)?.saturating_sub(cpu), process::cpu_us(directory.id())?.saturating_sub(directory_cpu));
        let verification_us = alone.cpu_us.unwrap_or_default() * CALLS * took.as_secs_f64();
        let beside = verifying.join().map_err(|_| anyhow!("whoever verifies panicked"))??;
        waited?;
        Ok(Round { took, cpu_ms: (cpu as f64 - verification_us).max(0.0) / 1e3, directory_cpu_ms: directory_cpu as f64 / 1e3, beside })
    })
}

fn verify(options: &Options, subject: &Subject) -> Result<Figures> {
    let pool = authenticate_hawks(&subject.api, &subject.api.keys, None, 2_000, "auth-success")?;
    drive(&subject.api.address, subject.process(), &pool, Load { connections: 8, seconds: options.seconds, rate: Some(CALLS) })
}

fn open(data_dir: &Path) -> Result<Connection> {
    let database = Connection::open(data_dir.join("falconer.sqlite"))?;
    database.busy_timeout(Duration::from_secs(60))?;
    Ok(database)
}

/// People who signed in with the directory when they were in no group; nobody is due.
fn add_people(database: &Connection, people: usize) -> Result<()> {
    let now_ms = clock::now_ms()?;
    database.execute_batch("BEGIN IMMEDIATE")?;
    for number in 0..people {
        let (uuid, person, username) = (entry_uuid(number), format!("{number:032x}"), format!("person{number}"));
        let identity = format!("company/{uuid}");
        database.execute(
            "INSERT INTO identities (identity, provider, subject, display_name, email, email_verified, groups, scopes, refreshed_ms, disabled, person, username)
             VALUES (?1, 'company', ?2, ?3, ?4, 1, '[]', '[]', ?5, 0, ?6, ?3)",
            (&identity, &uuid, &username, format!("{username}@example.com"), now_ms, &person),
        )?;
        database.execute(
            "INSERT INTO people (id, name, disabled, created_ms, last_modified_ms) VALUES (?1, ?2, 0, ?3, ?3)",
            (&person, &identity, now_ms),
        )?;
        database.execute(
            "INSERT INTO refreshes (identity, handle, due_ms, claimed_until_ms) VALUES (?1, NULL, ?2, 0)",
            (&identity, now_ms + DAY_MS),
        )?;
    }
    Ok(database.execute_batch("COMMIT")?)
}

/// Makes all due at this moment, which it answers.
fn make_due(database: &Connection) -> Result<i64> {
    let now_ms = clock::now_ms()?;
    database.execute("UPDATE refreshes SET due_ms = ?1, claimed_until_ms = 0", [now_ms])?;
    Ok(now_ms)
}

/// How many were due then and were not asked about yet.
fn due(database: &Connection, due_ms: i64) -> Result<i64> {
    Ok(database.query_row("SELECT count(*) FROM refreshes WHERE due_ms <= ?1", [due_ms], |row| row.get(0))?)
}

/// The server looks for those who are due at an interval: until it has claimed some.
fn wait_for_the_first(database: &Connection) -> Result<()> {
    let claimed = "SELECT count(*) FROM refreshes WHERE claimed_until_ms > 0";
    wait_for(|| Ok(database.query_row(claimed, [], |row| row.get::<_, i64>(0))? > 0), "nobody was asked about")
}

fn wait_for(mut is_so: impl FnMut() -> Result<bool>, else_what: &str) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    while !is_so()? {
        if Instant::now() > until {
            bail!("{else_what} within {} s", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
