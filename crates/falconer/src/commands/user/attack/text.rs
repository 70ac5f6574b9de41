use std::path::PathBuf;

use anyhow::Result;
use falconer_attack::{ATTACKS, Access, Attacker, Outcome, Place, Report, Row};

use crate::output::{harmless, line, table};

/// All attacks, with what each sends.
pub fn list() -> Result<()> {
    let rows: Vec<Vec<String>> = ATTACKS.iter().map(|attack| vec![attack.name.to_owned(), attack.sends.to_owned()]).collect();
    table(&["attack", "sends"], &rows)
}

/// What would be sent, and where.
pub fn plan(place: &Place, falconer: &str, attacker: &Attacker, logs: &[PathBuf]) -> String {
    let mut said =
        vec![format!("Attacks {} and no other host. Callers are made at {falconer}, and sign for {}.", place.address, place.origin)];
    for (route, requests) in attacker.requests() {
        let needs = match &route.access {
            Access::Public => "everybody may".to_owned(),
            Access::Needs(needs) => format!("needs {}", needs.to_string().split_whitespace().collect::<Vec<_>>().join(" ")),
        };
        let does = if route.only_reads() { "reads" } else { "CHANGES what it changes, if it is let in" };
        said.push(format!("  {route} ({needs}): up to {requests} requests; {does}"));
    }
    said.push(
        "  GET without credentials, to what an OpenAPI document of the service names; OPTIONS, as browsers ask before a call".to_owned(),
    );
    said.extend(logs.iter().map(|log| format!("  reads {}", log.display())));
    harmless(&said.join("\n"))
}

/// What came of it, route by route.
pub fn report(report: &Report) -> Result<()> {
    for route in &report.unusable_routes {
        line(&harmless(&format!("COULD NOT BE TRIED  {route}")))?;
    }
    let mut routes: Vec<Option<&str>> = Vec::new();
    for row in &report.rows {
        if !routes.contains(&row.route.as_deref()) {
            routes.push(row.route.as_deref());
        }
    }
    routes.sort_by_key(Option::is_none);
    for route in routes {
        line(&format!("\n{}", harmless(route.unwrap_or("The service"))))?;
        for row in report.rows.iter().filter(|row| row.route.as_deref() == route) {
            print(row)?;
        }
    }
    line(&format!(
        "\n{} held, {} findings, {} notes, {} not tried, {} do not apply",
        report.count(Outcome::Held),
        report.count(Outcome::Finding),
        report.count(Outcome::Note),
        report.count(Outcome::NotTried),
        report.count(Outcome::DoesNotApply)
    ))
}

fn print(row: &Row) -> Result<()> {
    let word = match row.outcome {
        Outcome::Held => "held",
        Outcome::Finding => "FINDING",
        Outcome::Note => "note",
        Outcome::NotTried => "not tried",
        Outcome::DoesNotApply => "-",
    };
    let say = |word: &str, name: &str, text: &str| line(format!("  {word:<9}  {name:<22}  {}", harmless(text)).trim_end());
    let sent = match row.requests {
        1 => "1 request".to_owned(),
        requests => format!("{requests} requests"),
    };
    let mut seen = row.seen.iter();
    say(word, row.attack, seen.next().map_or(sent.as_str(), String::as_str))?;
    for more in seen {
        say("", "", more)?;
    }
    if let Some(means) = row.means {
        say("", "", means)?;
    }
    match row.advice {
        Some(advice) => say("", "", &format!("{advice} See docs/{}.", row.page)),
        None => Ok(()),
    }
}
