use std::collections::BTreeSet;

use crate::attacks::Attack;
use crate::exchange::{Answered, Crafted, Secret, within};
use crate::place::Route;
use crate::report::{Outcome, Report, Row};

/// A reader of log files: what was written to them since the beginning.
pub trait Logs {
    /// The text of each, under its name; or why it cannot be read.
    fn written(&mut self) -> Vec<(String, Result<String, String>)>;
}

/// What the attacks left behind, to be looked for.
#[derive(Default)]
pub(super) struct Traces {
    pub secrets: Vec<Secret>,
    /// Which request's answer repeated what.
    repeated: BTreeSet<String>,
}

impl Traces {
    pub fn keep(&mut self, route: &Route, how: &str, request: &Crafted, answered: &Answered) {
        let secrets = Secret::all(request);
        if let Answered::Answer(answer) = answered {
            let repeated = within(&secrets, &answer.text());
            self.repeated
                .extend(repeated.iter().map(|secret| format!("{route}, {how}: the answer {} holds {}", answer.status, secret.what)));
        }
        self.secrets.extend(secrets.into_iter().filter(|secret| !self.secrets.contains(secret)).collect::<Vec<_>>());
    }
}

/// What any answer repeated counts as this attack's finding.
pub(super) fn repeated(attack: &Attack, traces: &Traces, before: usize, report: &mut Report) {
    if traces.repeated.is_empty() {
        return;
    }
    let requests = report.rows.drain(before..).map(|row| row.requests).sum();
    report.rows.push(Row::new(attack, None, Outcome::Finding, requests, traces.repeated.iter().cloned().collect()));
}

pub(super) fn logged(attack: &Attack, logs: Vec<(String, Result<String, String>)>, secrets: &[Secret]) -> Row {
    let (mut findings, mut untried) = (Vec::new(), Vec::new());
    for (name, text) in &logs {
        match text {
            Ok(text) if text.is_empty() => untried.push(format!("{name}: nothing was written to it")),
            Ok(text) => {
                let what: BTreeSet<&str> = within(secrets, text).iter().map(|secret| secret.what).collect();
                findings.extend(what.iter().map(|what| format!("{name} holds {what}")));
            }
            Err(why) => untried.push(format!("{name}: {why}")),
        }
    }
    let outcome = match (logs.is_empty(), findings.is_empty(), untried.is_empty()) {
        (true, ..) => {
            untried.push("no log file was named with --log".to_owned());
            Outcome::NotTried
        }
        (_, false, _) => Outcome::Finding,
        (_, true, false) => Outcome::NotTried,
        (_, true, true) => Outcome::Held,
    };
    Row::new(attack, None, outcome, 0, [findings, untried].concat())
}
