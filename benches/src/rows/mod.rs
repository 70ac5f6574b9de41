//! The rows: what is measured, on which data set, and what is to be reached.

mod arrival;
mod commits;
mod expanding;
mod in_process;
mod memory;
mod revocation;
mod verifying;
mod workers;
mod writing;

use std::collections::HashMap;

use anyhow::{Context, Result};

use crate::data::data_set::{DataSet, Shape, data_set};
use crate::figures::report::{Outcome, Report};
use crate::options::Options;
use crate::requests::api::Keys;
use crate::requests::load::{Figures, Load, drive};
use crate::requests::pool::Pool;
use crate::requests::turns::{Driven, in_turn};
use crate::subjects::floor::{Floor, FloorProcess};
use crate::subjects::subject::Subject;

/// Of so many answers of a pool the typical one is taken.
const SAMPLED_ANSWERS: usize = 64;

/// In what a figure is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Micros,
    /// Milliseconds.
    Millis,
    /// Seconds.
    Seconds,
    /// 2^20 bytes.
    Megabytes,
    /// A ratio.
    Times,
    /// A number of cases.
    Cases,
}

impl Unit {
    /// A figure as people read it.
    pub fn show(self, figure: f64) -> String {
        match self {
            Unit::Micros if figure >= 10_000.0 => format!("{:.1} ms", figure / 1_000.0),
            Unit::Micros if figure >= 100.0 => format!("{figure:.0} us"),
            Unit::Micros => format!("{figure:.2} us"),
            Unit::Millis => format!("{figure:.2} ms"),
            Unit::Seconds => format!("{figure:.2} s"),
            Unit::Megabytes => format!("{figure:.1} MB"),
            Unit::Times => format!("{figure:.2}x"),
            Unit::Cases => format!("{figure:.0}"),
        }
    }

    /// Its word in the JSON.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Micros => "us",
            Unit::Millis => "ms",
            Unit::Seconds => "s",
            Unit::Megabytes => "MB",
            Unit::Times => "ratio",
            Unit::Cases => "cases",
        }
    }
}

/// What is to be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// Nothing was set.
    None,
    /// This much.
    AtMost(f64),
    /// As much as another row, in turn with it where that was done, else in the same run.
    NoMoreThan(&'static str),
    /// So many times what bare hyper takes in the same run.
    TimesHyper(f64),
    /// This much more than the floor of the same run.
    AboveFloor(f64),
}

/// A row.
#[derive(Debug)]
pub struct Definition {
    /// Its name on the command line and in the JSON.
    pub id: &'static str,
    /// The data set that it is measured on; none for what needs no server.
    pub shape: Option<Shape>,
    /// What is measured, in words.
    pub work: &'static str,
    /// In what.
    pub unit: Unit,
    /// What is to be reached.
    pub target: Target,
}

const fn row(id: &'static str, shape: Shape, work: &'static str, unit: Unit, target: Target) -> Definition {
    Definition { id, shape: Some(shape), work, unit, target }
}

const fn alone(id: &'static str, work: &'static str, unit: Unit, target: f64) -> Definition {
    Definition { id, shape: None, work, unit, target: Target::AtMost(target) }
}

/// What was set in microseconds, on a machine where bare hyper took 5.5 of them: machines differ, and what is above the floor does not.
const fn where_hyper_takes_5_5(us: f64) -> Target {
    Target::TimesHyper(us / 5.5)
}

use Shape::{Deep, Real, Real16, Small, TenThousand, Thousand, Wide};
use Target::{AboveFloor, AtMost, NoMoreThan, TimesHyper};
use Unit::{Cases, Megabytes, Micros, Millis, Seconds, Times};

/// Every row, in the order of the table.
pub const ALL: [Definition; 56] = [
    row("verify-plain", Small, "authenticateHawk, 10 scopes that expand to 30: CPU", Micros, where_hyper_takes_5_5(12.0)),
    row("verify-temporary", Small, "the same, named temporary credential of 10 scopes: CPU", Micros, where_hyper_takes_5_5(16.0)),
    row("verify-authorized", Small, "the same, authorized scopes: CPU", Micros, where_hyper_takes_5_5(16.0)),
    row("verify-both", Small, "the same, temporary credential and authorized scopes: CPU", Micros, where_hyper_takes_5_5(20.0)),
    row("verify-wrong-mac", Small, "the same, wrong MAC: CPU", Micros, NoMoreThan("verify-plain")),
    row("verify-unknown", Small, "the same, unknown client: CPU", Micros, NoMoreThan("verify-plain")),
    row("current-scopes", Small, "GET scopes/current, signed: CPU", Micros, where_hyper_takes_5_5(12.0)),
    row("verify-p99", Small, "authenticateHawk, closed loop: p99", Millis, AtMost(1.0)),
    row("verify-p99-open", Small, "authenticateHawk, open loop: p99", Millis, AtMost(1.0)),
    row("verify-deep", Deep, "authenticateHawk, a chain of 12 parameterised roles: CPU", Micros, Target::None),
    row("verify-wide", Wide, "authenticateHawk, 5,000 expanded scopes: CPU", Micros, Target::None),
    row("verify-real", Real, "authenticateHawk, 600 clients of the real-shaped set: CPU", Micros, TimesHyper(1.5)),
    row("verify-real16", Real16, "authenticateHawk, 9,600 clients of the real-shaped set: CPU", Micros, TimesHyper(2.0)),
    row("check", Small, "check, 10 scopes that expand to 30: CPU", Micros, TimesHyper(1.3)),
    row("check-wide", Wide, "check, 5,000 expanded scopes: CPU", Micros, TimesHyper(1.3)),
    row("check-real", Real, "check, 600 clients of the real-shaped set: CPU", Micros, TimesHyper(1.3)),
    row("check-real16", Real16, "check, 9,600 clients of the real-shaped set: CPU", Micros, Target::None),
    row("expand-1k-warm", Thousand, "expandScopes of 100 scopes, 1,000 roles, warm: CPU", Micros, where_hyper_takes_5_5(40.0)),
    row("expand-1k-cold", Thousand, "expandScopes of 100 scopes, 1,000 roles, cold: CPU", Micros, where_hyper_takes_5_5(250.0)),
    row("expand-1k-identity", Thousand, "the same, warm, of a client that takes no compression: CPU", Micros, Target::None),
    row("expand-10k-warm", TenThousand, "expandScopes of 100 scopes, 10,000 roles, warm: CPU", Micros, where_hyper_takes_5_5(40.0)),
    row("expand-10k-cold", TenThousand, "expandScopes of 100 scopes, 10,000 roles, cold: CPU", Micros, where_hyper_takes_5_5(300.0)),
    alone("in-process-verify", "in process: verify a plain request", Micros, 1.0),
    alone("in-process-verify-temporary", "in process: verify a temporary credential", Micros, 3.0),
    Definition {
        id: "in-process-verify-real16",
        shape: None,
        work: "in process: verify requests of 9,600 clients of the real-shaped set in turn",
        unit: Micros,
        target: Target::None,
    },
    alone("in-process-resolver-10k", "in process: build the resolver, 10,000 roles", Millis, 15.0),
    alone("in-process-resolver-real16", "in process: build the resolver, real-shaped 9,600 roles", Millis, 40.0),
    row("create-role-10", Small, "createRole, 10 roles: median", Millis, AboveFloor(1.0)),
    row("create-role-1k", Thousand, "createRole, 1,000 roles: median", Millis, AboveFloor(1.0)),
    row("create-role-10k", TenThousand, "createRole, 10,000 roles: median", Millis, AboveFloor(1.0)),
    row("create-role-real16", Real16, "createRole, real-shaped 9,600 roles: median", Millis, AboveFloor(1.0)),
    row("create-client-10k", TenThousand, "createClient, 10,000 roles and 10,000 clients: median", Millis, AboveFloor(1.0)),
    row("verify-p99-changes", TenThousand, "authenticateHawk while roles and clients change, 10,000 roles: p99", Millis, AtMost(2.0)),
    row("writers-16", Thousand, "16 writers at once, 1,000 roles: failed or lost", Cases, AtMost(0.0)),
    row("start", TenThousand, "start to first answer, 10,000 roles and 100,000 clients", Seconds, AtMost(0.3)),
    row("memory-small", Small, "resident memory idle, 10 roles and 20 clients", Megabytes, AtMost(20.0)),
    row("memory-large", TenThousand, "resident memory idle, 10,000 roles and 100,000 clients", Megabytes, AtMost(80.0)),
    row("memory-load", Small, "resident memory under load, 10 roles and 20 clients", Megabytes, Target::None),
    row(
        "memory-cold",
        TenThousand,
        "resident memory under cold expansion load, bounded to 64 MiB of lists: highest",
        Megabytes,
        AtMost(150.0),
    ),
    row("memory-million", TenThousand, "resident memory, 1,000,000 clients", Megabytes, AtMost(150.0)),
    row("arrival-1024", Small, "1,024 connections arriving at once: until all are served", Seconds, AtMost(1.0)),
    row("workers-2", Small, "CPU per request with two workers against one", Times, AtMost(1.1)),
    row("revoke-disable", Small, "accepted after the acknowledgement: disabled clients", Cases, AtMost(0.0)),
    row("revoke-delete", Small, "accepted after the acknowledgement: deleted clients", Cases, AtMost(0.0)),
    row("revoke-reset", Small, "accepted after the acknowledgement: reset tokens", Cases, AtMost(0.0)),
    row("revoke-old-token", Small, "accepted after the acknowledgement: ended old access tokens", Cases, AtMost(0.0)),
    row("revoke-certificates", Small, "accepted after the acknowledgement: temporary credentials by their start", Cases, AtMost(0.0)),
    row("revoke-seed", Small, "accepted after the acknowledgement: temporary credentials by their seed", Cases, AtMost(0.0)),
    row("revoke-role", Small, "accepted after the acknowledgement: role changes", Cases, AtMost(0.0)),
    row("revoke-grant", Small, "accepted after the acknowledgement: revoked grants", Cases, AtMost(0.0)),
    row("revoke-end-grant", Small, "accepted after the acknowledgement: grants that were signed out", Cases, AtMost(0.0)),
    row("revoke-derived", Small, "accepted after the acknowledgement: what was derived of revoked grants", Cases, AtMost(0.0)),
    row("revoke-token", Small, "accepted after the acknowledgement: revoked access tokens", Cases, AtMost(0.0)),
    row("revoke-refreshed", Small, "accepted after the acknowledgement: access tokens that were refreshed", Cases, AtMost(0.0)),
    row("revoke-person", Small, "accepted after the acknowledgement: disabled people", Cases, AtMost(0.0)),
    row("revocation", Small, "accepted after the acknowledgement: all kinds", Cases, AtMost(0.0)),
];

/// What a measurement works with.
pub(crate) struct Stage<'a> {
    pub options: &'a Options,
    pub subject: Subject,
    pub shape: Shape,
    /// The keys of the clients of the set.
    pub keys: HashMap<String, Keys>,
    report: &'a mut Report,
}

/// What the server itself is called where it takes turns with others.
const OURS: &str = "the server";

/// Measures what the options ask for.
pub fn run(options: &Options) -> Result<Report> {
    let mut report = Report::default();
    let shapes: Vec<Shape> =
        Shape::ALL.into_iter().filter(|shape| ALL.iter().any(|row| row.shape == Some(*shape) && wanted(options, row))).collect();
    for shape in shapes {
        let set = data_set(shape);
        stage(options, &mut report, shape, &set, Subject::falconer(options)?)?;
        if let Some(peer) = Subject::peer(options)? {
            stage(options, &mut report, shape, &set, peer)?;
        }
    }
    in_process::measure(options, &mut report)?;
    Ok(report)
}

/// Whether a row is asked for.
pub fn wanted(options: &Options, row: &Definition) -> bool {
    let by_set = options.sets.is_empty() || row.shape.is_some_and(|shape| options.sets.contains(&shape));
    let by_row = options.rows.is_empty() || options.rows.iter().any(|start| row.id.starts_with(start.as_str()));
    by_set && by_row && (options.million || row.id != "memory-million")
}

fn stage(options: &Options, report: &mut Report, shape: Shape, set: &DataSet, subject: Subject) -> Result<()> {
    eprintln!("== {shape}, {}", if subject.ours { "falconer" } else { "the other server" });
    let keys = crate::data::load_data::load(&subject.api, set)?;
    let mut stage = Stage { options, subject, shape, keys, report };
    memory::idle(&mut stage)?;
    verifying::measure(&mut stage)?;
    expanding::measure(&mut stage)?;
    arrival::measure(&mut stage)?;
    writing::measure(&mut stage)?;
    revocation::measure(&mut stage)?;
    workers::measure(&mut stage)?;
    // The last, because it adds clients.
    memory::large(&mut stage)
}

impl Stage<'_> {
    /// Whether a row is asked for, and is one of this set.
    pub fn wants(&self, id: &str) -> bool {
        ALL.iter().any(|row| row.id == id && row.shape == Some(self.shape) && wanted(self.options, row))
    }

    /// Takes in what was measured.
    pub fn add(&mut self, outcome: Outcome) {
        if let Ok(figure) = &outcome.figure {
            let unit = ALL.iter().find(|row| row.id == outcome.id).map_or(Unit::Cases, |row| row.unit);
            eprintln!("   {}: {} {}", outcome.id, unit.show(*figure), outcome.note);
        }
        self.report.add(self.subject.ours, outcome);
    }

    /// The keys of a client of the set.
    pub fn keys(&self, client_id: &str) -> Result<&Keys> {
        self.keys.get(client_id).with_context(|| format!("the set has no client {client_id}"))
    }

    /// The closed loop of the options.
    pub fn load(&self) -> Load {
        Load { connections: self.options.connections, seconds: self.options.seconds, rate: None }
    }

    /// Drives the server.
    pub fn drive(&self, pool: &Pool, load: Load) -> Result<Figures> {
        drive(&self.subject.api.address, self.subject.process(), pool, load)
    }

    /// Drives the server with a pool, and, for our own, the floors with the same requests and the bytes of its answer: CPU per request. All of them take turns, so that
    /// whatever else the machine does meanwhile weighs on each.
    pub fn cpu_row(&self, id: &'static str, pool: &Pool) -> Result<Outcome> {
        self.cpu_row_beside(id, pool, None)
    }

    /// The same, and in turn with both the server with the pool of another row, by its name.
    pub fn cpu_row_beside(&self, id: &'static str, pool: &Pool, other: Option<(&'static str, &Pool)>) -> Result<Outcome> {
        let figures = self.drive(pool, self.load())?;
        let Some(cpu) = figures.cpu_us else {
            return Ok(Outcome { load: Some(figures), ..Outcome::none(id, "the server's process is not known") });
        };
        let mut outcome = Outcome::figure(id, cpu);
        if self.subject.ours {
            let file = self.subject.folder().join("answer");
            std::fs::write(&file, self.typical_answer(pool)?)?;
            let (hyper, raw) = (FloorProcess::start(Floor::Hyper, &file)?, FloorProcess::start(Floor::Raw, &file)?);
            // A floor remembers nothing, so that every request may come again.
            let repeated = Pool { requests: pool.requests.clone(), once: false, ..*pool };
            let mut all = vec![hyper.driven(&repeated), raw.driven(&repeated)];
            let ours = |name, pool| Driven { name, address: &self.subject.api.address, process: self.subject.process(), pool };
            // What counts once only was asked for already.
            all.extend((!pool.once).then(|| ours(OURS, pool)));
            all.extend(other.map(|(name, pool)| ours(name, pool)));
            for (name, cpu) in in_turn(&all, self.load())? {
                if name == OURS {
                    outcome.figure = Ok(cpu);
                } else {
                    outcome = outcome.above(name, cpu);
                }
            }
        }
        let resident =
            figures.resident_kib.map(|kib| format!("resident {}", Unit::Megabytes.show(kib as f64 / 1024.0))).unwrap_or_default();
        outcome.load = Some(figures);
        Ok(outcome.noting(resident))
    }

    /// The answers of one pool may have any size: the one of some dozens whose length is nearest to their mean.
    fn typical_answer(&self, pool: &Pool) -> Result<Vec<u8>> {
        // What counts once only is not asked for more often than it must be.
        let some = if pool.once { 1 } else { SAMPLED_ANSWERS };
        let mut connection = self.subject.api.connect()?;
        let mut answers = Vec::new();
        for request in pool.requests.iter().take(some) {
            answers.push(connection.exchange(request)?.whole.to_vec());
        }
        let mean = answers.iter().map(Vec::len).sum::<usize>() / answers.len().max(1);
        answers.into_iter().min_by_key(|answer| answer.len().abs_diff(mean)).context("an empty pool")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn ids_are_unique_and_targets_refer_to_rows() {
        let ids: std::collections::HashSet<&str> = ALL.iter().map(|row| row.id).collect();
        assert_eq!(ids.len(), ALL.len());
        for row in &ALL {
            if let NoMoreThan(other) = row.target {
                assert!(ids.contains(other), "{other}");
            }
        }
    }

    #[test]
    fn rows_and_sets_choose() {
        let chosen = |args: &[&str]| {
            let options = Options::parse_from(["bench", "--binary", "b", "--out", "o"].iter().chain(args));
            ALL.iter().filter(|row| wanted(&options, row)).map(|row| row.id).collect::<Vec<_>>()
        };
        assert_eq!(chosen(&[]).len(), ALL.len() - 1);
        assert_eq!(chosen(&["--million"]).len(), ALL.len());
        assert_eq!(chosen(&["--rows", "verify-p99,start", "--set", "10k"]), ["verify-p99-changes", "start"]);
        assert!(chosen(&["--set", "small"]).iter().all(|id| !id.starts_with("in-process")));
    }
}
