//! `falconer person ...`: people and their identities, on the machine of the server, also while it runs (it takes changes in within a second).

use anyhow::{Result, bail};
use falconer_login::{Linked, PersonView};
use serde_json::{Value, json};

use super::LocalOptions;
use crate::node::Node;
use crate::output;

/// Who the audit names for what is done here.
const ACTOR: &str = "falconer person";

/// People of a server on this machine, each named by one of their identities, such as `local/ann`.
#[derive(clap::Subcommand)]
pub enum Person {
    /// List people with their identities
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Show one person, and what they may do
    Show {
        /// One of their identities
        identity: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Make an identity one of another person's: from then on both act with what all give together; the sessions of both end
    Link {
        /// What is linked; it may be linked with no other
        identity: String,
        /// An identity of the person that it is to belong to
        with: String,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Make an identity a person of its own again; its sessions end
    Unlink {
        /// What is unlinked
        identity: String,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Choose the identity that new clients and grants of its person are named by
    Name {
        /// One of their identities
        identity: String,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Stop a person, whichever identity they use: sessions end, grants are revoked, clients are worth nothing
    Disable {
        /// One of their identities
        identity: String,
        #[command(flatten)]
        local: LocalOptions,
    },
    /// Let a disabled person in again
    Enable {
        /// One of their identities
        identity: String,
        #[command(flatten)]
        local: LocalOptions,
    },
}

/// Runs one of them.
pub async fn run(command: Person) -> Result<()> {
    match command {
        Person::List { json, local } => list(&local.open().await?.0, json),
        Person::Show { identity, json, local } => show(&local.open().await?.0, &identity, json),
        Person::Link { identity, with, local } => {
            local.open().await?.0.login.link_identity(ACTOR, &identity, &with).await?;
            done(&format!("{identity} and {with} are one person"))
        }
        Person::Unlink { identity, local } => {
            local.open().await?.0.login.unlink_identity(ACTOR, &identity).await?;
            done(&format!("{identity} is a person of its own"))
        }
        Person::Name { identity, local } => {
            local.open().await?.0.login.name_person(ACTOR, &identity).await?;
            done(&format!("{identity} names what is new"))
        }
        Person::Disable { identity, local } => {
            local.open().await?.0.login.disable_person(ACTOR, &identity).await?;
            done(&format!("disabled the person of {identity}"))
        }
        Person::Enable { identity, local } => {
            local.open().await?.0.login.enable_person(ACTOR, &identity).await?;
            done(&format!("enabled the person of {identity}"))
        }
    }
}

fn list(node: &Node, as_json: bool) -> Result<()> {
    let people = node.login.people();
    if as_json {
        return output::json(&people.iter().map(in_json).collect::<Vec<_>>());
    }
    let identities = |person: &PersonView| person.linked.iter().map(one_identity).collect::<Vec<_>>().join(" ");
    let row = |person: &PersonView| vec![person.name.clone(), state(person.disabled).to_owned(), identities(person)];
    let rows: Vec<Vec<String>> = people.iter().map(row).collect();
    output::table(&["PERSON", "STATE", "IDENTITIES"], &rows)
}

fn show(node: &Node, identity: &str, as_json: bool) -> Result<()> {
    let people = node.login.people();
    let Some(person) = people.iter().find(|person| person.linked.iter().any(|linked| linked.identity == identity)) else {
        bail!("nobody has the identity {identity}");
    };
    if as_json {
        let mut shown = in_json(person);
        if let Value::Object(members) = &mut shown {
            members.insert("scopes".to_owned(), json!(person.scopes.to_vec()));
        }
        return output::json(&shown);
    }
    let identities = person.linked.iter().map(one_identity).collect();
    output::fields(&[
        ("person", vec![person.name.clone()]),
        ("id", vec![person.id.clone()]),
        ("state", vec![state(person.disabled).to_owned()]),
        ("since", vec![output::time(person.created_ms)]),
        ("identities", identities),
        ("scopes", person.scopes.iter().map(str::to_owned).collect()),
    ])
}

fn in_json(person: &PersonView) -> Value {
    let linked = person.linked.iter();
    let linked: Vec<Value> =
        linked.map(|linked| json!({"identity": linked.identity, "displayName": linked.display_name, "disabled": !linked.active})).collect();
    json!({
        "id": person.id, "name": person.name, "identities": linked, "disabled": person.disabled,
        "created": output::time(person.created_ms),
    })
}

fn one_identity(linked: &Linked) -> String {
    let state = if linked.active { "" } else { " (disabled)" };
    format!("{}{state}", linked.identity)
}

fn state(disabled: bool) -> &'static str {
    if disabled { "disabled" } else { "active" }
}

fn done(what: &str) -> Result<()> {
    eprintln!("{what}; a running server knows within a second");
    Ok(())
}
