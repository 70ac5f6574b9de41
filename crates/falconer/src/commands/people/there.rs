//! People over the API of a server.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use falconer_client::{Client, PeopleSearch};
use falconer_grants::place;
use falconer_wire::PersonSummary;

use super::here::state;
use crate::output;

/// Lists people.
pub async fn list(client: &Client, search: Option<String>, as_json: bool) -> Result<()> {
    let people = client.list_all_people(&PeopleSearch { text: search, ..PeopleSearch::default() }).await?;
    if as_json {
        return output::json(&people);
    }
    let mut by_person: BTreeMap<&str, Vec<&PersonSummary>> = BTreeMap::new();
    for row in &people {
        by_person.entry(&row.name).or_default().push(row);
    }
    let one_identity = |row: &&PersonSummary| row.identity.clone();
    let rows: Vec<Vec<String>> = by_person
        .into_iter()
        .map(|(name, linked)| {
            let disabled = linked.iter().all(|row| row.disabled);
            vec![name.to_owned(), state(disabled).to_owned(), linked.iter().map(one_identity).collect::<Vec<_>>().join(" ")]
        })
        .collect();
    output::table(&["PERSON", "STATE", "IDENTITIES"], &rows)
}

/// Shows one.
pub async fn show(client: &Client, identity: &str, as_json: bool) -> Result<()> {
    let person = client.person(identity).await?.with_context(|| format!("nobody has the identity {identity}"))?;
    if as_json {
        return output::json(&person);
    }
    let identities = person.identities.iter().map(|known| {
        let disabled = if known.disabled { " (disabled)" } else { "" };
        format!("{}{disabled}", known.identity)
    });
    let grants = person.grants.iter().map(|grant| format!("{} {} until {}", grant.id, place(&grant.target, None), grant.expires));
    let sessions =
        person.sessions.iter().map(|session| format!("as {} since {}: {}", session.identity, session.created, session.user_agent));
    output::fields(&[
        ("person", vec![person.name.clone()]),
        ("id", vec![person.person.clone()]),
        ("state", vec![state(person.disabled).to_owned()]),
        ("since", vec![person.created.clone()]),
        ("identities", identities.collect()),
        ("scopes", person.expanded_scopes.clone()),
        ("grants", grants.collect()),
        ("sessions", sessions.collect()),
        ("clients", person.clients.clone()),
    ])
}
