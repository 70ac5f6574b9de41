//! What a run says: one Markdown table, one JSON file.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::requests::load::Figures;
use crate::rows::{ALL, Definition, Target, Unit};

/// One measurement of one row on one server.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Which row.
    pub id: &'static str,
    /// The figure, in the row's unit; `Err` says why there is none.
    pub figure: Result<f64, String>,
    /// The same on the floors, by their names.
    pub floors: Vec<(&'static str, f64)>,
    /// The load that it comes from.
    pub load: Option<Figures>,
    /// More about it, in words.
    pub note: String,
}

impl Outcome {
    /// A figure and nothing else.
    pub fn figure(id: &'static str, figure: f64) -> Outcome {
        Outcome { id, figure: Ok(figure), floors: Vec::new(), load: None, note: String::new() }
    }

    /// A row that could not be measured, and why.
    pub fn none(id: &'static str, why: impl Into<String>) -> Outcome {
        Outcome { figure: Err(why.into()), ..Outcome::figure(id, 0.0) }
    }

    /// With a note.
    pub fn noting(self, note: impl Into<String>) -> Outcome {
        Outcome { note: note.into(), ..self }
    }

    /// With a floor.
    pub fn above(mut self, name: &'static str, floor: f64) -> Outcome {
        self.floors.push((name, floor));
        self
    }
}

/// All measurements of a run.
#[derive(Default)]
pub struct Report {
    ours: Vec<Outcome>,
    peer: Vec<Outcome>,
}

/// One row, ready to be shown.
pub struct Line<'a> {
    /// What is measured.
    pub definition: &'static Definition,
    /// Falconer.
    pub ours: Option<&'a Outcome>,
    /// The other server.
    pub peer: Option<&'a Outcome>,
    /// What to reach, in the row's unit.
    pub target: Option<f64>,
}

impl Report {
    /// Takes in a measurement of Falconer (`ours`) or of the other server.
    pub fn add(&mut self, ours: bool, outcome: Outcome) {
        let list = if ours { &mut self.ours } else { &mut self.peer };
        list.retain(|known| known.id != outcome.id);
        list.push(outcome);
    }

    /// The rows of which there is anything, in the order of [`ALL`].
    pub fn lines(&self) -> Vec<Line<'_>> {
        let find = |list: &'static str, id: &str| -> Option<&Outcome> {
            let list = if list == "ours" { &self.ours } else { &self.peer };
            list.iter().find(|outcome| outcome.id == id)
        };
        ALL.iter()
            .map(|definition| {
                let ours = find("ours", definition.id);
                let target = match definition.target {
                    Target::None => None,
                    Target::AtMost(value) => Some(value),
                    Target::NoMoreThan(other) => {
                        floor_named(ours, other).or_else(|| find("ours", other).and_then(|outcome| outcome.figure.clone().ok()))
                    }
                    Target::AboveFloor(more) => ours.and_then(|outcome| outcome.floors.first()).map(|(_, floor)| floor + more),
                    Target::TimesHyper(times) => floor_named(ours, "hyper").map(|hyper| hyper * times),
                };
                Line { definition, ours, peer: find("peer", definition.id), target }
            })
            .filter(|line| line.ours.is_some() || line.peer.is_some())
            .collect()
    }

    /// The rows that count what must not happen, where it happened or was not measured.
    pub fn broken(&self) -> Vec<&'static str> {
        let is_broken = |line: &Line<'_>| {
            let figure = line.ours.and_then(|ours| ours.figure.as_ref().ok());
            line.definition.unit == Unit::Cases && figure.is_none_or(|cases| line.target.is_some_and(|most| *cases > most))
        };
        self.lines().iter().filter(|line| is_broken(line)).map(|line| line.definition.id).collect()
    }

    /// The table.
    pub fn markdown(&self) -> String {
        let peers = !self.peer.is_empty();
        let mut text = String::from("| row | work | to reach | measured | met | floor | ratio to the floor |");
        text.push_str(if peers { " other server |" } else { "" });
        text.push_str(" requests/s | p50 | p99 | longest | note |\n|");
        text.push_str(&" --- |".repeat(if peers { 13 } else { 12 }));
        text.push('\n');
        for line in self.lines() {
            let unit = line.definition.unit;
            let floors = line.ours.map(|ours| ours.floors.as_slice()).unwrap_or_default();
            let figure = line.ours.and_then(|ours| ours.figure.clone().ok());
            let shown_floors: Vec<String> = floors.iter().map(|(name, value)| format!("{} {name}", unit.show(*value))).collect();
            let ratios: Vec<String> = figure
                .map(|figure| floors.iter().filter(|(_, floor)| *floor > 0.0).map(|(_, floor)| format!("{:.1}", figure / floor)).collect())
                .unwrap_or_default();
            let _ = write!(
                text,
                "| `{}` | {} | {} | {} | {} | {} | {} |",
                line.definition.id,
                line.definition.work,
                to_reach(&line),
                shown(line.ours, unit),
                verdict(&line),
                shown_floors.join(", "),
                ratios.join(", ")
            );
            if peers {
                let _ = write!(text, " {} |", shown(line.peer, unit));
            }
            let load = line.ours.and_then(|ours| ours.load.clone());
            let cell = |value: Option<String>| value.unwrap_or_default();
            let micros = |value: fn(&Figures) -> f64| cell(load.as_ref().map(|load| Unit::Micros.show(value(load))));
            let _ = writeln!(
                text,
                " {} | {} | {} | {} | {} |",
                cell(load.as_ref().map(|load| format!("{:.0}", load.rate))),
                micros(|load| load.p50_us),
                micros(|load| load.p99_us),
                micros(|load| load.max_us),
                line.ours.map(|ours| ours.note.as_str()).unwrap_or_default()
            );
        }
        text
    }

    /// The same for programs. `about` says how it was measured.
    pub fn json(&self, about: &Value) -> Value {
        let outcome = |outcome: &Outcome| {
            json!({
                "figure": outcome.figure.as_ref().ok(),
                "notMeasured": outcome.figure.as_ref().err(),
                "floors": outcome.floors.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>(),
                "load": outcome.load.as_ref().map(|load| json!({
                    "requests": load.requests, "requestsPerSecond": load.rate, "cpuMicros": load.cpu_us, "p50Micros": load.p50_us,
                    "p99Micros": load.p99_us, "maxMicros": load.max_us, "residentKib": load.resident_kib,
                })),
                "note": outcome.note,
            })
        };
        let rows: Vec<Value> = self
            .lines()
            .iter()
            .map(|line| {
                json!({
                    "id": line.definition.id, "work": line.definition.work, "unit": line.definition.unit.word(), "target": line.target,
                    "falconer": line.ours.map(outcome), "peer": line.peer.map(outcome),
                })
            })
            .collect();
        json!({ "about": about, "rows": rows })
    }
}

fn floor_named(outcome: Option<&Outcome>, name: &str) -> Option<f64> {
    outcome?.floors.iter().find(|(known, _)| *known == name).map(|(_, floor)| *floor)
}

fn shown(outcome: Option<&Outcome>, unit: Unit) -> String {
    match outcome.map(|outcome| &outcome.figure) {
        None => String::new(),
        Some(Ok(figure)) => unit.show(*figure),
        Some(Err(why)) => format!("not measured: {why}"),
    }
}

fn to_reach(line: &Line<'_>) -> String {
    let unit = line.definition.unit;
    let here = line.target.map(|value| format!(" ({})", unit.show(value))).unwrap_or_default();
    match line.definition.target {
        Target::None => String::new(),
        Target::AtMost(value) => format!("<= {}", unit.show(value)),
        Target::NoMoreThan(other) => format!("<= `{other}`{here}"),
        Target::AboveFloor(more) => format!("<= floor + {}{here}", unit.show(more)),
        Target::TimesHyper(times) => format!("<= {times:.1} times hyper{here}"),
    }
}

fn verdict(line: &Line<'_>) -> &'static str {
    let figure = line.ours.and_then(|ours| ours.figure.clone().ok());
    match (figure, line.target) {
        (Some(figure), Some(target)) if figure <= target => "yes",
        (Some(_), Some(_)) => "**no**",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::default();
        report.add(true, Outcome::figure("verify-plain", 10.0).above("hyper", 5.0));
        report.add(true, Outcome::figure("verify-wrong-mac", 11.0));
        report.add(true, Outcome::figure("create-role-10", 2.5).above("one commit", 2.0));
        report.add(true, Outcome::none("memory-small", "no process"));
        report
    }

    #[test]
    fn targets_are_absolute_or_follow_another_figure() {
        let report = report();
        let targets: Vec<(&str, Option<f64>)> = report.lines().iter().map(|line| (line.definition.id, line.target)).collect();
        assert_eq!(
            targets,
            [
                ("verify-plain", Some(5.0 * 12.0 / 5.5)),
                ("verify-wrong-mac", Some(10.0)),
                ("create-role-10", Some(3.0)),
                ("memory-small", Some(20.0))
            ]
        );
    }

    /// Machines differ by half: a figure in microseconds was met on one and missed on another, by the same program.
    #[test]
    fn what_is_above_the_floor_counts_and_not_microseconds() {
        for (figure, hyper, expected) in [(20.0, 10.0, "yes"), (11.5, 5.0, "**no**")] {
            let mut report = Report::default();
            report.add(true, Outcome::figure("verify-plain", figure).above("hyper", hyper).above("raw", 1.0));
            assert_eq!(report.lines().iter().map(verdict).collect::<Vec<_>>(), [expected]);
        }
        // In turn with the other row is better than after it.
        let mut report = report();
        report.add(true, Outcome::figure("verify-wrong-mac", 11.0).above("hyper", 5.0).above("verify-plain", 11.5));
        assert_eq!(report.lines().get(1).map(|line| (line.target, verdict(line))), Some((Some(11.5), "yes")));
    }

    #[test]
    fn the_table_has_as_many_cells_in_every_line() {
        for peer in [false, true] {
            let mut report = report();
            if peer {
                report.add(false, Outcome::figure("verify-plain", 300.0));
            }
            let text = report.markdown();
            let cells: Vec<usize> = text.lines().map(|line| line.matches('|').count()).collect();
            assert!(cells.len() == 6 && cells.iter().all(|count| *count == cells[0]), "{text}");
            assert!(text.contains("| **no** |") && text.contains("| yes |") && text.contains("not measured: no process"), "{text}");
        }
    }

    #[test]
    fn json_keeps_figures_and_reasons() {
        let json = report().json(&json!({}));
        assert_eq!(json["rows"][0]["falconer"]["floors"]["hyper"], 5.0);
        assert_eq!(json["rows"][3]["falconer"]["notMeasured"], "no process");
        assert_eq!(json["rows"][3]["falconer"]["figure"], Value::Null);
    }
}
